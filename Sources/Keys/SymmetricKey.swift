import COpenSSL

/// A 256-bit key in memory that is overwritten when its last user lets go of it.
///
/// Copies share the one place in memory. Safe to use from several threads.
public struct SymmetricKey: Sendable {
    /// How many bytes a key has.
    public static let byteCount = 32

    private let storage: Storage

    /// Makes a key from the system's randomness.
    ///
    /// - Throws: `.cryptography` when the system has no randomness.
    public static func random() throws(KeyError) -> SymmetricKey {
        let key = SymmetricKey(storage: Storage())
        guard RAND_bytes(key.storage.address.assumingMemoryBound(to: UInt8.self), Int32(byteCount)) == 1 else {
            throw .cryptography(operation: "random key")
        }
        return key
    }

    /// Copies 32 bytes; the caller wipes its own copy.
    public init?(copying bytes: UnsafeRawBufferPointer) {
        guard bytes.count == Self.byteCount, let base = bytes.baseAddress else { return nil }
        storage = Storage()
        storage.address.copyMemory(from: base, byteCount: Self.byteCount)
    }

    /// Overwrites bytes that were secret.
    static func wipe(_ bytes: UnsafeMutableRawBufferPointer) { OPENSSL_cleanse(bytes.baseAddress, bytes.count) }

    private init(storage: Storage) { self.storage = storage }

    /// Gives the key's bytes to `body`, which must not keep them.
    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(start: storage.address, count: Self.byteCount))
    }

    /// Derives the key for one purpose: HMAC-SHA-256 of the purpose under this key.
    ///
    /// - Throws: `.cryptography` when OpenSSL has no memory.
    public func derived(for purpose: StaticString) throws(KeyError) -> SymmetricKey {
        try derived(for: UnsafeRawBufferPointer(start: purpose.utf8Start, count: purpose.utf8CodeUnitCount))
    }

    /// Derives the key for a purpose named at run time.
    public func derived(for purpose: String) throws(KeyError) -> SymmetricKey {
        let utf8 = Array(purpose.utf8)
        return try utf8.withRawBytes { (bytes) throws(KeyError) in try derived(for: bytes) }
    }

    private func derived(for purpose: UnsafeRawBufferPointer) throws(KeyError) -> SymmetricKey {
        let result = SymmetricKey(storage: Storage())
        var written: UInt32 = 0
        let made = HMAC(
            EVP_sha256(), storage.address, Int32(Self.byteCount),
            purpose.baseAddress?.assumingMemoryBound(to: UInt8.self), purpose.count,
            result.storage.address.assumingMemoryBound(to: UInt8.self), &written)
        guard made != nil, written == UInt32(Self.byteCount) else { throw .cryptography(operation: "key derivation") }
        return result
    }

    /// Owns the bytes; deinit wipes them.
    private final class Storage: @unchecked Sendable {  // written only before the key is handed out
        let address = UnsafeMutableRawPointer.allocate(byteCount: SymmetricKey.byteCount, alignment: 16)

        init() { address.initializeMemory(as: UInt8.self, repeating: 0, count: SymmetricKey.byteCount) }

        deinit {
            OPENSSL_cleanse(address, SymmetricKey.byteCount)
            address.deallocate()
        }
    }
}

/// Bytes from the system's randomness.
///
/// - Throws: `.cryptography` when the system has none.
public func randomBytes(count: Int) throws(KeyError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    guard RAND_bytes(&bytes, Int32(count)) == 1 else { throw .cryptography(operation: "random bytes") }
    return bytes
}
