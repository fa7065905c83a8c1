import BlobStore
import Catalog

/// Whether what was received is what is held already. Used by one thread.
final class Comparison {
    private let archive: Archive
    private let record: InstanceRecord
    private let writer: BlobWriter
    // Nil until it is needed: nearly always the bytes decide.
    private var receivedDigest: [UInt8]??

    init(archive: Archive, record: InstanceRecord, writer: BlobWriter) {
        self.archive = archive
        self.record = record
        self.writer = writer
    }

    /// The same bytes, or the same dataset in another uncompressed syntax, with other group lengths or padding.
    func isSame(_ holding: Holding) throws(ArchiveError) -> Bool {
        if holding.digest == record.digest && holding.byteCount == record.byteCount { return true }
        guard let received = try canonicalDigest() else { return false }
        let held = try archive.open(holding)
        return try archive.canonicalDigest(of: held, transferSyntaxUID: holding.transferSyntaxUID) == received
    }

    private func canonicalDigest() throws(ArchiveError) -> [UInt8]? {
        if let receivedDigest { return receivedDigest }
        let content: ReceivedContent
        do throws(BlobError) { content = ReceivedContent(content: try writer.undecidedContent()) } catch {
            throw ArchiveError(error)
        }
        let digest = try archive.canonicalDigest(of: content, transferSyntaxUID: record.transferSyntaxUID)
        receivedDigest = .some(digest)
        return digest
    }
}
