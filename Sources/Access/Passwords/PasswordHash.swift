import COpenSSL

/// A password as it is kept: scrypt (RFC 7914) with a random salt.
public struct PasswordHash: Sendable, Equatable, Codable {
    /// scrypt's N as a power of two; r = 8, p = 1.
    struct Cost: Sendable, Equatable {
        let exponent: UInt8

        /// 32 MiB and about a tenth of a second.
        static let standard = Cost(exponent: 15)
    }

    private static let blockSize: UInt64 = 8
    private static let parallelism: UInt64 = 1
    /// Above what the parameters need.
    private static let memoryLimit: UInt64 = 64 << 20
    private static let byteCount = 32
    private static let saltByteCount = 16

    public static let passwordByteCountRange = 1...1024

    private let salt: [UInt8]
    private let hash: [UInt8]
    /// Exponent of N; nil for the standard cost.
    private let costExponent: UInt8?

    /// Hashes a password; costs as long as a check.
    ///
    /// - Throws: `.invalid` for a password beyond its bounds or when the system has no randomness or memory.
    public init(_ password: [UInt8]) throws(AccessError) { try self.init(password, cost: .standard) }

    /// As `init(_:)`, at another cost.
    init(_ password: [UInt8], cost: Cost) throws(AccessError) {
        guard Self.passwordByteCountRange.contains(password.count) else {
            throw .invalid("a password has 1 to 1024 bytes")
        }
        let salt = try Self.random(Self.saltByteCount)
        guard let hash = Self.derive(password, salt, cost) else {
            throw .invalid("the system has no memory for a password")
        }
        self.init(salt: salt, hash: hash, cost: cost)
    }

    /// Salt and hash, of one length always.
    var bytes: [UInt8] { salt + hash }

    private init(salt: [UInt8], hash: [UInt8], cost: Cost) {
        self.salt = salt
        self.hash = hash
        costExponent = cost == .standard ? nil : cost.exponent
    }

    /// One that no password is known to match: random bytes. To look whether one does costs as much as with any other.
    static func nobodys(cost: Cost) throws(AccessError) -> PasswordHash {
        PasswordHash(salt: try random(saltByteCount), hash: try random(byteCount), cost: cost)
    }

    private static func random(_ count: Int) throws(AccessError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        guard RAND_bytes(&bytes, Int32(count)) == 1 else {
            throw .invalid("the system has no randomness for a password")
        }
        return bytes
    }

    /// Whether this is the password; in time that does not depend on what differs.
    func matches(_ password: [UInt8]) -> Bool {
        let cost = costExponent.map(Cost.init) ?? .standard
        // A password beyond its bounds costs as much as another.
        let isInBounds = Self.passwordByteCountRange.contains(password.count)
        guard let found = Self.derive(isInBounds ? password : [0], salt, cost) else { return false }
        return Self.areEqual(found, hash) && isInBounds
    }

    static func areEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        a.count == b.count && CRYPTO_memcmp(a, b, a.count) == 0
    }

    private static func derive(_ password: [UInt8], _ salt: [UInt8], _ cost: Cost) -> [UInt8]? {
        guard cost.exponent <= Cost.standard.exponent else { return nil }
        var result = [UInt8](repeating: 0, count: byteCount)
        let done = password.withUnsafeBytes { bytes in
            EVP_PBE_scrypt(
                bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, salt, salt.count,
                1 << UInt64(cost.exponent), blockSize, parallelism, memoryLimit, &result, result.count)
        }
        return done == 1 ? result : nil
    }
}
