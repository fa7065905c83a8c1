import Keys

/// The secret of a project: who has it makes the same pseudonyms, who has not learns nothing from them.
///
/// Sites of one project share it, and need no shared database. Any thread.
public struct ProjectKey: Sendable {
    private let key: SymmetricKey

    /// From the system's randomness.
    public static func random() throws(KeyError) -> ProjectKey { ProjectKey(try SymmetricKey.random()) }

    public init(_ key: SymmetricKey) { self.key = key }

    /// What a pseudonym is made for; each has a key of its own.
    enum Purpose: String, CaseIterable {
        case uid = "uid"
        case patient = "patient"
        case person = "person"
        case identifier = "identifier"
        case dates = "dates"
        case report = "report"
        case folder = "folder"
    }

    /// HKDF-Expand with the purpose as its info; the project's key is uniformly random, so that nothing is to be
    /// extracted. RFC 5869 §2.3.
    func derived(for purpose: Purpose) throws(KeyError) -> SymmetricKey {
        try key.derived(for: "huizhen de-identification 1 \(purpose.rawValue)\u{01}")
    }

    /// The key's bytes, to seal or wrap them; `body` must not keep them.
    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result { try key.withUnsafeBytes(body) }
}
