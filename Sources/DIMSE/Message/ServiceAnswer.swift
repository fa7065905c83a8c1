/// Requests that are answered here.
public enum MessageService: String, CaseIterable, Sendable {
    case echo = "C-ECHO"
    case store = "C-STORE"
    case find = "C-FIND"
    case move = "C-MOVE"
    case get = "C-GET"
    case commitment = "N-ACTION"

    /// Nil for requests of services that are not offered.
    init?(_ field: Command.Field?) {
        switch field {
        case .echoRequest: self = .echo
        case .storeRequest: self = .store
        case .findRequest: self = .find
        case .moveRequest: self = .move
        case .getRequest: self = .get
        case .actionRequest: self = .commitment
        default: return nil
        }
    }
}

/// Everything that a response says: responses are made of it, and so are the tables of the conformance statement.
/// PS3.7 Annex C, PS3.4.
public enum ServiceAnswer: CaseIterable, Sendable {
    case success, pending, pendingWithUnsupportedKeys, cancelled
    case someFailed, allFailed
    case differs, unwanted, unidentified, unreadable, bound, damaged, gone, notTranscodable
    case quarantined
    case diskFull, notRecorded, stopping, storageFailed, notAllowed
    case unknownLevel, uniqueKeyMissing, tooManyMatches, tooManyObjects
    case destinationUnknown, destinationPlain
    case otherInstance, otherAction, badReferences, notKept
    case noService

    public var status: Status {
        switch self {
        case .success: .success
        case .pending: .pending
        case .pendingWithUnsupportedKeys: .pendingWithUnsupportedKeys
        case .cancelled: .cancelled
        case .someFailed: .subOperationsWithFailures
        case .allFailed: .outOfResourcesForSubOperations
        case .differs: .duplicateSOPInstance
        case .unwanted, .unidentified, .unknownLevel, .uniqueKeyMissing: .dataSetDoesNotMatchSOPClass
        case .unreadable, .bound: .cannotUnderstand
        case .gone, .notTranscodable, .quarantined: .unableToProcess
        case .diskFull, .notRecorded, .stopping, .tooManyMatches: .outOfResources
        case .notAllowed: .notAuthorized
        case .damaged, .storageFailed, .notKept: .processingFailure
        case .tooManyObjects: .outOfResourcesForMatches
        case .destinationUnknown, .destinationPlain: .moveDestinationUnknown
        case .otherInstance: .noSuchSOPInstance
        case .otherAction: .noSuchAction
        case .badReferences: .invalidArgumentValue
        case .noService: .unrecognizedOperation
        }
    }

    /// Error Comment (0000,0902) for the operator at the other end; nil where there is no error, or none of ours.
    var comment: String? {
        switch self {
        case .success, .pending, .pendingWithUnsupportedKeys, .cancelled, .someFailed, .allFailed, .noService: nil
        default: about
        }
    }

    /// What it means, in at most 64 characters.
    public var about: String {
        switch self {
        case .success: "done"
        case .pending: "a match, or how far the sub-operations are"
        case .pendingWithUnsupportedKeys: "a match; a key is not in the table"
        case .cancelled: "cancelled"
        case .someFailed: "some sub-operations failed, or warned"
        case .allFailed: "all sub-operations failed"
        case .differs: "other content is held under this UID and stays"
        case .unwanted: "not what was announced"
        case .unidentified: "SOP class or instance UID is missing"
        case .unreadable: "no data set in the announced transfer syntax"
        case .bound: "the object breaks a bound of the reader"
        case .damaged: "stored bytes are damaged"
        case .gone: "not found"
        case .notTranscodable: "not to be had in the transfer syntax"
        case .quarantined: "not to be de-identified for certain, so not kept"
        case .diskFull: "the disk is full"
        case .notRecorded: "the act cannot be recorded"
        case .notAllowed: "not allowed"
        case .stopping: "the service is stopping"
        case .storageFailed: "storage failed, see the server's log"
        case .unknownLevel: "no such query level"
        case .uniqueKeyMissing: "the unique key of the level is missing"
        case .tooManyMatches: "more matches than the limit"
        case .tooManyObjects: "more objects than the limit"
        case .destinationUnknown: "the destination is no known peer"
        case .destinationPlain: "the destination allows no plain DICOM"
        case .otherInstance: "not the instance of the push model"
        case .otherAction: "the push model has one action"
        case .badReferences: "transaction or references are missing or too many"
        case .notKept: "the request could not be kept"
        case .noService: "the request belongs to no service we offer"
        }
    }

    /// What answers so; in a debug build every response is held to it.
    public var services: Set<MessageService> {
        switch self {
        case .success, .noService: Set(MessageService.allCases)
        case .pending, .cancelled, .unknownLevel: [.find, .move, .get]
        case .pendingWithUnsupportedKeys, .tooManyMatches: [.find]
        case .someFailed, .allFailed, .uniqueKeyMissing, .tooManyObjects: [.move, .get]
        case .differs, .unwanted, .unidentified, .unreadable, .bound, .damaged, .gone, .notTranscodable,
            .quarantined:
            [.store]
        case .diskFull, .stopping, .storageFailed: [.store, .find, .move, .get]
        case .notRecorded: [.store, .find, .move, .get, .commitment]
        case .notAllowed: [.store, .find, .move, .get, .commitment]
        case .destinationUnknown, .destinationPlain: [.move]
        case .otherInstance, .otherAction, .badReferences, .notKept: [.commitment]
        }
    }
}

extension Command {
    /// The response to `request` that says this.
    init(answering request: Command, _ answer: ServiceAnswer, hasDataSet: Bool = false) {
        assert(MessageService(request.field).map(answer.services.contains) ?? (answer == .noService))
        self.init(answering: request, status: answer.status, hasDataSet: hasDataSet)
        if let comment = answer.comment { setErrorComment(comment) }
    }
}
