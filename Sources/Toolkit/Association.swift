import CDCMTK

/// One DICOM association, at the level of PDVs. PS3.8 §7 and §9.
///
/// Blocks; one thread owns it. Only `cancel()` may be called from others.
/// Freeing it closes the connection, after an A-ABORT if it was still open.
@safe public final class Association: @unchecked Sendable {  // one owner thread by contract; see above
    /// Bounds of the PDU size this side offers to receive, in bytes.
    public static let maximumPDULimit = 131_072
    public static let minimumPDULimit = 4096

    public let callingAETitle: String
    public let calledAETitle: String
    /// Numeric; empty where the connection has none.
    public let peerAddress: String
    /// As the other side calls itself; both may be empty.
    public let peerImplementation: Implementation
    /// What was proposed, in the order of proposal.
    public let proposed: [PresentationContext]
    /// What was agreed, by identifier; empty before the answer.
    public private(set) var accepted: [UInt8: PresentationContext] = [:]
    /// What was refused, by identifier.
    public private(set) var refused: [UInt8: PresentationContext] = [:]
    /// Payload bytes of one PDV towards the other side; even; 0 before the answer.
    public private(set) var maximumPDVByteCount = 0
    /// The protocol's name, as in `TLSv1.3`; nil for an unencrypted association.
    public let tlsVersion: String?
    /// The other side's; nil without TLS or where it showed none.
    public let certificate: PeerCertificate?
    /// Who the requester says its user is, for an acceptor; gone after the answer.
    public private(set) var identity: UserIdentity?
    /// The window the requester proposed, for an acceptor, which answers with one operation at a time.
    public let proposedWindow: OperationsWindow?
    /// Whether the acceptor answered our identity, for a requester.
    public let isIdentityAnswered: Bool

    private let handle: OpaquePointer
    private let cancellation: Cancellation

    private init(handle: OpaquePointer, cancellation: Cancellation) {
        unsafe self.handle = unsafe handle
        self.cancellation = cancellation
        callingAETitle = unsafe String(cString: hz_association_calling_title(handle))
        calledAETitle = unsafe String(cString: hz_association_called_title(handle))
        peerAddress = unsafe String(cString: hz_association_peer_address(handle))
        peerImplementation = unsafe Implementation(
            classUID: String(cString: hz_association_peer_implementation_class(handle)),
            versionName: String(cString: hz_association_peer_implementation_version(handle)))
        proposed = unsafe readContexts(handle)
        let version = unsafe String(cString: hz_association_tls_version(handle))
        tlsVersion = version.isEmpty ? nil : version
        certificate = unsafe PeerCertificate(handle)
        identity = unsafe UserIdentity(handle)
        unsafe hz_association_forget_identity(handle)
        let window = unsafe hz_association_window(handle)
        proposedWindow =
            window.isProposed ? OperationsWindow(invoked: window.invoked, performed: window.performed) : nil
        isIdentityAnswered = unsafe hz_association_identity_was_answered(handle)
        noteAnswers()
    }

    deinit { unsafe hz_association_destroy(handle) }

    /// Reads the A-ASSOCIATE-RQ from a connected socket, within `timeouts.artim`.
    ///
    /// Ill-formed requests, unknown application contexts and empty AE titles are answered here.
    /// - Parameters:
    ///   - socket: consumed, whether or not this succeeds.
    ///   - security: the TLS handshake comes first, within the same time; nil for none.
    /// - Throws: `.insecure`, `.protocolViolation`, `.timedOut`, `.connectionLost`, `.aborted`, `.cancelled`.
    public static func receive(
        socket: CInt, timeouts: AssociationTimeouts = AssociationTimeouts(), maximumPDU: Int = maximumPDULimit,
        implementation: Implementation = .huizhen, security: TransportSecurity? = nil,
        cancellation: Cancellation = Cancellation()
    ) throws(AssociationError) -> Association {
        try unsafe make(
            socket: socket, timeouts: timeouts, maximumPDU: maximumPDU, implementation: implementation,
            security: security, cancellation: cancellation
        ) { options, result in
            unsafe hz_association_receive(options, result)
        }
    }

    /// Connects and negotiates, within `timeouts.connect` and then `timeouts.artim`.
    ///
    /// - Throws: `.nameNotResolved`, `.unreachable`, `.insecure`, `.rejected`, `.timedOut`, `.connectionLost`,
    ///   `.aborted`, `.protocolViolation`, `.cancelled`, and `.misuse` for titles, contexts or an identity beyond
    ///   their bounds.
    public static func request(
        _ request: AssociationRequest, cancellation: Cancellation = Cancellation()
    ) throws(AssociationError) -> Association {
        let identityByteCount = request.identity.map { $0.primary.count + $0.secondary.count } ?? 0
        guard (1...PresentationContext.countLimit).contains(request.contexts.count),
            identityByteCount <= UserIdentity.byteCountLimit
        else { throw .misuse }
        var socket: CInt = -1
        let failure = unsafe hz_socket_connect(
            request.host, request.port, cancellation.descriptor, request.timeouts.connect.boundedMilliseconds, &socket)
        if failure.status == .systemFailure { throw .unreachable(errno: failure.systemError) }
        try check(failure)
        return try unsafe make(
            socket: socket, timeouts: request.timeouts, maximumPDU: request.maximumPDU,
            implementation: request.implementation, security: request.security, cancellation: cancellation
        ) { options, result in
            unsafe withRequest(request) { unsafe hz_association_request(options, $0, result) }
        }
    }

