import Foundation
import Keys

/// A project's key on its way to another site: sealed for that site's certificate alone, and readable by nobody else.
///
/// PEM of a CMS AuthEnvelopedData (RFC 5083) around the name and the key. Nothing in it proves who made it, so people
/// compare `checkDigits` by telephone.
public struct ProjectKeyFile: Sendable {
    /// Bytes of such a file.
    public static let byteCountLimit = 64 << 10
    private static let title = Array("huizhen project key 1\n".utf8)
    private static let opening = "-----BEGIN CMS-----"
    private static let closing = "-----END CMS-----"

    public let name: String
    public let key: SymmetricKey

    public init(name: String, key: SymmetricKey) {
        self.name = name
        self.key = key
    }

    /// Eight digits that follow from the key and say nothing of it.
    public var checkDigits: String {
        get throws(KeyError) {
            try key.derived(for: "huizhen project key check").withUnsafeBytes { bytes in
                let digits = Array("0123456789abcdef".utf8)
                return String(
                    decoding: bytes.prefix(4).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
            }
        }
    }

    /// The file for the holder of a certificate.
    public func sealed(for holder: KeyHolder) throws(EscrowError) -> [UInt8] {
        var bytes = Self.title + Array(name.utf8) + [0x0A]
        key.withUnsafeBytes { bytes += $0 }
        defer { for index in bytes.indices { bytes[index] = 0 } }
        let envelope = try EnvelopedData.sealed(bytes, for: [holder], cipher: .authenticated)
        let coded = Data(envelope).base64EncodedString(options: [.lineLength64Characters, .endLineWithLineFeed])
        return Array("\(Self.opening)\n\(coded)\n\(Self.closing)\n".utf8)
    }

    /// Opens such a file.
    ///
    /// - Throws: `.malformed`, `.refused`.
    public init(opening file: [UInt8], with key: HolderKey) throws(EscrowError) {
        guard file.count <= Self.byteCountLimit else { throw .tooLong(byteCountLimit: Self.byteCountLimit) }
        let lines = String(decoding: file, as: UTF8.self).split(whereSeparator: \.isNewline).map { String($0) }
        guard let start = lines.firstIndex(of: Self.opening), let end = lines.firstIndex(of: Self.closing), start < end,
            let envelope = Data(base64Encoded: lines[(start + 1)..<end].joined())
        else { throw .malformed }
        var bytes = try EnvelopedData.opened(Array(envelope), with: key, cipher: .authenticated)
        defer { for index in bytes.indices { bytes[index] = 0 } }
        guard bytes.starts(with: Self.title), bytes.count > Self.title.count + SymmetricKey.byteCount else {
            throw .malformed
        }
        let keyStart = bytes.count - SymmetricKey.byteCount
        guard bytes[keyStart - 1] == 0x0A,
            let name = String(validating: bytes[Self.title.count..<keyStart - 1], as: UTF8.self),
            let found = bytes.withUnsafeBytes({
                SymmetricKey(copying: UnsafeRawBufferPointer(rebasing: $0[keyStart...]))
            })
        else { throw .malformed }
        self.name = name
        self.key = found
    }
}
