import Access
import Archive
import Audit
import Catalog
import DICOM
import Release
import SFTP

/// What one client may retrieve, as directories: studies, their series, their objects. Decided anew for each request; what
/// is kept between requests are names alone, as long as the decision stays the same. Used by one thread.
final class StudyTree {
    /// Series of which the names are kept at a time, and studies.
    static let listingLimit = 8
    /// Objects of one series.
    static let objectLimit = 100_000

    struct Study {
        let uid: String
        /// Nothing of it is shown in full.
        let isMasked: Bool
    }

    /// Names in their order, and what they stand for.
    struct Listing<Value> {
        var names: [OpaqueName] = []
        var values: [OpaqueName: Value] = [:]

        mutating func add(_ name: OpaqueName, _ value: Value) {
            if values.updateValue(value, forKey: name) == nil { names.append(name) }
        }
    }

    private struct SeriesName: Hashable {
        let study: OpaqueName
        let series: OpaqueName
    }

    let door: FileDoor
    let caller: FileCaller
    private var reach: Reach?
    private var studies: Listing<Study>?
    private var studiesSince = Standing()
    private var series: [OpaqueName: Listing<String>] = [:]
    private var objects: [SeriesName: Listing<Holding>] = [:]

    init(_ door: FileDoor, _ caller: FileCaller) {
        self.door = door
        self.caller = caller
    }

    // MARK: Looking

    func attributes(of place: ShownPlace) throws -> FileAttributes {
        let reach = try current()
        switch place {
        case .studies: return .directory
        case .index: return .file(nil)
        case .study(let name):
            _ = try study(name, reach)
            return .directory
        case .series(let study, let name):
            _ = try seriesUID(name, of: study, reach)
            return .directory
        case .object(let studyName, let seriesName, let name):
            let study = try study(studyName, reach)
            return .file(byteCount(of: try holding(name, studyName, seriesName, reach), study))
        }
    }

    /// The entries of a directory, on the record as a search.
    func entries(of place: ShownPlace) throws -> [FileEntry] {
        let reach = try current()
        switch place {
        case .studies:
            try note("STUDY")
            let index = caller.may(.search) ? [FileEntry.index] : []
            return index + (try loadStudies(reach).names.map(\.directoryEntry))
        case .study(let name):
            let study = try study(name, reach)
            try note("SERIES StudyInstanceUID=\(study.uid)")
            return try loadSeries(of: name, study, reach).names.map(\.directoryEntry)
        case .series(let studyName, let name):
            let study = try study(studyName, reach)
            let uid = try seriesUID(name, of: studyName, reach)
            try note("IMAGE StudyInstanceUID=\(study.uid) SeriesInstanceUID=\(uid)")
            let listing = try loadObjects(of: SeriesName(study: studyName, series: name), study, uid, reach)
            return listing.names.compactMap { name in
                listing.values[name].map { name.objectEntry(byteCount(of: $0, study)) }
            }
        case .index, .object: throw FileFailure.notThere
        }
    }

    private func note(_ query: String) throws { try caller.note(.searched, [AuditObject(.query, query)]) }

    /// Nil where it shows only once the object is made.
    private func byteCount(of holding: Holding, _ study: Study) -> UInt64? {
        study.isMasked || door.archive.hasCorrections ? nil : UInt64(holding.head.count) + holding.byteCount
    }

    // MARK: Opening

    /// Opens a file; on the record when it returns.
    func open(_ place: ShownPlace) throws -> FileDownload {
        let reach = try current()
        switch place {
        case .index: return try openIndex(reach)
        case .object(let studyName, let seriesName, let name):
            let study = try study(studyName, reach)
            let seriesUID = try seriesUID(seriesName, of: studyName, reach)
            let held = try holding(name, studyName, seriesName, reach)
            func shown() throws -> (Holding, ReleaseRule?) { try self.shown(held, of: study, seriesUID) }
            let (holding, rule) = try shown()
            try caller.note(
                .accessed, AuditObject.objects(of: [holding]), instanceCount: 1, reason: rule?.words ?? "")
            return try download(holding, rule) { _ = try shown() }
        case .studies, .study, .series: throw FileFailure.notThere
        }
    }

