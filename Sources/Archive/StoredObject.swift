import BlobStore
import Catalog

/// One stored object, open for reading; ranges are decrypted and verified as they are read. Safe from any thread.
public struct StoredObject: ContentSource {
    public let holding: Holding
    let reader: BlobReader

    /// Bytes of the dataset as it was sent.
    public var byteCount: UInt64 { reader.contentByteCount }

    /// Fills `buffer` from `offset` on; fewer bytes come back only at the end.
    public func read(offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int {
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