    private static func make(
        socket: CInt, timeouts: AssociationTimeouts, maximumPDU: Int, implementation: Implementation,
        security: TransportSecurity?, cancellation: Cancellation,
        open: (UnsafePointer<HZOptions>, UnsafeMutablePointer<OpaquePointer?>) -> HZFailure
    ) throws(AssociationError) -> Association {
        var handle: OpaquePointer?
        let failure = unsafe implementation.classUID.withCString { classUID in
            unsafe implementation.versionName.withCString { versionName in
                unsafe withSecurity(security) { security in
                    var options = unsafe HZOptions(
                        socket: socket, cancellation: cancellation.descriptor, timeouts: HZTimeouts(timeouts),
                        maximumPDU: UInt32(clamping: maximumPDU), implementationClassUID: classUID,
                        implementationVersionName: versionName, security: security)
                    return unsafe open(&options, &handle)
                }
            }
        }
        try check(failure)
        guard let made = unsafe handle else { throw .outOfMemory }
        return unsafe Association(handle: made, cancellation: cancellation)
    }

    /// Answers every proposed context and sends A-ASSOCIATE-AC; those not mentioned are refused.
    ///
    /// - Parameter identityResponse: what to answer to the user identity; nil for no answer. PS3.7 §D.3.3.7.2.
    /// - Throws: `.misuse` for a transfer syntax that was not proposed or a second answer; a connection's errors.
    public func accept(_ contexts: [ContextAnswer], identityResponse: [UInt8]? = nil) throws(AssociationError) {
        identity = nil
        try check(
            unsafe withAnswers(contexts) { answers in
                unsafe withBytes(identityResponse) { response in
                    var acceptance = unsafe HZAcceptance(
                        answers: answers.baseAddress, answerCount: answers.count, identityResponse: response)
                    return unsafe hz_association_accept(handle, &acceptance)
                }
            })
        noteAnswers()
    }

    /// Sends A-ASSOCIATE-RJ and waits up to a second for the other side to close.
    public func reject(_ rejection: Rejection) {
        _ = unsafe hz_association_reject(handle, rejection.result, rejection.source, rejection.reason)
    }

    /// The next PDV, waiting for it up to `idle` and then for all of it up to the association's `pdu` time.
    ///
    /// Sends first what `writePDV` has gathered.
    /// - Throws: `.released`, `.aborted`, `.timedOut`, `.connectionLost`, `.protocolViolation`, `.cancelled`.
    public func readPDV(idle: Duration? = nil) throws(AssociationError) -> PDV {
        guard !cancellation.isCancelled else { throw .cancelled }
        var pdv = unsafe HZPDV()
        try check(unsafe hz_association_read(handle, idle?.boundedMilliseconds ?? -1, &pdv))
        return unsafe PDV(
            contextID: pdv.contextID, isCommand: pdv.isCommand, isLast: pdv.isLast,
            bytes: UnsafeRawBufferPointer(start: pdv.bytes, count: pdv.byteCount))
    }

    /// Whether a read would find something, the end of the connection included; never waits.
    public var hasIncomingData: Bool { unsafe hz_association_has_incoming(handle) }

    /// Queues a PDV; more bytes than `maximumPDVByteCount` go as several.
    ///
    /// Small PDVs gather until a flush, a read or a full buffer; large ones are sent at once from where they lie.
    /// - Throws: `.misuse` for a context that was not accepted; `.timedOut`, `.connectionLost`, `.cancelled`.
    public func writePDV(
        contextID: UInt8, isCommand: Bool, isLast: Bool, _ bytes: UnsafeRawBufferPointer
    ) throws(AssociationError) {
        guard !cancellation.isCancelled else { throw .cancelled }
        var pdv = unsafe HZPDV(
            contextID: contextID, isCommand: isCommand, isLast: isLast,
            bytes: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), byteCount: bytes.count)
        try check(unsafe hz_association_write(handle, &pdv))
    }

    /// Sends what has gathered.
    public func flush() throws(AssociationError) { try check(unsafe hz_association_flush(handle)) }

    /// Asks for release and waits for the answer up to the ARTIM time. PS3.8 §7.2.
    public func release() throws(AssociationError) { try check(unsafe hz_association_release(handle)) }

    /// Answers the other side's request for release and waits up to a second for it to close.
    public func answerRelease() { _ = unsafe hz_association_answer_release(handle) }

    /// Sends A-ABORT (service user) and waits up to a second for the other side to close. PS3.8 §7.3.
    ///
    /// Does nothing on an association that has ended. Works after `cancel()`.
    public func abort() { unsafe hz_association_abort(handle) }

    /// Wakes the owner thread, whose present and later calls throw `.cancelled`. From any thread.
    public func cancel() { cancellation.cancel() }

    private func noteAnswers() {
        maximumPDVByteCount = unsafe hz_association_maximum_pdv(handle)
        for context in unsafe readContexts(handle) {
            if context.acceptedTransferSyntax != nil { accepted[context.id] = context }
            if context.refusal != nil { refused[context.id] = context }
        }
    }
}
