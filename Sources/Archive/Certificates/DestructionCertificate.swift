import Foundation
import Keys

/// What was destroyed, when, and who asked for it; holds no patient's name or identifier, but UIDs.
public struct DestructionCertificate: Codable, Equatable, Sendable {
    public var id: String
    /// The installation that destroyed it: random digits, the same for as long as its data directory lives.
    public var installation: String
    public var institution: String
    public var orderedBy: String
    public var reason: String
    /// ISO 8601, UTC, as every time here.
    public var orderedAt: String
    public var destroyedAt: String
    public var studyInstanceUID: String
    public var objectCount: Int
    /// Objects of the order that were brought back in time.
    public var restoredCount: Int
    public var objects: [CertifiedObject]
    /// Keys of whole studies that were destroyed too.
    public var destroyedStudyKeys: [String]
}

/// A certificate as it lies in its file: the statement word for word, and its signature.
public struct SignedCertificate: Codable, Sendable {
    /// Largest file that is read, in bytes.
    public static let byteCountLimit = 64 << 20

    /// JSON of a `DestructionCertificate`.
    public var statement: String
    /// Ed25519 over the statement's UTF-8, in hexadecimal digits.
    public var signature: String
    public var publicKey: String

    init(_ certificate: DestructionCertificate, key: SigningKey) throws(KeyError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        // Encoding strings and numbers cannot fail.
        let bytes = Array((try? encoder.encode(certificate)) ?? Data())
        statement = String(decoding: bytes, as: UTF8.self)
        signature = try key.signature(of: bytes).hexadecimal
        publicKey = try key.publicKey().hexadecimal
    }

    /// Reads a file.
    ///
    /// - Throws: `.notFound`; `.damaged` if it is no certificate.
    public init(path: String) throws(ArchiveError) {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        guard let count = attributes?[.size] as? Int else { throw .notFound }
        guard count <= Self.byteCountLimit, let data = FileManager.default.contents(atPath: path),
            let signed = try? JSONDecoder().decode(SignedCertificate.self, from: data)
        else { throw .damaged }
        self = signed
    }

    /// What it says; nil if the statement is no certificate.
    public var certificate: DestructionCertificate? {
        try? JSONDecoder().decode(DestructionCertificate.self, from: Data(statement.utf8))
    }

    /// Whether the holder of this public key signed it, word for word.
    public func isSigned(by publicKey: String) -> Bool {
        guard let key = bytes(hexadecimal: publicKey), let signature = bytes(hexadecimal: signature) else {
            return false
        }
        return SigningKey.isValid(signature, of: Array(statement.utf8), publicKey: key)
    }
}

/// Of a certificate, which has no number of more than 512 bytes.
func bytes(hexadecimal text: String) -> [UInt8]? {
    text.utf8.count <= 1024 ? [UInt8](hexadecimal: text) : nil
}
