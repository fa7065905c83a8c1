import DICOM
import Toolkit

/// Echo, find and move towards another application entity, and get from it. One association for each call, or one
/// kept for several.
public final class Requester {
    /// Where to, and as whom.
    public struct Target: Sendable {
        public var host: String
        public var port: UInt16
        public var calledAETitle: String
        public var callingAETitle: String
        public var timeouts: AssociationTimeouts
        /// Nil for an unencrypted association.
        public var security: TransportSecurity?
        /// Who our user is; nil says nothing.
        public var identity: UserIdentity?

        public init(
            host: String, port: UInt16, calledAETitle: String, callingAETitle: String,
            timeouts: AssociationTimeouts = .init(), security: TransportSecurity? = nil, identity: UserIdentity? = nil
        ) {
            self.host = host
            self.port = port
            self.calledAETitle = calledAETitle
            self.callingAETitle = callingAETitle
            self.timeouts = timeouts
            self.security = security
            self.identity = identity
        }

        /// - Parameter cancellation: ends the opening and all that is done over the association later.
        func associate(
            _ contexts: [PresentationContext], cancellation: Cancellation = Cancellation()
        ) throws(DIMSEError) -> Association {
            do throws(AssociationError) {
                return try Association.request(
                    AssociationRequest(
                        host: host, port: port, callingAETitle: callingAETitle, calledAETitle: calledAETitle,
                        contexts: contexts, timeouts: timeouts, security: security, identity: identity),
                    cancellation: cancellation)
            } catch { throw .association(error) }
        }
    }

    /// Which information model is spoken. PS3.4 §C.6.
    public enum Model: String, Sendable, CaseIterable {
        case patientRoot = "patient"
        case studyRoot = "study"
    }

    private let association: Association
    private let stream: MessageStream
    private var messageID: UInt16 = 0

    /// Syntaxes proposed for queries.
    private static let messageSyntaxes = [
        TransferSyntax.explicitVRLittleEndian.uid, TransferSyntax.implicitVRLittleEndian.uid,
    ]

    /// Opens an association for these SOP classes.
    ///
    /// - Parameter extensions: what to ask for in extended negotiation; see `queryExtensions` for what was agreed.
    public init(
        _ target: Target, sopClasses: [String], receiving: [(sopClass: String, syntaxes: [String])] = [],
        extensions: QueryExtensions = []
    ) throws(DIMSEError) {
        var contexts: [PresentationContext] = []
        func add(_ sopClass: String, _ syntaxes: [String], _ role: PresentationContext.Role) {
            guard contexts.count < ObjectSender.contextLimit else { return }
            contexts.append(
                PresentationContext(
                    id: UInt8(contexts.count * 2 + 1), abstractSyntax: sopClass, transferSyntaxes: syntaxes,
                    role: role,
                    extendedNegotiation: extensions.isEmpty
                        ? nil : extensions.information(sopClass: sopClass, fieldCount: .max)))
        }
        for sopClass in sopClasses { add(sopClass, Self.messageSyntaxes, .default) }
        for entry in receiving { add(entry.sopClass, entry.syntaxes, .scp) }
        association = try target.associate(contexts)
        stream = MessageStream(association)
    }

    /// What the other side agreed to of the extensions that were asked for, by all SOP classes.
    public var queryExtensions: QueryExtensions {
        association.accepted.values.map(\.queryExtensions).reduce(into: []) { $0.formUnion($1) }
    }

    /// Ends the association in order.
    public func close() {
        // Everything was answered already; how the other side takes the goodbye changes nothing.
        try? association.release()
    }

    /// Ends it at once.
    public func abort() { association.abort() }

    /// C-ECHO, PS3.4 Annex A.
    public func echo() throws(DIMSEError) -> Status {
        let context = try context(SOPClass.verification)
        let request = self.request(.echoRequest, SOPClass.verification, hasDataSet: false)
        try stream.send(request, contextID: context.id)
        return try response(to: request, .echoResponse).status ?? .processingFailure
    }

    /// C-FIND, PS3.4 §C.4.1. Gives every match to `each`; after it returned false the operation is cancelled.
    public func find(
        _ keys: Dataset, model: Model, each: (Dataset) -> Bool
    ) throws(DIMSEError) -> Status {
        let sopClass = model == .studyRoot ? SOPClass.studyRootFind : SOPClass.patientRootFind
        let context = try context(sopClass)
        let syntax = TransferSyntax(uid: context.acceptedTransferSyntax ?? "")
        let request = self.request(.findRequest, sopClass, hasDataSet: true)
        try stream.send(request, dataSet: keys.encoded(transferSyntax: syntax), contextID: context.id)
        var isCancelled = false
        while true {
            let response = try response(to: request, .findResponse)
            guard let status = response.status else { throw .unreadable }
            guard status.isPending else { return status }
            let match = try stream.readIdentifier(contextID: context.id, transferSyntax: syntax)
            if !isCancelled && !each(match) {
                isCancelled = true
                try cancel(request, context)
            }
        }
    }

