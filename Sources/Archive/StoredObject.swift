import BlobStore
import Catalog
import DICOM

/// One stored object, open for reading; ranges are decrypted and verified as they are read. Safe from any thread.
///
/// However the object is kept, its bytes are those of the dataset as it was sent.
public struct StoredObject: ContentSource {
    public let holding: Holding
    let reader: BlobReader
    let lease: Leases.Lease
    /// Set when the object is compressed at rest.
    let compressed: CompressedContent?

    /// Bytes of the dataset as it was sent.
    public var byteCount: UInt64 { compressed?.byteCount ?? reader.contentByteCount }

    init(holding: Holding, reader: BlobReader, lease: Leases.Lease, coder: any FrameCoder) throws(ArchiveError) {
        self.holding = holding
        self.reader = reader
        self.lease = lease
        guard InstanceRecord.isCompressed(encoded: reader.record()) else {
            compressed = nil
            return
        }
        let record: InstanceRecord
        do throws(CatalogError) { record = try InstanceRecord(encoded: reader.record()) } catch {
            throw ArchiveError(error)
        }
        compressed = try CompressedContent(
            BlobContent(reader: reader), byteCount: record.byteCount,
            transferSyntax: TransferSyntax(uid: record.transferSyntaxUID),
            layout: PixelDataLayout(encoded: record.pixelDataLayout), coder: coder)
    }

    /// Fills `buffer` from `offset` on; fewer bytes come back only at the end.
    public func read(offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int {
        if let compressed { return try compressed.read(offset: offset, into: buffer) }
        do throws(BlobError) { return try reader.read(offset: offset, into: buffer) } catch {
            throw ArchiveError(error)
        }
    }

    /// What the catalogue was told of the object.
    public func record() throws(ArchiveError) -> InstanceRecord {
        do throws(CatalogError) { return try InstanceRecord(encoded: reader.record()) } catch {
            throw ArchiveError(error)
        }
    }

    /// The DICOM JSON model of the header, as it was written at ingest. PS3.18 Annex F.
    public func metadata() throws(ArchiveError) -> [UInt8] {
        do throws(BlobError) { return try reader.metadata() } catch { throw ArchiveError(error) }
    }
}
