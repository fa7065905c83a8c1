import COpenSSL
import Foundation

/// Codes that an authenticator shows: RFC 6238 with SHA-1, 30 seconds and 6 digits, which every authenticator knows.
struct TOTPFactor: Sendable, Equatable, Codable {
    static let secretByteCount = 20
    static let stepSeconds = 30
    static let digitCount = 6
    /// Steps that two clocks may be apart.
    static let drift: Int64 = 1

    let secret: [UInt8]
    /// The step of the last code that was taken: neither it nor an earlier one is good again. RFC 6238 §5.2.
    var lastStep: Int64 = -1

    init(secret: [UInt8]) { self.secret = secret }

    static func step(at now: Date) -> Int64 { Int64(now.timeIntervalSince1970) / Int64(stepSeconds) }

    /// Takes a code, which is then used up.
    ///
    /// - Returns: whether it was good.
    mutating func take(_ code: String, now: Date) -> Bool {
        let digits = Array(code.utf8)
        var found: Int64?
        let current = Self.step(at: now)
        // All of them are looked at, whichever is right.
        for step in (current - Self.drift)...(current + Self.drift)
        where PasswordHash.areEqual(digits, Array(Self.code(secret, step: step).utf8)) && step > lastStep {
            found = found ?? step
        }
        guard let found else { return false }
        lastStep = found
        return true
    }

    /// RFC 4226 §5.3.
    static func code(_ secret: [UInt8], step: Int64) -> String {
        let message = (0..<8).map { UInt8(truncatingIfNeeded: step >> (56 - 8 * $0)) }
        var hash = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        guard HMAC(EVP_sha1(), secret, Int32(secret.count), message, message.count, &hash, &count) != nil, count == 20
        else { return "" }
        let offset = Int(hash[19] & 0xF)
        let number = hash[offset..<offset + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
        let digits = String(number % 1_000_000)
        return String(repeating: "0", count: digitCount - digits.count) + digits
    }
}

/// What an authenticator is told once, by a QR code or by hand.
public struct TOTPEnrolment: Sendable, Equatable {
    /// The secret in base32 (RFC 4648 §6).
    public let secret: String
    /// `otpauth:` as authenticators read it.
    public let address: String

    init(secret: [UInt8], issuer: String, account: String) {
        self.secret = Self.base32(secret)
        let label = Self.escaped(issuer) + ":" + Self.escaped(account)
        address =
            "otpauth://totp/\(label)?secret=\(self.secret)&issuer=\(Self.escaped(issuer))&algorithm=SHA1"
            + "&digits=\(TOTPFactor.digitCount)&period=\(TOTPFactor.stepSeconds)"
    }

    /// The secret in groups of four, for whoever types it.
    public var groupedSecret: String {
        stride(from: 0, to: secret.count, by: 4).map { start in
            let from = secret.index(secret.startIndex, offsetBy: start)
            return String(secret[from...].prefix(4))
        }.joined(separator: " ")
    }

    static func base32(_ bytes: [UInt8]) -> String {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
        var result = ""
        var (held, bitCount) = (0, 0)
        for byte in bytes {
            held = (held << 8 | Int(byte)) & 0xFFF
            bitCount += 8
            while bitCount >= 5 {
                bitCount -= 5
                result.append(digits[held >> bitCount & 31])
            }
        }
        if bitCount > 0 { result.append(digits[held << (5 - bitCount) & 31]) }
        return result
    }

    private static func escaped(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics.intersection(.init(charactersIn: "!"..."~")))
            ?? ""
    }
}
