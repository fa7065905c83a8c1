/// What both sides agree to exchange under one identifier. PS3.8 §7.1.1.13.
public struct PresentationContext: Equatable, Sendable {
    /// The roles of the association's requester, whoever holds this value. PS3.7 §D.3.3.4.
    public enum Role: Sendable {
        /// Nothing negotiated: the requester is SCU.
        case `default`
        case scu
        case scp
        case both
    }

    /// Why a context is refused. PS3.8 §9.3.3.2.
    public enum Refusal: UInt8, Sendable {
        case userRejection = 1
        case noReason = 2
        case abstractSyntaxNotSupported = 3
        case transferSyntaxesNotSupported = 4
    }

    /// At most this many contexts fit one association: odd identifiers from 1 to 255.
    public static let countLimit = 128
    /// At most this many transfer syntaxes are proposed, and considered, of one context.
    public static let transferSyntaxCountLimit = 64
    /// At most this many bytes of an extended negotiation are read or sent.
    public static let extendedNegotiationByteCountLimit = 64

    /// Odd, 1...255.
    public let id: UInt8
    public let abstractSyntax: String
    public let transferSyntaxes: [String]
    public let role: Role
    /// Service class application information, of which a SOP class has one: its first context's counts.
    /// PS3.7 §D.3.3.5.
    public let extendedNegotiation: [UInt8]?
    /// Service class the requester says an unknown SOP class belongs to. PS3.7 §D.3.3.6.
    public internal(set) var serviceClassUID: String?
    /// What was agreed; nil while unanswered or refused.
    public internal(set) var acceptedTransferSyntax: String?
    public internal(set) var acceptedRole: Role = .default
    public internal(set) var refusal: Refusal?
    /// The acceptor's answer to `extendedNegotiation`, if it gave one.
    public internal(set) var acceptedExtendedNegotiation: [UInt8]?

    public init(
        id: UInt8, abstractSyntax: String, transferSyntaxes: [String], role: Role = .default,
        extendedNegotiation: [UInt8]? = nil
    ) {
        self.id = id
        self.abstractSyntax = abstractSyntax
        self.transferSyntaxes = transferSyntaxes
        self.role = role
        self.extendedNegotiation = extendedNegotiation
    }
}

/// An acceptor's answer to one proposed context.
public struct ContextAnswer: Equatable, Sendable {
    public enum Verdict: Equatable, Sendable {
        /// The transfer syntax must be a proposed one; a role is narrowed to what was proposed.
        case accepted(transferSyntax: String, role: PresentationContext.Role)
        case refused(PresentationContext.Refusal)
    }

    public let id: UInt8
    public let verdict: Verdict
    /// Answer to an extended negotiation; not sent where none was proposed.
    public let extendedNegotiation: [UInt8]?

    public init(id: UInt8, verdict: Verdict, extendedNegotiation: [UInt8]? = nil) {
        self.id = id
        self.verdict = verdict
        self.extendedNegotiation = extendedNegotiation
    }

    public static func accept(
        _ id: UInt8, transferSyntax: String, role: PresentationContext.Role = .default,
        extendedNegotiation: [UInt8]? = nil
    ) -> ContextAnswer {
        ContextAnswer(
            id: id, verdict: .accepted(transferSyntax: transferSyntax, role: role),
            extendedNegotiation: extendedNegotiation)
    }

    public static func refuse(_ id: UInt8, _ refusal: PresentationContext.Refusal) -> ContextAnswer {
        ContextAnswer(id: id, verdict: .refused(refusal))
    }
}
