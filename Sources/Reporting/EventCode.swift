import Audit

/// A code of the DICOM Controlled Terminology, PS3.16 §D, or of RFC 3881.
struct Code: Equatable {
    var value: String
    var system = "DCM"
    var meaning: String

    static func dcm(_ value: String, _ meaning: String) -> Code { Code(value: value, meaning: meaning) }
}

/// What an event is in the words of PS3.15 §A.5.3.
struct EventCode {
    /// C, R, U, D or E.
    var action: String
    var id: Code
    var type: Code?

    private static let alert = Code.dcm("110113", "Security Alert")
    private static let authentication = Code.dcm("110114", "User Authentication")
    private static let activity = Code.dcm("110100", "Application Activity")
    private static let instancesAccessed = Code.dcm("110103", "DICOM Instances Accessed")
    private static let beginTransfer = Code.dcm("110102", "Begin Transferring DICOM Instances")
    private static let auditLogUsed = Code.dcm("110101", "Audit Log Used")

    init(_ action: String, _ id: Code, _ type: Code? = nil) {
        self.action = action
        self.id = id
        self.type = type
    }

    init(_ entry: AuditEntry) {
        self =
            switch entry.event {
            case .serviceStarted: Self("E", Self.activity, .dcm("110120", "Application Start"))
            case .serviceStopped: Self("E", Self.activity, .dcm("110121", "Application Stop"))
            case .signedIn, .signInRefused: Self("E", Self.authentication, .dcm("110122", "Login"))
            // Not a login yet.
            case .signInBegan: Self("E", Self.authentication)
            case .signedOut: Self("E", Self.authentication, .dcm("110123", "Logout"))
            case .callerRefused:
                entry.actor.kind == .unknown
                    ? Self("E", Self.alert, .dcm("110126", "Node Authentication"))
                    : Self("E", Self.alert, .dcm("110132", "Use of Restricted Function"))
            case .searched: Self("E", .dcm("110112", "Query"))
            case .accessed: Self("R", Self.instancesAccessed)
            // The record is made before the first byte leaves.
            case .transferred, .storeBegan: Self("E", Self.beginTransfer)
            case .exported: Self("R", .dcm("110106", "Export"))
            case .stored: Self("C", .dcm("110104", "DICOM Instances Transferred"))
            case .imported: Self("C", .dcm("110107", "Import"))
            case .removed: Self("D", .dcm("110105", "DICOM Study Deleted"))
            case .restored, .corrected: Self("U", Self.instancesAccessed)
            case .heldOrReleased: Self("E", Self.alert, .dcm("110135", "Object Security Attributes Changed"))
            case .configurationChanged: Self("E", Self.alert, .dcm("110129", "Security Configuration"))
            case .accountChanged: Self("E", Self.alert, .dcm("110137", "User Security Attributes Changed"))
            case .roleChanged: Self("E", Self.alert, .dcm("110136", "Security Roles Changed"))
            case .emergencyStarted: Self("E", Self.alert, .dcm("110127", "Emergency Override Started"))
            case .emergencyEnded: Self("E", Self.alert, .dcm("110138", "Emergency Override Stopped"))
            case .auditRead, .anchored: Self("R", Self.auditLogUsed)
            case .alerted: Self("E", Self.alert, .dcm("110132", "Use of Restricted Function"))
            case .alertAcknowledged: Self("U", Self.alert, .dcm("110132", "Use of Restricted Function"))
            }
    }

    var isAlert: Bool { id == Self.alert }
    var isAuditLogUsed: Bool { id == Self.auditLogUsed }
}

extension DICOMAuditMessage {
    /// What the messages about an event carry: action, EventID and EventTypeCode with their meanings.
    public static func codes(of event: AuditEvent) -> (action: String, id: String, type: String?) {
        let code = EventCode(AuditEntry(event, by: AuditActor(kind: .peer, name: ""), door: ""))
        return (code.action, "\(code.id.value) \(code.id.meaning)", code.type.map { "\($0.value) \($0.meaning)" })
    }
}
