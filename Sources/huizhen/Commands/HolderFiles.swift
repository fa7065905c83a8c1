import Deidentification
import Foundation

/// Certificates and private keys that an operator names by their files.
enum HolderFiles {
    static func holder(_ path: String) throws -> KeyHolder {
        try refusing(path) { bytes throws(EscrowError) in try KeyHolder(bytes) }
    }

    static func key(_ path: String, passphraseFile: String?, certificate: String) throws -> HolderKey {
        let holder = try holder(certificate)
        let bytes = try passphraseFile.map { try contents($0) } ?? []
        let passphrase = String(decoding: bytes.prefix { $0 != 0x0A && $0 != 0x0D && $0 != 0 }, as: UTF8.self)
        return try refusing(path) { bytes throws(EscrowError) in
            try HolderKey(pem: bytes, passphrase: passphrase, holder: holder)
        }
    }

    private static func refusing<Result>(
        _ path: String, _ body: ([UInt8]) throws(EscrowError) -> Result
    ) throws -> Result {
        let bytes = try contents(path)
        do throws(EscrowError) { return try body(bytes) } catch { throw CommandFailure.end(1, "\(path): \(error)") }
    }

    /// A small file whole.
    static func contents(_ path: String) throws -> [UInt8] {
        guard let file = FileHandle(forReadingAtPath: path),
            let bytes = try? file.read(upToCount: KeyHolder.fileByteCountLimit + 1)
        else { throw CommandFailure.end(1, "\(path) cannot be read") }
        return Array(bytes)
    }
}
