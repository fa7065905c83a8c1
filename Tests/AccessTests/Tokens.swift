import COpenSSL
import Foundation

/// Makes JSON web tokens the way an identity provider does.
enum Tokens {
    static let secret = [UInt8]("0123456789abcdef0123456789abcdef".utf8)
    /// In 2027 and in 2100.
    static let now = 1_800_000_000.0
    static let late = 4_102_444_800

    static func encode(_ bytes: some Sequence<UInt8>) -> String {
        Data(bytes).base64EncodedString().replacingOccurrences(of: "+", with: "-")
            .replacingOccurrences(of: "/", with: "_").replacingOccurrences(of: "=", with: "")
    }

    /// Claims of a token that is right.
    static func claims(_ changes: [String: Any?] = [:]) -> [String: Any] {
        var result: [String: Any] = ["sub": "doctor", "aud": "HUIZHEN", "iss": "hospital", "exp": late]
        for (key, value) in changes { result[key] = value }
        return result
    }

    static func signed(
        _ claims: [String: Any], header: [String: Any] = ["alg": "HS256", "typ": "JWT"],
        sign: ([UInt8]) throws -> [UInt8] = { hmac($0) }
    ) throws -> [UInt8] {
        let parts = try [header, claims].map { encode(try JSONSerialization.data(withJSONObject: $0)) }
        let message = parts.joined(separator: ".")
        return Array("\(message).\(encode(try sign(Array(message.utf8))))".utf8)
    }

    static func hmac(_ message: [UInt8], key: [UInt8] = secret) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: 32)
        _ = HMAC(EVP_sha256(), key, Int32(key.count), message, message.count, &result, nil)
        return result
    }
}

/// A key pair of the openssl program's, in a folder of its own.
final class KeyPair {
    private let directory = try? TemporaryDirectory()
    private var folder: String { directory?.path ?? "/nonexistent" }

    init(_ arguments: [String]) throws {
        try run(["genpkey", "-out", folder + "/key"] + arguments)
        try run(["pkey", "-in", folder + "/key", "-pubout", "-out", folder + "/public"])
    }

    var publicKey: [UInt8] { Array(FileManager.default.contents(atPath: folder + "/public") ?? Data()) }
    var privateKey: [UInt8] { Array(FileManager.default.contents(atPath: folder + "/key") ?? Data()) }

    func sign(_ message: [UInt8]) throws -> [UInt8] {
        try Data(message).write(to: URL(fileURLWithPath: folder + "/message"))
        try run(["dgst", "-sha256", "-sign", folder + "/key", "-out", folder + "/signature", folder + "/message"])
        return Array(try Data(contentsOf: URL(fileURLWithPath: folder + "/signature")))
    }

    /// The two numbers of an ECDSA signature, 32 bytes each. RFC 7518 §3.4.
    func signRaw(_ message: [UInt8]) throws -> [UInt8] {
        var rest = try sign(message).dropFirst(2)
        var result: [UInt8] = []
        for _ in 0..<2 {
            let count = Int(rest[rest.startIndex + 1])
            let number = rest.dropFirst(2).prefix(count).drop { $0 == 0 }
            result += [UInt8](repeating: 0, count: 32 - number.count) + number
            rest = rest.dropFirst(2 + count)
        }
        return result
    }

    private func run(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
    }
}
