import DICOM

/// What a requester of storage commitment names. PS3.4 §J.3.2.1.
struct CommitmentRequest: Sendable, Equatable, Codable {
    struct Reference: Sendable, Hashable, Codable {
        var sopClassUID: String
        var sopInstanceUID: String
    }

    /// References of one request.
    static let referenceLimit = 100_000
    /// Bytes of one request's data set.
    static let byteCountLimit = 16 << 20
    /// The one instance of the push model. PS3.4 §J.3.5.
    static let wellKnownInstance = "1.2.840.10008.1.20.1.1"
    /// Request Storage Commitment. PS3.4 §J.3.2.1.1.
    static let actionTypeID: UInt16 = 1

    var transactionUID: String
    var references: [Reference]

    /// Reads the Action Information; nil when a mandatory attribute is missing or its value is none.
    init?(_ information: Dataset) {
        guard let transaction = information.string(.transactionUID), UIDs.isValid(transaction),
            case .items(let items) = information[.referencedSOPSequence]?.value,
            (1...Self.referenceLimit).contains(items.count)
        else { return nil }
        transactionUID = transaction
        references = []
        references.reserveCapacity(items.count)
        for item in items {
            guard let sopClass = item.string(.referencedSOPClassUID), UIDs.isValid(sopClass),
                let instance = item.string(.referencedSOPInstanceUID), UIDs.isValid(instance)
            else { return nil }
            references.append(Reference(sopClassUID: sopClass, sopInstanceUID: instance))
        }
    }
}

/// A request with who made it, as it lies in the queue.
struct CommitmentWork: Sendable, Equatable, Codable {
    static let kind = "commit"
    /// What its lane is called beside the requester's AE title: reports do not wait behind objects.
    static let lanePrefix = "commitment to "

    var request: CommitmentRequest
    var callingAETitle: String
    var institution: String
}
