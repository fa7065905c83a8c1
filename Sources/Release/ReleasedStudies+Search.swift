import Archive
import Catalog
import DICOM

extension ReleasedStudies {
    /// Objects whose headers one search de-identifies, as far as they were not lately.
    static let objectLimit = 5_000
    /// Objects that are tried for one that can be released, where one stands for its study or series.
    private static let candidateCount = 8

    /// Finds what is shown masked, by the attributes it is shown with. PS3.4 §C.4.1, PS3.18 §10.6.
    ///
    /// What cannot be de-identified for certain, as far as its header tells, is not found.
    ///
    /// - Parameters:
    ///   - query: whose visibility, limit and offset count for nothing here.
    ///   - isWanted: asked before each object, whether anybody still waits.
    ///   - body: takes matches, without holdings, until it returns false.
    /// - Returns: whether something was not looked at: there was more than one search may, or it cannot be read.
    public func find(
        _ query: Query, while isWanted: @escaping () -> Bool = { true }, _ body: (Match) throws -> Bool
    ) throws -> Bool {
        var keys = query.keys
        let named = Names(
            studies: Self.uids(keys, .studyInstanceUID), series: Self.uids(keys, .seriesInstanceUID),
            instances: Self.uids(keys, .sopInstanceUID))
        for tag in [Tag.studyInstanceUID, .seriesInstanceUID, .sopInstanceUID] { keys[tag] = nil }
        let level = query.level
        let layout = PrivateLayout(keys, includesAll: query.includesPrivate, archive.privateAttributes)
        let filter = AttributeFilter(keys, at: level, query.options, layout)
        var run = Run(named: named, layout: layout, isWanted: isWanted)
        var patients: [[String?]: PatientRow] = [:]
        func take(_ study: Study) throws -> Bool {
            if level == .patient { return try add(study, to: &patients, &run) }
            return try rows(of: study, at: level, &run) { attributes in
                try !filter.matches(attributes) || body(Match(attributes: attributes))
            }
        }
        if named.studies.isEmpty {
            run.isCut = try each(take) || run.isCut
        } else {
            if named.studies.count > Self.nameLimit { run.isCut = true }
            for study in try studies(shownAs: Array(named.studies.prefix(Self.nameLimit))) {
                guard try take(study) else { break }
            }
        }
        for patient in patients.values.sorted(by: { $0.number < $1.number }) where filter.matches(patient.attributes) {
            guard try body(Match(attributes: patient.shown)) else { break }
        }
        return run.isCut || run.isUnread
    }

    /// What one search has come to.
    private struct Run {
        let named: Names
        let layout: PrivateLayout
        let isWanted: () -> Bool
        var objectCount = 0
        /// Nothing more is looked at.
        var isCut = false
        /// Something could not be looked at.
        var isUnread = false
    }

    private struct PatientRow {
        /// In which order they were met.
        let number: Int
        let attributes: Dataset
        var counts = [0, 0, 0]

        var shown: Dataset {
            var result = attributes
            for (tag, count) in zip(
                [
                    Tag.numberOfPatientRelatedStudies, .numberOfPatientRelatedSeries,
                    .numberOfPatientRelatedInstances,
                ], counts)
            {
                result.set(tag, .IS, strings: [String(count)])
            }
            return result
        }
    }

    private static func uids(_ keys: Dataset, _ tag: Tag) -> [String] {
        keys.strings(tag).filter { !$0.isEmpty && $0 != "*" }
    }

    // MARK: Rows

