import COpenSSL

/// A secret that a person keeps, from which a key is derived by scrypt (RFC 7914).
public struct Passphrase: Sendable {
    /// Shortest and longest, in bytes.
    public static let byteCounts = 12...1024

    static let saltByteCount = 16
    /// Cost: 128 MB of memory and about half a second, so that guessing is dear.
    private static let (costN, costR, costP): (UInt64, UInt64, UInt64) = (1 << 17, 8, 1)
    private static let memoryLimit: UInt64 = 256 << 20

    private let bytes: [UInt8]

    /// Takes text; line ends at its end, as a file has them, do not count. Nil if it is too short or too long.
    public init?(_ text: [UInt8]) {
        let kept = text.reversed().drop { $0 == 0x0A || $0 == 0x0D }.reversed()
        guard Self.byteCounts.contains(kept.count) else { return nil }
        bytes = Array(kept)
    }

    /// The key of this passphrase and a salt.
    func key(salt: [UInt8]) throws(KeyError) -> SymmetricKey {
        try withUnsafeTemporaryAllocation(byteCount: SymmetricKey.byteCount, alignment: 16) {
            (output) throws(KeyError) in
            defer { SymmetricKey.wipe(output) }
            let made = bytes.withUnsafeBytes { pass in
                EVP_PBE_scrypt(
                    pass.baseAddress?.assumingMemoryBound(to: CChar.self), pass.count, salt, salt.count, Self.costN,
                    Self.costR, Self.costP, Self.memoryLimit,
                    output.baseAddress?.assumingMemoryBound(to: UInt8.self), output.count)
            }
            guard made == 1, let key = SymmetricKey(copying: UnsafeRawBufferPointer(output)) else {
                throw .cryptography(operation: "scrypt")
            }
            return key
        }
    }
}
