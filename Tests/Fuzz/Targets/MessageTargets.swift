import DICOM

@testable import DIMSE

/// Encodings of a message's data set. PS3.5 §10.
let messageSyntaxes: [TransferSyntax] = [
    .implicitVRLittleEndian, .explicitVRLittleEndian, .explicitVRBigEndian, .deflatedExplicitVRLittleEndian,
]

extension FuzzTarget {
    /// A command set of every kind, and its answer.
    static let command = FuzzTarget("command", byteCountLimit: 4096) { _ in
        commandSeeds()
    } run: { input in
        guard let read = try? Command(bytes: input) else { return }
        try checkCommand(read)
        // Half a number is none until it is written, which pads it.
        guard let command = try? Command(bytes: read.encoded()) else { return }
        let again = try Command(bytes: command.encoded())
        try require(again.field == command.field, "a command that is sent on is another")
        try require(again.messageID == command.messageID, "a command that is sent on has another number")
        try require(again.affectedSOPInstanceUID == command.affectedSOPInstanceUID, "it names another instance")
        var answer = Command(answering: command, status: command.status ?? .success)
        answer.setErrorComment(command.moveDestination ?? "")
        answer.set(command.subOperationCounts, withRemaining: true)
        let answered = try Command(bytes: answer.encoded())
        try require(!answered.isRequest && !answered.hasDataSet, "an answer is no answer")
        try require(answered.messageIDBeingRespondedTo == command.messageID, "an answer answers something else")
        try require(answered.subOperationCounts == command.subOperationCounts, "counts do not come back")
        try require(answered.status == command.status ?? .success, "a status does not come back")
        try checkCommand(answered)
    }

    /// What a requester of storage commitment names.
    static let commitment = FuzzTarget("commitment") { _ in
        messageSyntaxes.dropLast().enumerated().map { [UInt8($0.offset)] + commitmentSeed($0.element) }
    } run: { input in
        var reader = InputReader(input)
        let syntax = reader.choice(messageSyntaxes)
        guard let information = try? Dataset.parse(Array(reader.rest), transferSyntax: syntax, limits: tightLimits),
            let request = CommitmentRequest(information)
        else { return }
        try require((1...CommitmentRequest.referenceLimit).contains(request.references.count), "too many references")
        for reference in request.references {
            let isSound = UIDs.isValid(reference.sopClassUID) && UIDs.isValid(reference.sopInstanceUID)
            try require(isSound, "something that is no UID was taken for one")
        }
        let report = CommitmentReport(
            transactionUID: request.transactionUID, retrieveAETitle: "HUIZHEN",
            committed: request.references.map { ($0, "NORTH") },
            failed: request.references.map { ($0, .noSuchObjectInstance) })
        let sent = report.information.encoded(transferSyntax: syntax.isDeflated ? .explicitVRLittleEndian : syntax)
        let read = try Dataset.parse(sent, transferSyntax: syntax.isDeflated ? .explicitVRLittleEndian : syntax)
        try require(CommitmentRequest(read)?.references == request.references, "the report names other instances")
    }
}

/// Looks at everything a command can say.
private func checkCommand(_ command: Command) throws {
    let words = [
        command.affectedSOPClassUID, command.affectedSOPInstanceUID, command.requestedSOPInstanceUID,
        command.moveDestination, command.field?.verb, command.status?.label, command.status?.description,
    ]
    let numbers = [command.actionTypeID, command.eventTypeID, command.messageIDBeingRespondedTo]
    try require(words.count + numbers.count == 10, "something is missing")
    try require(!(command.isRequest && command.field == .cancelRequest), "a cancellation asks for an answer")
    let counts = command.subOperationCounts
    try require(min(counts.remaining, counts.completed, counts.failed, counts.warning) >= 0, "a count is negative")
}

/// One of each command, as it goes over the wire.
func commandSeeds() -> [[UInt8]] {
    let fields: [Command.Field] = [
        .storeRequest, .storeResponse, .getRequest, .getResponse, .findRequest, .findResponse, .moveRequest,
        .moveResponse, .echoRequest, .echoResponse, .eventReportRequest, .eventReportResponse, .actionRequest,
        .actionResponse, .cancelRequest,
    ]
    return fields.map { field in
        var command = Command(field, messageID: 7, sopClassUID: SOPClass.verification, hasDataSet: true)
        command.setPriority()
        switch field {
        case .moveRequest: command.moveDestination = "ELSEWHERE"
        case .storeRequest:
            command.affectedSOPInstanceUID = "1.2.3.4"
            command.setMoveOriginator(aeTitle: "MOVER", messageID: 3)
        case .moveResponse, .getResponse:
            let counts = SubOperationCounts(remaining: 4, completed: 3, failed: 2, warning: 1)
            command.set(counts, withRemaining: true)
        case .actionRequest: command = actionSeed()
        case .eventReportRequest: command = Command(reporting: 2, messageID: 9)
        default: command.setErrorComment("as it should be")
        }
        return command.encoded()
    } + [Command(answering: actionSeed(), status: .invalidArgumentValue).encoded()]
}

private func actionSeed() -> Command {
    var attributes = Dataset()
    attributes.set(.commandField, .US, ints: [Int(Command.Field.actionRequest.rawValue)])
    attributes.set(.messageID, .US, ints: [5])
    attributes.set(.requestedSOPClassUID, .UI, string: SOPClass.storageCommitmentPushModel)
    attributes.set(.requestedSOPInstanceUID, .UI, string: CommitmentRequest.wellKnownInstance)
    attributes.set(.actionTypeID, .US, ints: [1])
    attributes.set(.commandDataSetType, .US, ints: [0])
    return Command(attributes)
}

/// A request for the commitment of two instances.
private func commitmentSeed(_ syntax: TransferSyntax) -> [UInt8] {
    let references = ["1.2.3.4", "1.2.3.5"].map {
        CommitmentRequest.Reference(sopClassUID: "1.2.840.10008.5.1.4.1.1.2", sopInstanceUID: $0)
    }
    let report = CommitmentReport(
        transactionUID: "2.25.1", retrieveAETitle: "SEED", committed: references.map { ($0, nil) }, failed: [])
    return report.information.encoded(transferSyntax: syntax)
}
