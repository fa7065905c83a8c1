import DICOM

/// A command set, PS3.7 §6.3: group 0000 in implicit VR little endian.
public struct Command: Sendable {
    /// Command Field (0000,0100), PS3.7 §E.1-1.
    public enum Field: UInt16, Sendable {
        case storeRequest = 0x0001
        case storeResponse = 0x8001
        case getRequest = 0x0010
        case getResponse = 0x8010
        case findRequest = 0x0020
        case findResponse = 0x8020
        case moveRequest = 0x0021
        case moveResponse = 0x8021
        case echoRequest = 0x0030
        case echoResponse = 0x8030
        case eventReportRequest = 0x0100
        case eventReportResponse = 0x8100
        case actionRequest = 0x0130
        case actionResponse = 0x8130
        case cancelRequest = 0x0FFF

        var verb: String {
            switch self {
            case .storeRequest, .storeResponse: "store"
            case .getRequest, .getResponse: "get"
            case .findRequest, .findResponse: "find"
            case .moveRequest, .moveResponse: "move"
            case .echoRequest, .echoResponse: "echo"
            case .cancelRequest: "cancel"
            case .eventReportRequest, .eventReportResponse: "report"
            case .actionRequest, .actionResponse: "commit"
            }
        }
    }

    /// Command Data Set Type (0000,0800) that says that none follows.
    private static let noDataSet: UInt16 = 0x0101
    /// The largest command set that is read; real ones have a few hundred bytes.
    static let byteCountLimit = 64 * 1024

    public var attributes: Dataset

    init(_ attributes: Dataset) { self.attributes = attributes }

    /// A request.
    init(_ field: Field, messageID: UInt16, sopClassUID: String, hasDataSet: Bool) {
        attributes = Dataset()
        attributes.set(.affectedSOPClassUID, .UI, strings: [sopClassUID])
        set(.commandField, field.rawValue)
        set(.messageID, messageID)
        self.hasDataSet = hasDataSet
    }

    /// An N-EVENT-REPORT of the Storage Commitment Push Model. PS3.7 §10.1.1, PS3.4 §J.3.3.
    init(reporting eventTypeID: UInt16, messageID: UInt16) {
        self.init(
            .eventReportRequest, messageID: messageID, sopClassUID: SOPClass.storageCommitmentPushModel,
            hasDataSet: true)
        affectedSOPInstanceUID = CommitmentRequest.wellKnownInstance
        set(.eventTypeID, eventTypeID)
    }

    /// The response to `request`.
    init(answering request: Command, status: Status, hasDataSet: Bool = false) {
        attributes = Dataset()
        if let uid = request.affectedSOPClassUID ?? request.attributes.string(.requestedSOPClassUID) {
            attributes.set(.affectedSOPClassUID, .UI, strings: [uid])
        }
        set(.commandField, request.fieldNumber | 0x8000)
        set(.messageIDBeingRespondedTo, request.messageID)
        set(.status, status.rawValue)
        self.hasDataSet = hasDataSet
        if request.field == .storeRequest, let uid = request.affectedSOPInstanceUID {
            attributes.set(.affectedSOPInstanceUID, .UI, strings: [uid])
        }
        if request.field == .actionRequest {
            if let uid = request.requestedSOPInstanceUID {
                attributes.set(.affectedSOPInstanceUID, .UI, strings: [uid])
            }
            if let type = request.actionTypeID { set(.actionTypeID, type) }
        }
    }

    private mutating func set(_ tag: Tag, _ value: UInt16) {
        attributes.set(tag, .US, bytes: [UInt8(value & 0xFF), UInt8(value >> 8)])
    }

    private func number(_ tag: Tag) -> UInt16? { attributes.int(tag).flatMap { UInt16(exactly: $0) } }

    public var field: Field? { number(.commandField).flatMap(Field.init) }

    /// Command Field as it came, for requests of services that are not offered.
    var fieldNumber: UInt16 { number(.commandField) ?? 0 }

