import COpenSSL
import Keys

/// Codes for a person whose authenticator is lost: each is good once, and only its digest is kept.
///
/// A code has 80 random bits, so that a plain keyed digest is enough.
struct RecoveryCodes {
    static let count = 10
    private static let digits = Array("abcdefghjkmnpqrstuvwxyz0123456789".utf8)
    static let length = 16

    let key: SymmetricKey

    init(key: SymmetricKey) { self.key = key }

    /// Ten codes in groups of four, to be shown once.
    func make() throws(KeyError) -> [String] {
        var result: [String] = []
        for _ in 0..<Self.count {
            result.append(Self.grouped(try Self.random(digits: Self.digits, count: Self.length)))
        }
        return result
    }

    /// What is kept of a code; whatever case it is typed in, and with or without its hyphens.
    func digest(of code: String, account: Int64) -> [UInt8] {
        let plain = code.lowercased().utf8.filter { Self.digits.contains($0) }
        guard code.utf8.count <= 64, plain.count == Self.length else { return [] }
        return key.withUnsafeBytes { TokenKey.code(Array("\(account):".utf8) + plain, secret: Array($0)) }
    }

    /// Takes a code out of those that are left.
    ///
    /// - Returns: whether it was one of them.
    func take(_ code: String, from held: inout [[UInt8]], account: Int64) -> Bool {
        let digest = digest(of: code, account: account)
        guard !digest.isEmpty else { return false }
        var found: Int?
        for (index, one) in held.enumerated() where PasswordHash.areEqual(one, digest) { found = index }
        guard let found else { return false }
        held.remove(at: found)
        return true
    }

    /// Text of equally likely digits.
    static func random(digits: [UInt8], count: Int) throws(KeyError) -> String {
        let limit = 256 / digits.count * digits.count
        var result: [UInt8] = []
        while result.count < count {
            for byte in try randomBytes(count: 2 * count) where Int(byte) < limit && result.count < count {
                result.append(digits[Int(byte) % digits.count])
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    static func grouped(_ text: String) -> String {
        var result = ""
        for (index, character) in text.enumerated() {
            if index > 0, index.isMultiple(of: 4) { result.append("-") }
            result.append(character)
        }
        return result
    }
}
