/// How long an association waits. Each is at least a millisecond.
public struct AssociationTimeouts: Equatable, Sendable {
    /// The whole negotiation, and the wait for the answer to a release. PS3.8 §9.1.5.
    public var artim: Duration
    /// Silence between two PDUs.
    public var idle: Duration
    /// One PDU, from its first byte to its last, in either direction.
    public var pdu: Duration
    /// The transport connection, over all addresses of the host; the name service keeps its own time.
    public var connect: Duration

    public init(
        artim: Duration = .seconds(30), idle: Duration = .seconds(300), pdu: Duration = .seconds(60),
        connect: Duration = .seconds(10)
    ) {
        self.artim = artim
        self.idle = idle
        self.pdu = pdu
        self.connect = connect
    }
}

/// Who speaks, as each side tells the other. PS3.7 §D.3.3.2.
public struct Implementation: Equatable, Sendable {
    /// At most 64 characters.
    public let classUID: String
    /// At most 16 characters.
    public let versionName: String

    public init(classUID: String, versionName: String) {
        self.classUID = classUID
        self.versionName = versionName
    }

    public static let huizhen = Implementation(
        classUID: "2.25.9883264142985698197450036736232128098", versionName: "HUIZHEN")
}

/// What to ask another application entity for.
public struct AssociationRequest: Sendable {
    /// A host name, or an IPv4 or IPv6 address (an IPv6 scope as in `fe80::1%eth0`).
    public var host: String
    public var port: UInt16
    /// 1...16 characters each.
    public var callingAETitle: String
    public var calledAETitle: String
    /// 1...128, with distinct odd identifiers.
    public var contexts: [PresentationContext]
    public var timeouts: AssociationTimeouts
    /// Largest PDU to receive, 4096...131072 bytes.
    public var maximumPDU: Int
    public var implementation: Implementation
    /// Nil for an unencrypted association.
    public var security: TransportSecurity?
    /// Who our user is; nil says nothing.
    public var identity: UserIdentity?

    public init(
        host: String, port: UInt16, callingAETitle: String, calledAETitle: String, contexts: [PresentationContext],
        timeouts: AssociationTimeouts = AssociationTimeouts(), maximumPDU: Int = Association.maximumPDULimit,
        implementation: Implementation = .huizhen, security: TransportSecurity? = nil, identity: UserIdentity? = nil
    ) {
        self.host = host
        self.port = port
        self.callingAETitle = callingAETitle
        self.calledAETitle = calledAETitle
        self.contexts = contexts
        self.timeouts = timeouts
        self.maximumPDU = maximumPDU
        self.implementation = implementation
        self.security = security
        self.identity = identity
    }
}
