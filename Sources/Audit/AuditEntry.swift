/// Who did something.
public struct AuditActor: Sendable, Hashable {
    public enum Kind: UInt8, Sendable, CaseIterable {
        /// The service by itself.
        case service = 0
        /// A DICOM application entity, by AE title.
        case peer = 1
        /// A person, by account.
        case person = 2
        /// The local operator, by operating-system user.
        case localOperator = 3
        /// A client of another institution or program, by its token.
        case system = 4
        /// Who was not let in.
        case unknown = 5
    }

    public var kind: Kind
    public var name: String
    /// The user a peer proved; else empty.
    public var user: String
    public var institution: String
    /// The network address it came from; empty on this machine.
    public var address: String

    public init(kind: Kind, name: String, user: String = "", institution: String = "", address: String = "") {
        self.kind = kind
        self.name = name
        self.user = user
        self.institution = institution
        self.address = address
    }

    /// The service by itself.
    public static let service = AuditActor(kind: .service, name: "huizhen")
}

/// What something was done to.
public struct AuditObject: Sendable, Equatable, Hashable, Codable {
    public enum Kind: UInt8, Sendable, CaseIterable {
        case patient = 1
        case study = 2
        case series = 3
        case instance = 4
        case account = 5
        case peer = 6
        case route = 7
        case key = 8
        case destination = 9
        case query = 10
        case setting = 11
        case grant = 12
        case auditLog = 13
        case alert = 14
    }

    public var kind: Kind
    public var name: String

    public init(_ kind: Kind, _ name: String) {
        self.kind = kind
        self.name = name
    }

    /// Stands in every alert and in every acknowledgement of one, so that the indexes find them all.
    public static let alerts = AuditObject(.alert, "alerts")
}

/// One act, as who does it writes it down.
public struct AuditEntry: Sendable, Equatable {
    public var event: AuditEvent
    public var outcome: AuditOutcome
    public var actor: AuditActor
    /// The way in: `dimse`, `dicomweb`, `control`, ...
    public var door: String
    public var objects: [AuditObject]
    /// Instances the act covers; nil where that says nothing.
    public var instanceCount: UInt64?
    /// Why: the reason somebody gave, or that of a refusal.
    public var reason: String

    public init(
        _ event: AuditEvent, _ outcome: AuditOutcome = .success, by actor: AuditActor, door: String,
        objects: [AuditObject] = [], instanceCount: UInt64? = nil, reason: String = ""
    ) {
        self.event = event
        self.outcome = outcome
        self.actor = actor
        self.door = door
        self.objects = objects
        self.instanceCount = instanceCount
        self.reason = reason
    }
}

/// An entry with its place in the log.
public struct AuditRecord: Sendable, Equatable {
    /// From 1, without a gap.
    public var sequence: UInt64
    /// Milliseconds since 1970.
    public var time: Int64
    public var entry: AuditEntry

    public init(sequence: UInt64, time: Int64, entry: AuditEntry) {
        self.sequence = sequence
        self.time = time
        self.entry = entry
    }
}
