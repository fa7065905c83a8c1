import Archive
import NIOCore

/// One frame that goes out as it is stored, read straight into what is sent.
enum StoredFrame {
    // As many as requests are under way at a time by default.
    private static let buffers = PieceBuffers(countLimit: 16)

    /// The frame between `head` and `tail`; nil for one that must be changed. Blocks.
    ///
    /// - Parameter index: counted from 0.
    static func piece(_ reader: FrameReader, _ index: Int, head: String, tail: String) throws -> ByteBuffer? {
        guard let count = reader.storedByteCount(index) else { return nil }
        var piece = buffers.take(count + head.utf8.count + tail.utf8.count)
        piece.writeString(head)
        try piece.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { memory in
            try reader.readStored(index, into: UnsafeMutableRawBufferPointer(rebasing: memory[..<count]))
            return count
        }
        piece.writeString(tail)
        buffers.keep(piece)
        return piece
    }
}
