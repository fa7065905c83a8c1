import Access
import Archive
import Catalog
import DICOM

/// What was granted masked, by the names it is shown with. Any thread; everything blocks.
///
/// Nothing of the originals is matched or given, for whoever may ask could otherwise guess it piece by piece. By its own UID a
/// study is known only to whom a grant has named it.
public struct MaskedStudies: Sendable {
    /// Studies that are looked at for one question.
    public static let studyLimit = 10_000

    let archive: Archive
    private let reach: Reach
    private let masked: [Masking: Extent]
    private let releases: Releases
    private let access: Access

    /// - Returns: nil where nothing is reached masked, or nothing of that is released.
    public init?(_ archive: Archive, reach: Reach, releases: Releases, access: Access) {
        guard case .limited(_, let masked) = reach, masked.keys.contains(where: { access.releaseRule(for: $0) != nil })
        else { return nil }
        self.archive = archive
        self.reach = reach
        self.masked = masked
        self.releases = releases
        self.access = access
    }

    /// A study of which nothing is shown in full.
    struct Study {
        /// What the catalogue holds of it, as far as it is shown.
        let rows: [Dataset]
        let uid: String
        let releasedUID: String
        let rule: ReleaseRule
        let release: Release
        /// Whether who asks was told the study's own UID by a grant.
        let isNamed: Bool

        /// Whether a UID means one of the study's own.
        func means(_ uid: String, _ original: String) throws -> Bool {
            try isNamed && uid == original || release.uid(for: original) == uid
        }
    }

    var visibility: Visibility { Visibility(reach, upTo: .deidentified) }

    /// Every such study once, those of wider sight first, until `body` returns false.
    ///
    /// - Returns: whether there were more than are looked at.
    func each(_ body: (Study) throws -> Bool) throws -> Bool {
        var met: Set<String> = []
        for masking in masked.keys.sorted() {
            guard let extent = masked[masking] else { continue }
            var found: [String] = []
            var keys = Dataset()
            keys.set(.studyInstanceUID, .UI, bytes: [])
            try archive.find(
                Query(
                    level: .study, keys: keys, visibility: Visibility(.limited(extent)), limit: Self.studyLimit + 1)
            ) { match in
                if let uid = match.attributes.string(.studyInstanceUID) { found.append(uid) }
                return true
            }
            for uid in found where met.insert(uid).inserted {
                if met.count > Self.studyLimit { return true }
                guard let study = try study(uid) else { continue }
                guard try body(study) else { return false }
            }
        }
        return false
    }

    /// The study that is shown with this UID, or was granted by it; nil where none is.
    func study(shownAs uid: String) throws -> Study? {
        if reach.namesMasked(study: uid), let study = try study(uid) { return study }
        for masking in masked.keys.sorted() {
            guard let rule = access.releaseRule(for: masking) else { continue }
            let names = try releases.release(by: rule).names
            if let known = names.original(of: uid), let study = try study(known), study.releasedUID == uid {
                return study
            }
        }
        var found: Study?
        _ = try each { study in
            if study.releasedUID == uid { found = study }
            return found == nil
        }
        return found
    }

    /// A study by its own UID, with the strictest masking of what is shown of it.
    private func study(_ uid: String) throws -> Study? {
        func rows(_ visibility: Visibility) throws(ArchiveError) -> [Dataset] {
            var keys = Dataset()
            keys.set(.studyInstanceUID, .UI, string: uid)
            var rows: [Dataset] = []
            try archive.find(Query(level: .study, keys: keys, visibility: visibility)) { match in
                rows.append(match.attributes)
                return true
            }
            return rows
        }
        func count(_ rows: [Dataset]) -> Int { rows.reduce(0) { $0 + ($1.int(.numberOfStudyRelatedInstances) ?? 0) } }
        guard try rows(Visibility(reach)).isEmpty else { return nil }
        let all = try rows(visibility)
        guard !all.isEmpty else { return nil }
        let masking: Masking =
            try count(rows(Visibility(reach, upTo: .clinical))) == count(all) ? .clinical : .deidentified
        guard let rule = access.releaseRule(for: masking) else { return nil }
        let release = try releases.release(by: rule)
        let releasedUID = try release.uid(for: uid)
        release.names.keep(releasedUID, for: uid)
        return Study(
            rows: all, uid: uid, releasedUID: releasedUID, rule: rule, release: release,
            isNamed: reach.namesMasked(study: uid))
    }

    /// What was named by the UIDs with which it is shown, by its own.
    ///
    /// - Parameter limit: the most objects that are looked through.
    /// - Returns: nil where a study, series or instance is not shown.
    public func originals(of named: Names, limit: Int) throws -> Names? {
        var result = Names()
        for uid in named.studies {
            guard let study = try study(shownAs: uid) else { return nil }
            result.studies.append(study.uid)
            if !named.series.isEmpty {
                for original in try series(of: study)
                where try named.series.contains(where: { try study.means($0, original) }) {
                    result.series.append(original)
                }
            }
            if !named.instances.isEmpty {
                let held = try archive.holdings(
                    patientID: nil, studyInstanceUIDs: [study.uid], seriesInstanceUIDs: result.series,
                    sopInstanceUIDs: [], visibility: visibility, limit: limit)
                for holding in held
                where try named.instances.contains(where: { try study.means($0, holding.sopInstanceUID) }) {
                    result.instances.append(holding.sopInstanceUID)
                }
            }
        }
        if !named.series.isEmpty && result.series.isEmpty || !named.instances.isEmpty && result.instances.isEmpty {
            return nil
        }
        return result
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