    /// Whether this asks for an answer. Responses have the top bit; C-CANCEL gets no answer.
    var isRequest: Bool { fieldNumber & 0x8000 == 0 && field != .cancelRequest && attributes.contains(.messageID) }
    public var messageID: UInt16 { number(.messageID) ?? 0 }
    public var messageIDBeingRespondedTo: UInt16 { number(.messageIDBeingRespondedTo) ?? 0 }
    public var affectedSOPClassUID: String? { attributes.string(.affectedSOPClassUID) }

    public var affectedSOPInstanceUID: String? {
        get { attributes.string(.affectedSOPInstanceUID) }
        set { attributes.set(.affectedSOPInstanceUID, .UI, strings: newValue.map { [$0] } ?? []) }
    }

    public var requestedSOPInstanceUID: String? { attributes.string(.requestedSOPInstanceUID) }
    public var actionTypeID: UInt16? { number(.actionTypeID) }
    public var eventTypeID: UInt16? { number(.eventTypeID) }

    public var moveDestination: String? {
        get { attributes.string(.moveDestination) }
        set { attributes.set(.moveDestination, .AE, strings: newValue.map { [$0] } ?? []) }
    }

    public var status: Status? { number(.status).map { Status(rawValue: $0) } }

    var hasDataSet: Bool {
        get { number(.commandDataSetType) != Self.noDataSet }
        set { set(.commandDataSetType, newValue ? 0x0000 : Self.noDataSet) }
    }

    /// Priority (0000,0700): medium.
    mutating func setPriority() { set(.priority, 0) }

    /// For a C-STORE that a C-MOVE caused. PS3.7 §9.3.1.1.
    mutating func setMoveOriginator(aeTitle: String, messageID: UInt16) {
        attributes.set(.moveOriginatorApplicationEntityTitle, .AE, strings: [aeTitle])
        set(.moveOriginatorMessageID, messageID)
    }

    /// A sentence for the operator at the other end, at most 64 characters, without patient data.
    mutating func setErrorComment(_ text: String) {
        attributes.set(.errorComment, .LO, strings: [String(text.prefix(64))])
    }

    /// Numbers of sub-operations. PS3.4 §C.4.2.1.6.
    mutating func set(_ counts: SubOperationCounts, withRemaining: Bool) {
        if withRemaining { set(.numberOfRemainingSuboperations, UInt16(clamping: counts.remaining)) }
        set(.numberOfCompletedSuboperations, UInt16(clamping: counts.completed))
        set(.numberOfFailedSuboperations, UInt16(clamping: counts.failed))
        set(.numberOfWarningSuboperations, UInt16(clamping: counts.warning))
    }

    var subOperationCounts: SubOperationCounts {
        SubOperationCounts(
            remaining: Int(number(.numberOfRemainingSuboperations) ?? 0),
            completed: Int(number(.numberOfCompletedSuboperations) ?? 0),
            failed: Int(number(.numberOfFailedSuboperations) ?? 0),
            warning: Int(number(.numberOfWarningSuboperations) ?? 0))
    }

    /// The bytes on the wire, led by the group length. PS3.7 §6.3.1.
    func encoded() -> [UInt8] {
        let body = attributes.encoded(transferSyntax: .implicitVRLittleEndian)
        let count = UInt32(body.count)
        return [0, 0, 0, 0, 4, 0, 0, 0] + (0..<4).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) } + body
    }

    /// Reads a command set.
    init(bytes: [UInt8]) throws(ParseError) {
        attributes = try Dataset.parse(bytes, transferSyntax: .implicitVRLittleEndian)
        attributes.remove(.commandGroupLength)
    }
}

/// How far the sub-operations of a retrieval are.
public struct SubOperationCounts: Sendable, Equatable {
    public var remaining = 0
    public var completed = 0
    public var failed = 0
    public var warning = 0
}
