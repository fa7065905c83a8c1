import Archive
import DICOM

/// What was found of a request's instances. PS3.4 §J.3.3.
struct CommitmentReport: Sendable, Equatable {
    typealias FailureReason = CommitmentFailure

    var transactionUID: String
    var retrieveAETitle: String
    /// With the AE title of who holds it, for what is held elsewhere.
    var committed: [(reference: CommitmentRequest.Reference, holder: String?)] = []
    var failed: [(reference: CommitmentRequest.Reference, reason: FailureReason)] = []

    mutating func note(_ reference: CommitmentRequest.Reference, _ commitment: Commitment) {
        switch commitment {
        case .here: committed.append((reference, nil))
        case .elsewhere(let aeTitle): committed.append((reference, aeTitle))
        case .failed(let reason): failed.append((reference, reason))
        }
    }

    /// 1: everything is committed; 2: some failures exist. PS3.4 §J.3.3.1.
    var eventTypeID: UInt16 { failed.isEmpty ? 1 : 2 }

    /// The Event Information. PS3.4 Table J.3-2.
    var information: Dataset {
        var result = Dataset()
        result.set(.transactionUID, .UI, strings: [transactionUID])
        result.set(.retrieveAETitle, .AE, strings: [retrieveAETitle])
        if !committed.isEmpty {
            result.set(
                .referencedSOPSequence,
                items: committed.map { entry in
                    var item = Self.item(entry.reference)
                    if let holder = entry.holder { item.set(.retrieveAETitle, .AE, strings: [holder]) }
                    return item
                })
        }
        if !failed.isEmpty {
            result.set(
                .failedSOPSequence,
                items: failed.map { entry in
                    var item = Self.item(entry.reference)
                    item.set(.failureReason, .US, ints: [Int(entry.reason.rawValue)])
                    return item
                })
        }
        return result
    }

    private static func item(_ reference: CommitmentRequest.Reference) -> Dataset {
        var item = Dataset()
        item.set(.referencedSOPClassUID, .UI, strings: [reference.sopClassUID])
        item.set(.referencedSOPInstanceUID, .UI, strings: [reference.sopInstanceUID])
        return item
    }

    static func == (a: CommitmentReport, b: CommitmentReport) -> Bool { a.information.isSame(as: b.information) }
}

extension Dataset {
    fileprivate func isSame(as other: Dataset) -> Bool {
        encoded(transferSyntax: .explicitVRLittleEndian) == other.encoded(transferSyntax: .explicitVRLittleEndian)
    }
}
