import Archive
import Foundation
import HTTP
import Keys

/// What a receiver signs once a transfer is complete: what is there, since when. `Docs/TRANSFER.md` §6.
public struct Receipt: Codable, Sendable, Equatable {
    public struct Object: Codable, Sendable, Equatable {
        /// SOP Instance UID.
        public var instance: String
        public var sha256: String
        public var size: UInt64
        /// A `StoreOutcome`: `stored`, `same` where it was held already, `differs` where other content is held and stays.
        public var outcome: String
    }

    public var transfer: String
    /// The receiver, as it calls itself, and the fingerprint of its certificate.
    public var receiver: String
    public var certificate: String
    /// The fingerprint of the sender's certificate.
    public var sender: String
    /// Study Instance UID.
    public var study: String
    /// ISO 8601, UTC.
    public var completedAt: String
    public var objects: [Object]

    /// Objects that are not there as they were sent.
    public var differing: Int { objects.count { $0.outcome == StoreOutcome.differs.rawValue } }
}

/// A receipt's bytes as they were signed, and the signature. Kept and shown in JSON.
public struct SignedReceipt: Codable, Sendable, Equatable {
    /// JSON of a `Receipt`.
    public var receipt: Data
    /// By the key of the receiver's certificate: SHA-256 with ECDSA in DER, or with RSA.
    public var signature: Data

    /// - Parameter certificate: the receiver's, in PEM.
    /// - Returns: nil where the receiver's key did not sign it.
    public func verified(by certificate: String) -> Receipt? {
        guard CertificateSignature.isValid(Array(signature), of: Array(receipt), by: certificate) else { return nil }
        return try? JSONDecoder().decode(Receipt.self, from: receipt)
    }
}

/// What this site proves itself by: a certificate and its key, in PEM files.
public struct SiteIdentity: Sendable {
    /// What it calls itself.
    public var name: String
    public var certificateFile: String
    public var keyFile: String
    /// In PEM, with those of its issuers where there are any.
    public var certificate: String
    public var fingerprint: String

    /// - Throws: `.ours` where the certificate cannot be read.
    public init(name: String, certificateFile: String, keyFile: String) throws(TransferError) {
        guard let text = try? String(contentsOfFile: certificateFile, encoding: .utf8),
            let fingerprint = CertificateSignature.fingerprint(ofPEM: text)
        else { throw .ours("\(certificateFile) is no certificate in PEM") }
        self.name = name
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        certificate = text
        self.fingerprint = fingerprint
    }

    /// Whether its certificate holds now.
    var validity: CertificateValidity { CertificateValidity(ofPEM: certificate) ?? .holds }

    func sign(_ receipt: Receipt) throws(TransferError) -> SignedReceipt {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let bytes = try? encoder.encode(receipt),
            let signature = CertificateSignature.sign(Array(bytes), key: keyFile)
        else { throw .ours("the receipt could not be signed: check transfer.key") }
        return SignedReceipt(receipt: bytes, signature: Data(signature))
    }
}
