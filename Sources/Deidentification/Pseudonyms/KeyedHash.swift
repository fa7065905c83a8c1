import COpenSSL
import Keys

/// HMAC-SHA-256 under one key, which is loaded once. RFC 2104.
///
/// Used by one thread at a time; under a microsecond for a short message.
final class KeyedHash {
    static let byteCount = 32
    private static let blockByteCount = 64

    /// After the key's first block, inner and outer.
    private let inner: OpaquePointer
    private let outer: OpaquePointer
    private let work: OpaquePointer

    /// - Throws: `.cryptography` when OpenSSL has no memory.
    init(_ key: SymmetricKey) throws(KeyError) {
        guard let inner = EVP_MD_CTX_new(), let outer = EVP_MD_CTX_new(), let work = EVP_MD_CTX_new() else {
            throw .cryptography(operation: "digest context")
        }
        (self.inner, self.outer, self.work) = (inner, outer, work)
        try Self.start(inner, key, pad: 0x36)
        try Self.start(outer, key, pad: 0x5C)
    }

    deinit {
        for context in [inner, outer, work] { EVP_MD_CTX_free(context) }
    }

    private static func start(_ context: OpaquePointer, _ key: SymmetricKey, pad: UInt8) throws(KeyError) {
        var block = [UInt8](repeating: pad, count: blockByteCount)
        defer { block.withUnsafeMutableBytes { OPENSSL_cleanse($0.baseAddress, $0.count) } }
        key.withUnsafeBytes { bytes in
            for (index, byte) in bytes.enumerated() { block[index] ^= byte }
        }
        guard EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1,
            EVP_DigestUpdate(context, block, block.count) == 1
        else { throw .cryptography(operation: "keyed hash") }
    }

    /// The hash of some parts, each preceded by its length, so that no two lists of parts are one message.
    func hash(_ parts: [[UInt8]]) throws(KeyError) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Self.byteCount)
        guard EVP_MD_CTX_copy_ex(work, inner) == 1 else { throw .cryptography(operation: "keyed hash") }
        for part in parts {
            var count = UInt64(part.count).littleEndian
            guard EVP_DigestUpdate(work, &count, 8) == 1, EVP_DigestUpdate(work, part, part.count) == 1 else {
                throw .cryptography(operation: "keyed hash")
            }
        }
        guard EVP_DigestFinal_ex(work, &digest, nil) == 1, EVP_MD_CTX_copy_ex(work, outer) == 1,
            EVP_DigestUpdate(work, digest, digest.count) == 1, EVP_DigestFinal_ex(work, &digest, nil) == 1
        else { throw .cryptography(operation: "keyed hash") }
        return digest
    }
}
