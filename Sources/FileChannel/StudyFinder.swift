import Access
import Archive
import Catalog
import DICOM
import SFTP

/// Finds the studies that somebody may retrieve, the latest of them.
struct StudyFinder {
    let archive: Archive
    /// The most that are given.
    let limit: Int
    /// Whether what is granted with a masking can be shown.
    let shows: (Masking) -> Bool

    /// Goes through all that is reached; holds twice the limit of them.
    func listing(
        _ reach: Reach, name: (StudyTree.Study) throws -> OpaqueName
    ) throws -> StudyTree.Listing<StudyTree.Study> {
        var found: [StudyTree.Study] = []
        var inFull: Set<String> = []
        var masked: [Masking: Extent] = [:]
        if case .limited(_, let extents) = reach { masked = extents.filter { shows($0.key) } }
        try each(Visibility(reach)) { uid in
            if !masked.isEmpty { inFull.insert(uid) }
            add(StudyTree.Study(uid: uid, isMasked: false), to: &found)
        }
        for (_, extent) in masked.sorted(by: { $0.key < $1.key }) {
            try each(Visibility(.limited(extent))) { uid in
                guard inFull.insert(uid).inserted else { return }
                add(StudyTree.Study(uid: uid, isMasked: true), to: &found)
            }
        }
        var listing = StudyTree.Listing<StudyTree.Study>()
        for study in found.suffix(limit) { listing.add(try name(study), study) }
        return listing
    }

    private func each(_ visibility: Visibility, _ body: (String) -> Void) throws {
        var keys = Dataset()
        keys.set(.studyInstanceUID, .UI, bytes: [])
        try archive.find(Query(level: .study, keys: keys, visibility: visibility)) { match in
            if let uid = match.attributes.string(.studyInstanceUID) { body(uid) }
            return true
        }
    }

    private func add(_ study: StudyTree.Study, to found: inout [StudyTree.Study]) {
        if found.count >= 2 * limit { found.removeFirst(limit) }
        found.append(study)
    }
}
