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
        case .noSuchObjectInstance:
            "not held, or not sent by the requester's institution, or removed without a site's receipt"
        case .classInstanceConflict: "held under another SOP class"
        }
    }
}

/// Whether storage of an instance is committed to. PS3.4 §J.3.
public enum Commitment: Sendable, Hashable {
    /// It is held here, every byte as it was stored.
    case here
    /// It is held by another, who proved it: Retrieve AE Title (0008,0054) of the instance.
    case elsewhere(aeTitle: String)
    case failed(CommitmentFailure)
}

/// Who knows what others have proved to hold.
public protocol Custody: Sendable {
    /// The AE title of one who holds an instance as it was held here.
    ///
    /// - Parameter institution: who must have sent it; nil for anybody.
    func holder(
        sopClassUID: String, sopInstanceUID: String, institution: String?
    ) throws(ArchiveError) -> String?
}

extension Archive {
    /// Finds out whether storage of an instance can be committed to: reads every byte of it again; what is not held here any more,
    /// or is damaged, may be held by another. PS3.4 §J.3.
    ///
    /// - Parameter institution: whose objects are looked at: what it sent, and what it sent again; nil for everybody's.
    /// - Throws: when the catalogue cannot be asked.
    public func commitment(
        sopClassUID: String, sopInstanceUID: String, institution: String?
    ) throws(ArchiveError) -> Commitment {
        guard
            let failure = try commitmentFailure(
                sopClassUID: sopClassUID, sopInstanceUID: sopInstanceUID, institution: institution)
        else { return .here }
        guard failure != .classInstanceConflict,
            let holder = try custody.withLock({ $0 })?.holder(
                sopClassUID: sopClassUID, sopInstanceUID: sopInstanceUID, institution: institution)
        else { return .failed(failure) }
        return .elsewhere(aeTitle: holder)
    }

    /// Names who knows what others hold.
    public func setCustody(_ custody: any Custody) { self.custody.withLock { $0 = custody } }

    private func commitmentFailure(
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
