import Access

/// What `huizhen sftp` asks of the running service.
public enum FileRequest: Codable, Sendable {
    case list
    /// Who makes it and when is filled in by the service.
    case allow(FileAccount)
    case deny(FileSubject)
}
