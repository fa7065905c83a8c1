/// What kind of act a record is of. The numbers are written to disk and never change their meaning.
public enum AuditEvent: UInt16, Sendable, CaseIterable {
    case serviceStarted = 1
    case serviceStopped = 2
    case signedIn = 10
    case signInRefused = 11
    case signedOut = 12
    case callerRefused = 13
    /// A password was right; what else signing in needs is still to come.
    case signInBegan = 14
    case searched = 20
    /// Attributes, frames or whole objects were read by a caller.
    case accessed = 21
    /// Objects were sent to a destination on somebody's order.
    case transferred = 22
    case exported = 23
    /// Objects of a study begin to come in.
    case storeBegan = 30
    /// How many objects of the study came in by then.
    case stored = 31
    case imported = 32
    case removed = 40
    case restored = 41
    case corrected = 42
    case heldOrReleased = 43
    /// Peers, routes, keys, certificates: what the service is told to be.
    case configurationChanged = 50
    case accountChanged = 51
    case roleChanged = 52
    case emergencyStarted = 53
    case emergencyEnded = 54
    case auditRead = 60
    case anchored = 61
    case alerted = 62
    /// Somebody saw to alerts.
    case alertAcknowledged = 63

    /// The name by which a search asks for it.
    public var name: String { "\(self)" }

    public init?(name: String) {
        guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }

    /// Changes, exports and sign-ins are on the disk before they take effect; reads are written before the first byte
    /// leaves, which a killed process does not undo.
    public var isSyncedFirst: Bool {
        switch self {
        case .searched, .accessed, .callerRefused, .stored, .auditRead, .alerted: false
        default: true
        }
    }
}

/// How an act ended. PS3.15 §A.5.2, EventOutcomeIndicator.
public enum AuditOutcome: UInt8, Sendable, CaseIterable {
    case success = 0
    /// Refused, or partly done.
    case minorFailure = 4
    case seriousFailure = 8
    case majorFailure = 12
}
