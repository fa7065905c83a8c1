import Foundation
import Glibc
import Keys

/// The orders and certificates of a data directory, `certificates`: files named by random digits, their owner's only.
public struct CertificateFolder: Sendable {
    /// The file that holds the public key of all certificates, in hexadecimal digits.
    public static let publicKeyName = "public.key"
    private static let orderSuffix = ".order"
    private static let certificateSuffix = ".json"

    public let path: String

    /// - Parameter dataDirectory: the service's.
    public init(dataDirectory: String) { path = dataDirectory + "/certificates" }

    /// The names of all certificates.
    public func certificates() -> [String] { names(Self.certificateSuffix) }

    /// Reads one certificate.
    ///
    /// - Throws: `.notFound`; `.damaged`.
    public func certificate(_ id: String) throws(ArchiveError) -> SignedCertificate {
        guard Self.isName(id) else { throw .notFound }
        return try SignedCertificate(path: path + "/" + id + Self.certificateSuffix)
    }

    /// The public key by which this installation's certificates are checked; nil before the service has run once.
    public var publicKey: String? {
        FileManager.default.contents(atPath: path + "/" + Self.publicKeyName).map {
            String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        }
    }

    func orders() -> [String] { names(Self.orderSuffix) }

    func order(_ id: String) -> DestructionOrder? {
        FileManager.default.contents(atPath: path + "/" + id + Self.orderSuffix).flatMap {
            try? JSONDecoder().decode(DestructionOrder.self, from: $0)
        }
    }

    func write(_ order: DestructionOrder) throws(ArchiveError) {
        try write((try? JSONEncoder().encode(order)) ?? Data(), to: order.id + Self.orderSuffix)
    }

    /// Writes a certificate, and then takes its order away.
    func write(_ signed: SignedCertificate, id: String) throws(ArchiveError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try write((try? encoder.encode(signed)) ?? Data(), to: id + Self.certificateSuffix)
        dropOrder(id)
    }

    func write(publicKey: String) throws(ArchiveError) {
        if self.publicKey == publicKey { return }
        try write(Data((publicKey + "\n").utf8), to: Self.publicKeyName)
    }

    func dropOrder(_ id: String) { unlink(path + "/" + id + Self.orderSuffix) }

    static func newName() -> String {
        (0..<8).map { _ in UInt8.random(in: .min ... .max) }.hexadecimal
    }

    private func names(_ suffix: String) -> [String] {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return files.filter { $0.hasSuffix(suffix) }.map { String($0.dropLast(suffix.count)) }.filter(Self.isName)
            .sorted()
    }

    private static func isName(_ text: String) -> Bool {
        text.utf8.count == 16 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    /// Returns once the file survives a power cut; it is whole or not there.
    private func write(_ data: Data, to name: String) throws(ArchiveError) {
        do throws(SystemFailure) {
            try OpenFile.makeDirectory(path)
            try OpenFile.replace(path + "/" + name, with: Array(data))
        } catch { throw ArchiveError(error, at: "a certificate") }
    }
}
