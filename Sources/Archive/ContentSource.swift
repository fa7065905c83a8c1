import BlobStore

/// A dataset's bytes that can be read at any place: of a stored object, or of one that is not decided about yet.
public protocol ContentSource: Sendable {
    /// Bytes of the dataset as it was sent.
    var byteCount: UInt64 { get }

    /// Fills `buffer` from `offset` on; fewer bytes come back only at the end.
    func read(offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int
}

extension ContentSource {
    /// Gives the whole dataset in order, in pieces of `PieceBuffer.byteCount`, the last one shorter.
    public func forEachPiece(
        through piece: PieceBuffer = PieceBuffer(), _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let buffer = piece.bytes
        var offset: UInt64 = 0
        while offset < byteCount {
            let count = try read(offset: offset, into: buffer)
            guard count > 0 else { throw ArchiveError.damaged }
            try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            offset += UInt64(count)
        }
    }
}

/// What was received and is compared with what is held.
struct ReceivedContent: ContentSource {
    let content: UndecidedContent

    var byteCount: UInt64 { content.byteCount }

    func read(offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int {
        do throws(BlobError) { return try content.read(offset: offset, into: buffer) } catch {
            throw ArchiveError(error)
        }
    }
}