    private func openIndex(_ reach: Reach) throws -> FileDownload {
        let seen = try caller.reach(.search)
        try note("STUDY")
        let spool = try StudyIndex(archive: door.archive, studies: try loadStudies(reach)).written(
            as: Visibility(seen))
        return FileDownload(SpooledFile(spool: spool)) { [caller] in _ = try caller.reach(.search) }
    }

    private func download(
        _ holding: Holding, _ rule: ReleaseRule?, check: @escaping () throws -> Void
    ) throws -> FileDownload {
        let archive = door.archive
        let object = try archive.open(holding)
        if let rule {
            let released = try door.releases.release(by: rule).released(object, through: PieceBuffer())
            return FileDownload(head: released.fileMeta, ReleasedFile(instance: released), check: check)
        }
        guard try archive.isCorrected(object) else {
            return FileDownload(head: holding.head, StoredFile(object), check: check)
        }
        let spool = try archive.spool()
        try archive.write(object, through: PieceBuffer()) { try spool.append($0) }
        return FileDownload(head: holding.head, SpooledFile(spool: spool), check: check)
    }

    // MARK: Deciding

    /// What may be retrieved now; names that were found under another decision are forgotten.
    private func current() throws -> Reach {
        let now = try caller.reach(.retrieve)
        if now != reach {
            studies = nil
            series = [:]
            objects = [:]
            reach = now
        }
        return now
    }

    /// An object as it may be retrieved now, and how it is de-identified.
    ///
    /// - Throws: when it is there no more, or out of reach, which is recorded.
    private func shown(_ held: Holding, of study: Study, _ seriesUID: String) throws -> (Holding, ReleaseRule?) {
        let reach = try current()
        let archive = door.archive
        if !study.isMasked {
            let found = try archive.holdings(
                patientID: nil, studyInstanceUIDs: [study.uid], seriesInstanceUIDs: [seriesUID],
                sopInstanceUIDs: [held.sopInstanceUID], visibility: Visibility(reach), limit: 2)
            if let holding = found.first(where: { $0.sequence == held.sequence }) { return (holding, nil) }
        } else if try !isInFull(study.uid, reach),
            let (masking, found) = try archive.masked(
                patientID: nil, studyInstanceUIDs: [study.uid], seriesInstanceUIDs: [seriesUID],
                sopInstanceUIDs: [held.sopInstanceUID], reach: reach, limit: 2),
            let holding = found.first(where: { $0.sequence == held.sequence })
        {
            guard let rule = door.access.releaseRule(for: masking) else {
                throw try caller.refusal(.retrieve, Archive.maskedRule, [AuditObject(.study, study.uid)])
            }
            return (holding, rule)
        }
        _ = try caller.refusal(.retrieve, "nothing of what was named is reached", [AuditObject(.study, study.uid)])
        throw FileFailure.notThere
    }

    /// Whether anything of a study is shown in full: then nothing of it is shown masked.
    private func isInFull(_ uid: String, _ reach: Reach) throws -> Bool {
        try !door.archive.holdings(
            patientID: nil, studyInstanceUIDs: [uid], seriesInstanceUIDs: [], sopInstanceUIDs: [],
            visibility: Visibility(reach), limit: 1
        ).isEmpty
    }

    private func visibility(_ study: Study, _ reach: Reach) -> Visibility {
        Visibility(reach, upTo: study.isMasked ? .deidentified : .full)
    }

    // MARK: Names

    private func name(_ kind: OpaqueNames.Kind, _ text: String, isMasked: Bool) throws -> OpaqueName {
        try door.names.name(kind, text, isMasked: isMasked, for: caller.permit.institution)
    }

