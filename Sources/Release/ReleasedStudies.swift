import Access
import Archive
import Catalog
import DICOM

/// Studies that go out de-identified, by the names they are shown with: those that were granted masked, or what is shown in
/// full to who asks for it so. Any thread; everything blocks.
///
/// Nothing of the originals is matched or given, for whoever may ask could otherwise guess it piece by piece. By its own UID a
/// study that was granted masked is known only to whom a grant has named it, and what somebody keeps under the same UID
/// changes nothing; whoever sees it in full knows it by that.
public struct ReleasedStudies: Sendable {
    /// Studies that are looked at for one question.
    public static let studyLimit = 10_000
    /// Study Instance UIDs that one question may name.
    public static let nameLimit = 1_000

    /// Why they go out so.
    private enum Cause {
        /// They were granted masked, by these maskings, and nothing of them is shown in full.
        case granted(Set<Masking>, Access)
        /// Who sees them in full asks for it.
        case asked(ReleaseRule)
    }

    let archive: Archive
    private let reach: Reach
    private let releases: Releases
    private let cause: Cause
    /// What is shown so, and nothing else.
    let visibility: Visibility

    /// What was granted masked.
    ///
    /// - Returns: nil where nothing is reached masked, or nothing of that is released.
    public init?(_ archive: Archive, reach: Reach, releases: Releases, access: Access) {
        guard case .limited(_, let masked) = reach, masked.keys.contains(where: { access.releaseRule(for: $0) != nil })
        else { return nil }
        self.archive = archive
        self.reach = reach
        self.releases = releases
        cause = .granted(Set(masked.keys), access)
        visibility = Visibility(maskedOf: reach, upTo: .deidentified)
    }

    /// What is shown in full, for who asks for it de-identified.
    public init(_ archive: Archive, reach: Reach, releases: Releases, asked rule: ReleaseRule) {
        self.archive = archive
        self.reach = reach
        self.releases = releases
        cause = .asked(rule)
        visibility = Visibility(reach)
    }

    /// A study of which nothing goes out as it is stored.
    struct Study {
        /// What the catalogue holds of it, as far as it is shown.
        let rows: [Dataset]
        let uid: String
        let release: Release
        /// Whether who asks knows the study's own UID: a grant told it, or the study is shown in full.
        let isNamed: Bool

        /// Whether a UID means one of the study's own.
        func means(_ uid: String, _ original: String) throws -> Bool {
            try isNamed && uid == original || release.uid(for: original) == uid
        }

        /// One of its counts, over all of its rows.
        func count(_ tag: Tag) -> Int { rows.sum(tag) }
    }

    /// Every such study once, until `body` returns false; in the order of their pseudonyms, for that of their arrival tells dates.
    ///
    /// - Returns: whether there were more than are looked at.
    func each(_ body: (Study) throws -> Bool) throws -> Bool {
        let (uids, isCut) = try all()
        guard let order = releasesInUse.last else { return isCut }
        let ordered = try uids.map { (uid: $0, name: try order.uid(for: $0)) }.sorted { $0.name < $1.name }
        for (uid, _) in ordered {
            guard let study = try study(uid) else { continue }
            guard try body(study) else { return false }
        }
        return isCut
    }

    /// The studies that are shown with these UIDs, or are known by them, each once; in the order of what they are shown with.
    func studies(shownAs named: [String]) throws -> [Study] {
        var found: [String: Study] = [:]
        var sought: Set<String> = []
        func note(_ uid: String) throws { if found[uid] == nil { found[uid] = try study(uid) } }
        let asked = Set(named)
        for uid in asked {
            if isNamed(uid) { try note(uid) }
            switch cause {
            case .granted: if try isNamed(uid) || !rows(uid, Visibility(reach)).isEmpty { continue }
            case .asked: if found[uid] != nil { continue }
            }
            let known = releasesInUse.compactMap { $0.names.original(of: uid) }
            for original in known { try note(original) }
            if known.isEmpty { sought.insert(uid) }
        }
        if !sought.isEmpty {
            let releases = releasesInUse
            for uid in try all().uids where try releases.contains(where: { sought.contains(try $0.uid(for: uid)) }) {
                try note(uid)
            }
        }
        return try found.values.map { (study: $0, name: try $0.release.uid(for: $0.uid)) }
            .filter { $0.study.isNamed || asked.contains($0.name) }
            .sorted { $0.name < $1.name }.map { $0.study }
    }

