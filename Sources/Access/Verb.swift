/// What somebody wants to do with images.
public enum Verb: String, Sendable, CaseIterable, Codable {
    /// Lists, counts and the feed of changes.
    case search
    /// Attributes of objects: metadata.
    case read
    /// Objects, frames and pictures made of them.
    case retrieve
    case store
    /// To be told whether objects are kept safe.
    case commit
    /// To have objects sent to another peer.
    case send
    case remove
    /// Counts and times of studies, without a patient.
    case statistics
}
