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

    /// Odd, 1...255.
    public let id: UInt8
    public let abstractSyntax: String
    public let transferSyntaxes: [String]
    public let role: Role
    /// What was agreed; nil while unanswered or refused.
    public internal(set) var acceptedTransferSyntax: String?
    public internal(set) var acceptedRole: Role = .default
    public internal(set) var refusal: Refusal?

    public init(id: UInt8, abstractSyntax: String, transferSyntaxes: [String], role: Role = .default) {
        self.id = id
        self.abstractSyntax = abstractSyntax
        self.transferSyntaxes = transferSyntaxes
        self.role = role
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

    public init(id: UInt8, verdict: Verdict) {
        self.id = id
        self.verdict = verdict
    }

    public static func accept(
        _ id: UInt8, transferSyntax: String, role: PresentationContext.Role = .default
    ) -> ContextAnswer {
        ContextAnswer(id: id, verdict: .accepted(transferSyntax: transferSyntax, role: role))
    }

    public static func refuse(_ id: UInt8, _ refusal: PresentationContext.Refusal) -> ContextAnswer {
        ContextAnswer(id: id, verdict: .refused(refusal))
    }
}