    /// The study's rows of a level; returns whether more are wanted.
    private func rows(
        of study: Study, at level: QueryLevel, _ run: inout Run, _ give: (Dataset) throws -> Bool
    ) throws -> Bool {
        if level == .study {
            guard let attributes = try attributes(of: study, nil, &run) else { return !run.isCut }
            return try give(Self.shown(attributes, at: level, counted: study.counts, run.layout))
        }
        var found: [Match] = []
        var keys = Dataset()
        keys.set(.studyInstanceUID, .UI, string: study.uid)
        try archive.find(
            Query(level: level, keys: keys, visibility: visibility, limit: Self.objectLimit + 1)
        ) { match in
            found.append(match)
            return true
        }
        if found.count > Self.objectLimit { run.isCut = true }
        var series: [String: Bool] = [:]
        // The catalogue's order tells of the originals: when they came, or by which names.
        let ordered = try found.prefix(Self.objectLimit).map { match in
            let original = match.holding?.sopInstanceUID ?? match.attributes.string(.seriesInstanceUID) ?? ""
            return (match: match, name: try study.release.uid(for: original))
        }.sorted { $0.name < $1.name }
        for (match, _) in ordered {
            let uid = match.attributes.string(.seriesInstanceUID) ?? ""
            if !run.named.series.isEmpty {
                let isMeant = try series[uid] ?? run.named.series.contains { try study.means($0, uid) }
                series[uid] = isMeant
                guard isMeant else { continue }
            }
            let attributes: ReleasedHeader?
            if let holding = match.holding {
                guard
                    try run.named.instances.isEmpty
                        || run.named.instances.contains(where: { try study.means($0, holding.sopInstanceUID) })
                else { continue }
                attributes = try released([holding], by: study.release, &run)
            } else {
                attributes = try self.attributes(of: study, uid, &run)
            }
            guard let attributes else {
                if run.isCut { return false }
                continue
            }
            guard try give(Self.shown(attributes, at: level, counted: match.attributes, run.layout)) else {
                return false
            }
        }
        return !run.isCut
    }

    private func add(_ study: Study, to patients: inout [[String?]: PatientRow], _ run: inout Run) throws -> Bool {
        guard let attributes = try attributes(of: study, nil, &run) else { return !run.isCut }
        let shown = Self.shown(attributes, at: .patient, counted: Dataset(), run.layout)
        let identity = [shown.string(.patientID), shown.string(.issuerOfPatientID)]
        var row = patients[identity] ?? PatientRow(number: patients.count, attributes: shown)
        let counts = [1, study.count(.numberOfStudyRelatedSeries), study.count(.numberOfStudyRelatedInstances)]
        for (index, count) in counts.enumerated() { row.counts[index] += count }
        patients[identity] = row
        return true
    }

    /// The attributes of a study or series, of the first of its objects that can be released.
    private func attributes(
        of study: Study, _ series: String?, _ run: inout Run
    ) throws -> ReleasedHeader? {
        let candidates = try archive.holdings(
            patientID: nil, studyInstanceUIDs: [study.uid], seriesInstanceUIDs: series.map { [$0] } ?? [],
            sopInstanceUIDs: [], visibility: visibility, limit: Self.candidateCount)
        return try released(candidates, by: study.release, &run)
    }

    private func released(_ candidates: [Holding], by release: Release, _ run: inout Run) throws -> ReleasedHeader? {
        for holding in candidates {
            guard run.objectCount < Self.objectLimit, run.isWanted() else {
                run.isCut = true
                return nil
            }
            run.objectCount += 1
            do { return try release.attributes(of: holding) } catch ReleaseError.quarantined {
                // It would not go out either.
            } catch ArchiveError.notFound {
                // Removed meanwhile.
            } catch ArchiveError.closed {
                throw ArchiveError.closed
            } catch {
                // One object that cannot be read takes nothing from whoever searches for others.
                run.isUnread = true
            }
        }
        return nil
    }

    /// Of a released header what a level shows, and what the catalogue counts of what is shown.
    private static func shown(
        _ header: ReleasedHeader, at level: QueryLevel, counted: Dataset, _ layout: PrivateLayout
    ) -> Dataset {
        var result = header.attributes
        result.removeAll { LevelAttributes.level(of: $0.tag) > level || LevelAttributes.computed.contains($0.tag) }
        for tag in LevelAttributes.computed { if let element = counted[tag] { result.set(element) } }
        layout.place(header.privates, upTo: level, into: &result)
        return result
    }
}

extension ReleasedStudies.Study {
    /// What the catalogue counts of it, over all of its rows.
    fileprivate var counts: Dataset {
        guard rows.count > 1 else { return rows.first ?? Dataset() }
        var result = Dataset()
        for tag in [Tag.numberOfStudyRelatedSeries, .numberOfStudyRelatedInstances] {
            result.set(tag, .IS, strings: [String(count(tag))])
        }
        for tag in [Tag.modalitiesInStudy, .sopClassesInStudy] {
            let values = Set(rows.flatMap { $0.strings(tag) }).sorted()
            result.set(tag, tag == .modalitiesInStudy ? .CS : .UI, strings: values)
        }
        return result
    }
}