    private func study(_ name: OpaqueName, _ reach: Reach) throws -> Study {
        if let found = studies?.values[name] { return found }
        // Who tries names out does not have everything listed each time.
        var isDue = studies == nil
        try studiesSince.renew { isDue = true }
        guard isDue, let found = try loadStudies(reach).values[name] else { throw FileFailure.notThere }
        return found
    }

    private func seriesUID(_ name: OpaqueName, of studyName: OpaqueName, _ reach: Reach) throws -> String {
        if let found = series[studyName]?.values[name] { return found }
        guard let found = try loadSeries(of: studyName, try study(studyName, reach), reach).values[name] else {
            throw FileFailure.notThere
        }
        return found
    }

    private func holding(
        _ name: OpaqueName, _ studyName: OpaqueName, _ seriesName: OpaqueName, _ reach: Reach
    ) throws -> Holding {
        let key = SeriesName(study: studyName, series: seriesName)
        if let found = objects[key]?.values[name] { return found }
        let study = try study(studyName, reach)
        let uid = try seriesUID(seriesName, of: studyName, reach)
        guard let found = try loadObjects(of: key, study, uid, reach).values[name] else { throw FileFailure.notThere }
        return found
    }

    private func loadStudies(_ reach: Reach) throws -> Listing<Study> {
        let listing = try StudyFinder(
            archive: door.archive, limit: door.settings.studyLimit,
            shows: { [access = door.access] in access.releaseRule(for: $0) != nil }
        ).listing(reach) { try name(.study, $0.uid, isMasked: $0.isMasked) }
        studies = listing
        studiesSince = Standing()
        return listing
    }

    private func loadSeries(of name: OpaqueName, _ study: Study, _ reach: Reach) throws -> Listing<String> {
        if study.isMasked, try isInFull(study.uid, reach) { throw FileFailure.notThere }
        var keys = Dataset()
        keys.set(.studyInstanceUID, .UI, string: study.uid)
        keys.set(.seriesInstanceUID, .UI, bytes: [])
        var uids: [String] = []
        try door.archive.find(
            Query(level: .series, keys: keys, visibility: visibility(study, reach), limit: Self.objectLimit)
        ) { match in
            if let uid = match.attributes.string(.seriesInstanceUID) { uids.append(uid) }
            return true
        }
        guard !uids.isEmpty else { throw FileFailure.notThere }
        var listing = Listing<String>()
        for uid in uids { listing.add(try self.name(.series, uid, isMasked: study.isMasked), uid) }
        if series.count >= Self.listingLimit { series = [:] }
        series[name] = listing
        return listing
    }

    private func loadObjects(
        of name: SeriesName, _ study: Study, _ seriesUID: String, _ reach: Reach
    ) throws -> Listing<Holding> {
        if study.isMasked, try isInFull(study.uid, reach) { throw FileFailure.notThere }
        let found = try door.archive.holdings(
            patientID: nil, studyInstanceUIDs: [study.uid], seriesInstanceUIDs: [seriesUID], sopInstanceUIDs: [],
            visibility: visibility(study, reach), limit: Self.objectLimit + 1)
        guard found.count <= Self.objectLimit else {
            throw FileFailure(status: .failure, text: "a series of more than \(Self.objectLimit) objects is not listed")
        }
        var listing = Listing<Holding>()
        for holding in found {
            // By its content: what takes its place has another name, so that nobody puts halves of two together.
            listing.add(try self.name(.object, "\(holding.sequence)", isMasked: study.isMasked), holding)
        }
        if objects.count >= Self.listingLimit { objects = [:] }
        objects[name] = listing
        return listing
    }
}

extension Holding {
    /// What a file of the object begins with. PS3.10 §7.1.
    fileprivate var head: [UInt8] {
        Part10.header(
            sopClassUID: sopClassUID, sopInstanceUID: sopInstanceUID,
            transferSyntax: TransferSyntax(uid: transferSyntaxUID))
    }
}
