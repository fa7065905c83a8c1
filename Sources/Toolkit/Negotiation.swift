import CDCMTK

// The negotiation's values on their way to C and back.

extension HZTimeouts {
    init(_ timeouts: AssociationTimeouts) {
        self.init(
            artim: timeouts.artim.boundedMilliseconds, idle: timeouts.idle.boundedMilliseconds,
            pdu: timeouts.pdu.boundedMilliseconds)
    }
}

extension HZRole {
    init(_ role: PresentationContext.Role) {
        self =
            switch role {
            case .default: .default
            case .scu: .SCU
            case .scp: .SCP
            case .both: .both
            }
    }
}

extension PresentationContext.Role {
    init(_ role: HZRole) {
        self =
            switch role {
            case .default: .default
            case .SCU: .scu
            case .SCP: .scp
            case .both: .both
            }
    }
}

/// All contexts of an association, as they stand.
func readContexts(_ handle: OpaquePointer) -> [PresentationContext] {
    let count = unsafe hz_association_context_count(handle)
    return (0..<count).map { index in
        let context = unsafe hz_association_context(handle, index)
        let syntaxes = unsafe (0..<context.transferSyntaxCount).map { position in
            unsafe String(cString: hz_association_transfer_syntax(handle, index, position))
        }
        var result = unsafe PresentationContext(
            id: context.contextID, abstractSyntax: String(cString: context.abstractSyntax),
            transferSyntaxes: syntaxes, role: PresentationContext.Role(context.proposedRole),
            extendedNegotiation: context.proposedExtension.copy)
        let serviceClass = unsafe String(cString: context.serviceClass)
        result.serviceClassUID = serviceClass.isEmpty ? nil : serviceClass
        unsafe result.acceptedExtendedNegotiation = context.acceptedExtension.copy
        if let accepted = unsafe context.acceptedTransferSyntax {
            result.acceptedTransferSyntax = unsafe String(cString: accepted)
            result.acceptedRole = unsafe PresentationContext.Role(context.acceptedRole)
        }
        unsafe result.refusal = PresentationContext.Refusal(rawValue: context.result)
        return result
    }
}

/// Copies strings into C memory that lives as long as this value.
@safe final class CStrings {
    private var pointers: [UnsafeMutablePointer<CChar>] = unsafe []

    deinit {
        unsafe pointers.forEach { unsafe $0.deallocate() }
    }

    func copy(_ text: String) -> UnsafePointer<CChar> {
        let bytes = text.utf8CString
        let pointer = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
        for (offset, byte) in bytes.enumerated() { unsafe (pointer + offset).initialize(to: byte) }
        unsafe pointers.append(pointer)
        return unsafe UnsafePointer(pointer)
    }
}

/// Copies bytes into C memory that lives as long as this value.
@safe final class CBytes {
    private var pointers: [UnsafeMutablePointer<UInt8>] = unsafe []

    deinit {
        unsafe pointers.forEach { unsafe $0.deallocate() }
    }

    /// Nil stays none; no bytes at all are not none.
    func copy(_ bytes: [UInt8]?) -> HZBytes {
        guard let bytes else { return unsafe HZBytes(bytes: nil, byteCount: 0) }
        let pointer = UnsafeMutablePointer<UInt8>.allocate(capacity: max(bytes.count, 1))
        for (offset, byte) in bytes.enumerated() { unsafe (pointer + offset).initialize(to: byte) }
        unsafe pointers.append(pointer)
        return unsafe HZBytes(bytes: pointer, byteCount: bytes.count)
    }
}

/// Gives `body` the contexts as C wants them, for its duration.
func withProposals(
    _ contexts: [PresentationContext], _ body: (UnsafeBufferPointer<HZProposal>) -> HZFailure
) -> HZFailure {
    let strings = CStrings()
    let extensions = CBytes()
    var syntaxes: [UnsafePointer<CChar>?] = unsafe []
    for context in contexts {
        for syntax in context.transferSyntaxes { unsafe syntaxes.append(strings.copy(syntax)) }
    }
    return unsafe syntaxes.withUnsafeBufferPointer { syntaxes in
        var start = 0
        var proposals: [HZProposal] = unsafe []
        for context in contexts {
            let count = context.transferSyntaxes.count
            unsafe proposals.append(
                HZProposal(
                    contextID: context.id, role: HZRole(context.role),
                    abstractSyntax: strings.copy(context.abstractSyntax),
                    transferSyntaxes: syntaxes.baseAddress.map { unsafe $0 + start }, transferSyntaxCount: count,
                    extension: extensions.copy(context.extendedNegotiation)))
            start += count
        }
        return withExtendedLifetime((strings, extensions)) { unsafe proposals.withUnsafeBufferPointer(body) }
    }
}

/// Gives `body` the answers as C wants them, for its duration.
func withAnswers(
    _ answers: [ContextAnswer], _ body: (UnsafeBufferPointer<HZAnswer>) -> HZFailure
) -> HZFailure {
    let strings = CStrings()
    let extensions = CBytes()
    var items: [HZAnswer] = unsafe []
    for answer in answers {
        switch answer.verdict {
        case .accepted(let transferSyntax, let role):
            unsafe items.append(
                HZAnswer(
                    contextID: answer.id, result: 0, role: HZRole(role), transferSyntax: strings.copy(transferSyntax),
                    extension: extensions.copy(answer.extendedNegotiation)))
        case .refused(let refusal):
            unsafe items.append(
                HZAnswer(
                    contextID: answer.id, result: refusal.rawValue, role: .default, transferSyntax: nil,
                    extension: extensions.copy(nil)))
        }
    }
    return withExtendedLifetime((strings, extensions)) { unsafe items.withUnsafeBufferPointer(body) }
}

/// Gives `body` a request as C wants it, for its duration.
func withRequest(_ request: AssociationRequest, _ body: (UnsafePointer<HZRequest>) -> HZFailure) -> HZFailure {
    unsafe withProposals(request.contexts) { proposals in
        unsafe withIdentity(request.identity) { identity in
            unsafe request.callingAETitle.withCString { calling in
                unsafe request.calledAETitle.withCString { called in
                    var value = unsafe HZRequest(
                        callingAETitle: calling, calledAETitle: called, proposals: proposals.baseAddress,
                        proposalCount: proposals.count, identity: identity)
                    return unsafe body(&value)
                }
            }
        }
    }
}
