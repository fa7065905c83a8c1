/// Who reports: this installation, as messages about its acts name it.
public struct AuditSource: Sendable, Codable, Equatable {
    public var aeTitle: String
    public var institution: String
    /// Name of the machine.
    public var host: String

    public init(aeTitle: String, institution: String, host: String) {
        self.aeTitle = aeTitle
        self.institution = institution
        self.host = host
    }
}
