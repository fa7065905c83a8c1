/// The content of an object that was received and is not an object yet: what it is compared with may decide that it
/// never becomes one. Valid until its writer writes, abandons or ends. Safe from any thread.
public final class UndecidedContent: Sendable {
    private let content: ContentReader

    init(_ content: ContentReader) { self.content = content }

    public var byteCount: UInt64 { content.byteCount }

    /// Reads from `offset` until `buffer` is full or the content ends.
    ///
    /// - Returns: how many bytes were read; 0 at or behind the end.
    /// - Throws: `.damaged` with the chunk's place; `.io`.
    public func read(offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(BlobError) -> Int {
        try content.read(offset: offset, into: buffer)
    }
}
