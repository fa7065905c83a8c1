import Archive
import DICOM
import Synchronization

/// A released instance whose bytes can be read at any place. Safe from any thread.
final class ReleasedContent: ContentSource, @unchecked Sendable {
    // Read with the turn held: its spool is for one thread at a time.
    private let instance: ReleasedInstance
    private let turn = Mutex(())
    let byteCount: UInt64

    init(_ instance: ReleasedInstance) {
        self.instance = instance
        byteCount = instance.byteCount
    }

    func read(offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int {
        guard offset < byteCount else { return 0 }
        let wanted = min(UInt64(buffer.count), byteCount - offset)
        var filled = 0
        do {
            try turn.withLock { _ in
                try instance.read(offset: offset, byteCount: wanted) { piece in
                    UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]).copyMemory(from: piece)
                    filled += piece.count
                }
            }
        } catch let error as ArchiveError { throw error } catch { throw .damaged }
        return filled
    }
}

extension Release {
    /// De-identifies an object of the archive, corrections applied, and gives its dataset in a transfer syntax of the
    /// taker's choice, without loss; nothing is given before it is certain that all of it may be.
    ///
    /// - Throws: `ReleaseError`; `ArchiveError.notTranscodable` before anything was given, `.transcodingFailed`; what
    ///   `body` throws.
    public func write(
        _ object: StoredObject, rewrittenTo target: TransferSyntax, through buffer: PieceBuffer,
        _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let (content, _, _) = try content(object, through: buffer)
        try archive.write(content, in: target, through: buffer, body)
    }

    /// De-identifies an object of the archive, corrections applied, for who reads its header, frames or values.
    ///
    /// Takes the object's room beside memory, sealed, for as long as the content is held.
    ///
    /// - Returns: its content, its header in the DICOM JSON model, and the UID that it has now.
    /// - Throws: `ReleaseError`.
    public func content(
        _ object: StoredObject, through buffer: PieceBuffer = PieceBuffer()
    ) throws -> (content: InstanceContent, metadata: MetadataText, sopInstanceUID: String) {
        let released = try released(object, through: buffer)
        let (content, metadata) = try InstanceContent.reading(
            ReleasedContent(released), transferSyntax: released.transferSyntax)
        return (content, metadata, released.header.sopInstanceUID)
    }
}