    /// C-MOVE, PS3.4 §C.4.2. Reports the counts with every pending response.
    public func move(
        _ keys: Dataset, model: Model, destination: String, progress: (SubOperationCounts) -> Void
    ) throws(DIMSEError) -> Retrieved {
        let sopClass = model == .studyRoot ? SOPClass.studyRootMove : SOPClass.patientRootMove
        let context = try context(sopClass)
        let syntax = TransferSyntax(uid: context.acceptedTransferSyntax ?? "")
        var request = self.request(.moveRequest, sopClass, hasDataSet: true)
        request.moveDestination = destination
        try stream.send(request, dataSet: keys.encoded(transferSyntax: syntax), contextID: context.id)
        while true {
            let response = try response(to: request, .moveResponse)
            guard let status = response.status else { throw .unreadable }
            var failed: [String] = []
            if response.hasDataSet { failed = try readFailed(context, syntax) }
            guard status.isPending else {
                return Retrieved(status: status, counts: response.subOperationCounts, failedUIDs: failed)
            }
            progress(response.subOperationCounts)
        }
    }

    /// Takes an object of a C-GET.
    public typealias Reception = (
        _ sopClassUID: String, _ sopInstanceUID: String, _ syntax: TransferSyntax,
        _ fragments: ((UnsafeRawBufferPointer) -> Void) throws(DIMSEError) -> Void
    ) throws(DIMSEError) -> Status

    /// C-GET, PS3.4 §C.4.3. `receive` takes each object: its announced class and UID, its syntax, and a function
    /// that gives the fragments; it returns the status to answer.
    public func get(
        _ keys: Dataset, model: Model, progress: (SubOperationCounts) -> Void, receive: Reception
    ) throws(DIMSEError) -> Retrieved {
        let sopClass = model == .studyRoot ? SOPClass.studyRootGet : SOPClass.patientRootGet
        let context = try context(sopClass)
        let syntax = TransferSyntax(uid: context.acceptedTransferSyntax ?? "")
        let request = self.request(.getRequest, sopClass, hasDataSet: true)
        try stream.send(request, dataSet: keys.encoded(transferSyntax: syntax), contextID: context.id)
        while true {
            let (command, contextID) = try stream.nextCommand()
            if command.field == .storeRequest {
                guard let storage = association.accepted[contextID], let name = storage.acceptedTransferSyntax
                else { throw .unexpectedMessage("an object on a context that was not accepted") }
                let status = try receive(
                    command.affectedSOPClassUID ?? storage.abstractSyntax, command.affectedSOPInstanceUID ?? "",
                    TransferSyntax(uid: name)
                ) { body throws(DIMSEError) in try stream.readDataSet(contextID: contextID, body) }
                try stream.send(Command(answering: command, status: status), contextID: contextID)
                try stream.flush()
                continue
            }
            guard command.field == .getResponse, let status = command.status else {
                throw .unexpectedMessage("another message than a C-GET response")
            }
            var failed: [String] = []
            if command.hasDataSet { failed = try readFailed(context, syntax) }
            guard status.isPending else {
                return Retrieved(status: status, counts: command.subOperationCounts, failedUIDs: failed)
            }
            progress(command.subOperationCounts)
        }
    }

    /// The Failed SOP Instance UID List (0008,0058) of a response. PS3.4 §C.4.2.1.5.
    private func readFailed(
        _ context: PresentationContext, _ syntax: TransferSyntax
    ) throws(DIMSEError) -> [String] {
        try stream.readIdentifier(contextID: context.id, transferSyntax: syntax).strings(.failedSOPInstanceUIDList)
            .filter { !$0.isEmpty }
    }

    private func cancel(_ request: Command, _ context: PresentationContext) throws(DIMSEError) {
        var cancel = Command(.cancelRequest, messageID: 0, sopClassUID: "", hasDataSet: false)
        cancel.attributes.remove(.affectedSOPClassUID)
        cancel.attributes.remove(.messageID)
        cancel.attributes.set(
            .messageIDBeingRespondedTo, .US, bytes: [UInt8(request.messageID & 0xFF), UInt8(request.messageID >> 8)])
        try stream.send(cancel, contextID: context.id)
        try stream.flush()
    }

    private func request(_ field: Command.Field, _ sopClass: String, hasDataSet: Bool) -> Command {
        messageID &+= 1
        var request = Command(field, messageID: messageID, sopClassUID: sopClass, hasDataSet: hasDataSet)
        if field != .echoRequest { request.setPriority() }
        return request
    }

    private func response(to request: Command, _ field: Command.Field) throws(DIMSEError) -> Command {
        let (command, _) = try stream.nextCommand()
        guard command.field == field, command.messageIDBeingRespondedTo == request.messageID else {
            throw .unexpectedMessage("another message than the response")
        }
        return command
    }

    private func context(_ sopClass: String) throws(DIMSEError) -> PresentationContext {
        guard let context = association.accepted.values.first(where: { $0.abstractSyntax == sopClass }) else {
            throw .notAccepted
        }
        return context
    }
}
