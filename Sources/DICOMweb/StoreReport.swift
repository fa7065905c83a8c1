import Archive
import DICOM

/// What became of the objects of one store request. PS3.18 §10.5.3.
struct StoreReport {
    private var stored: [Dataset] = []
    private var failed: [Dataset] = []
    private var other: [Dataset] = []
    private var studies: Set<String> = []
    private let base: String

    /// - Parameter base: address of the service, for Retrieve URL (0008,1190).
    init(base: String) { self.base = base }

    /// Stored objects about which something is to be said.
    private(set) var warnedCount = 0

    var storedCount: Int { stored.count }
    var failedCount: Int { failed.count + other.count }

    /// - Parameter warning: Warning Reason (0008,1196). PS3.18 §I.2.1.
    mutating func add(stored identity: InstanceIdentity, warning: Int? = nil) {
        var item = Self.reference(identity.sopClassUID, identity.sopInstanceUID)
        let path = ResourcePath(
            study: identity.studyInstanceUID, series: identity.seriesInstanceUID, instance: identity.sopInstanceUID)
        item.set(.retrieveURL, .UR, string: base + path.text)
        if let warning {
            item.set(.warningReason, .US, ints: [warning])
            warnedCount += 1
        }
        stored.append(item)
        studies.insert(identity.studyInstanceUID)
    }

    /// - Parameter sopClassUID: nil, with the other, when the object does not tell.
    mutating func add(failed reason: Int, sopClassUID: String?, sopInstanceUID: String?) {
        guard let sopClassUID, let sopInstanceUID, !sopInstanceUID.isEmpty else {
            var item = Dataset()
            item.set(.failureReason, .US, ints: [reason])
            other.append(item)
            return
        }
        var item = Self.reference(sopClassUID, sopInstanceUID)
        item.set(.failureReason, .US, ints: [reason])
        failed.append(item)
    }

    private static func reference(_ sopClassUID: String, _ sopInstanceUID: String) -> Dataset {
        var item = Dataset()
        item.set(.referencedSOPClassUID, .UI, string: sopClassUID)
        item.set(.referencedSOPInstanceUID, .UI, string: sopInstanceUID)
        return item
    }

    /// The answer's dataset.
    var dataset: Dataset {
        var result = Dataset()
        if let study = studies.first, studies.count == 1 {
            result.set(.retrieveURL, .UR, string: base + ResourcePath(study: study).text)
        }
        if !failed.isEmpty { result.set(.failedSOPSequence, items: failed) }
        if !stored.isEmpty { result.set(.referencedSOPSequence, items: stored) }
        if !other.isEmpty { result.set(.otherFailuresSequence, items: other) }
        return result
    }
}
