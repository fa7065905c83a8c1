import Archive
import DICOM

/// What was found of a request's instances. PS3.4 §J.3.3.
struct CommitmentReport: Sendable, Equatable {
    typealias FailureReason = CommitmentFailure

    var transactionUID: String
    var retrieveAETitle: String
    var committed: [CommitmentRequest.Reference] = []
    var failed: [(reference: CommitmentRequest.Reference, reason: FailureReason)] = []

    /// 1: everything is committed; 2: some failures exist. PS3.4 §J.3.3.1.
    var eventTypeID: UInt16 { failed.isEmpty ? 1 : 2 }

    /// The Event Information. PS3.4 Table J.3-2.
    var information: Dataset {
        var result = Dataset()
        result.set(.transactionUID, .UI, strings: [transactionUID])
        result.set(.retrieveAETitle, .AE, strings: [retrieveAETitle])
        if !committed.isEmpty { result.set(.referencedSOPSequence, items: committed.map(Self.item)) }
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