    /// The UIDs of all that may be shown.
    private func all() throws(ArchiveError) -> (uids: Set<String>, isCut: Bool) {
        var keys = Dataset()
        keys.set(.studyInstanceUID, .UI, bytes: [])
        var uids: Set<String> = []
        var isCut = false
        try archive.find(Query(level: .study, keys: keys, visibility: visibility)) { match in
            guard uids.count < Self.studyLimit else {
                isCut = true
                return false
            }
            if let uid = match.attributes.string(.studyInstanceUID) { uids.insert(uid) }
            return true
        }
        return (uids, isCut)
    }

    /// The rules by which something is shown, the strictest last; without those that cannot be followed.
    private var releasesInUse: [Release] {
        let rules =
            switch cause {
            case .granted(let maskings, let access): maskings.sorted().compactMap { access.releaseRule(for: $0) }
            case .asked(let rule): [rule]
            }
        return rules.compactMap { try? releases.release(by: $0) }
    }

    /// Whether who asks knows a study by its own UID, if it is there.
    private func isNamed(_ uid: String) -> Bool {
        if case .asked = cause { return true }
        return reach.namesMasked(study: uid)
    }

    /// A study by its own UID; nil where nothing of it is shown so.
    private func study(_ uid: String) throws -> Study? {
        let all = try rows(uid, visibility)
        guard !all.isEmpty, let rule = try rule(of: uid, all) else { return nil }
        let release = try releases.release(by: rule)
        _ = try release.shownUID(ofStudy: uid)
        return Study(rows: all, uid: uid, release: release, isNamed: isNamed(uid))
    }

    /// How a study goes out: of what was granted, by the strictest masking of what is shown of it; nil where some of it is
    /// shown in full.
    private func rule(of uid: String, _ all: [Dataset]) throws -> ReleaseRule? {
        let access: Access
        switch cause {
        case .asked(let rule): return rule
        case .granted(_, let held): access = held
        }
        // Other rows under the same UID are another institution's, or another patient's.
        let full = try rows(uid, Visibility(reach))
        guard try full.isEmpty || rows(uid, Visibility(reach, upTo: .deidentified)).count == full.count + all.count
        else { return nil }
        let clinical = try rows(uid, Visibility(maskedOf: reach, upTo: .clinical))
        let isClinical =
            clinical.sum(.numberOfStudyRelatedInstances) == all.sum(.numberOfStudyRelatedInstances)
        return access.releaseRule(for: isClinical ? .clinical : .deidentified)
    }

    private func rows(_ uid: String, _ visibility: Visibility) throws(ArchiveError) -> [Dataset] {
        var keys = Dataset()
        keys.set(.studyInstanceUID, .UI, string: uid)
        var rows: [Dataset] = []
        try archive.find(Query(level: .study, keys: keys, visibility: visibility)) { match in
            rows.append(match.attributes)
            return true
        }
        return rows
    }

    /// What was named by the UIDs with which it is shown, by its own; what is not shown is left out.
    ///
    /// - Parameter limit: the most objects that are looked through.
    /// - Returns: nil where nothing is left.
    public func originals(of named: Names, limit: Int) throws -> Names? {
        var result = Names()
        for study in try studies(shownAs: named.studies) {
            var series: [String] = []
            if !named.series.isEmpty {
                series = try self.series(of: study).filter { original in
                    try named.series.contains { try study.means($0, original) }
                }
                if series.isEmpty { continue }
            }
            if !named.instances.isEmpty {
                let instances = try archive.holdings(
                    patientID: nil, studyInstanceUIDs: [study.uid], seriesInstanceUIDs: series, sopInstanceUIDs: [],
                    visibility: visibility, limit: limit
                ).map(\.sopInstanceUID).filter { original in
                    try named.instances.contains { try study.means($0, original) }
                }
                if instances.isEmpty { continue }
                result.instances += instances
            }
            result.studies.append(study.uid)
            result.series += series
        }
        return result.studies.isEmpty ? nil : result
    }

    private func series(of study: Study) throws(ArchiveError) -> [String] {
        var keys = Dataset()
        keys.set(.studyInstanceUID, .UI, string: study.uid)
        var result: [String] = []
        try archive.find(Query(level: .series, keys: keys, visibility: visibility)) { match in
            if let uid = match.attributes.string(.seriesInstanceUID) { result.append(uid) }
            return true
        }
        return result
    }

    /// UIDs of a retrieval.
    public struct Names: Sendable {
        public var studies: [String]
        public var series: [String]
        public var instances: [String]

        public init(studies: [String] = [], series: [String] = [], instances: [String] = []) {
            self.studies = studies
            self.series = series
            self.instances = instances
        }
    }
}

extension [Dataset] {
    /// A number over all of them.
    fileprivate func sum(_ tag: Tag) -> Int { reduce(0) { $0 + ($1.int(tag) ?? 0) } }
}
