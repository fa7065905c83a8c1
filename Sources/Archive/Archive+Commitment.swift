import Catalog

/// Why storage of an instance is not committed to: Failure Reason (0008,1197). PS3.3 §C.14.1.1.
public enum CommitmentFailure: UInt16, Sendable, CaseIterable {
    /// Held, and what lies there cannot be read or is not what was stored.
    case processingFailure = 0x0110
    case noSuchObjectInstance = 0x0112
    /// Held under another SOP class than the requester names.
    case classInstanceConflict = 0x0119

    /// What it means, for the conformance statement.
    public var about: String {
        switch self {
        case .processingFailure: "held and damaged"
        case .noSuchObjectInstance: "not held, or not sent by the requester's institution, or removed"
        case .classInstanceConflict: "held under another SOP class"
        }
    }
}

extension Archive {
    /// Finds out whether storage of an instance can be committed to: reads every byte of it again. PS3.4 §J.3.
    ///
    /// - Parameter institution: whose objects are looked at: what it sent, and what it sent again; nil for everybody's.
    /// - Returns: nil when it can.
    /// - Throws: when the catalogue cannot be asked.
    public func commitmentFailure(
        sopClassUID: String, sopInstanceUID: String, institution: String?
    ) throws(ArchiveError) -> CommitmentFailure? {
        let held = try ask { catalog throws(CatalogError) in
            try catalog.sent(sopInstanceUID: sopInstanceUID, by: institution)
        }
        guard let first = held.first else { return .noSuchObjectInstance }
        guard first.sopClassUID == sopClassUID else { return .classInstanceConflict }
        do throws(ArchiveError) { try verify(first) } catch { return .processingFailure }
        return nil
    }
}
