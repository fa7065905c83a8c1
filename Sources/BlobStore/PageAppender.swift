import COpenSSL
import Keys

/// Gathers an object's sealed bytes and writes them to its pack in whole pages.
///
/// A page that is not in memory and is written in part would have to be read first. The page with the header is kept
/// back until the rest is written. One user at a time: whoever seals.
final class PageAppender {
    /// How many bytes are gathered before they are written.
    private static let flushByteCount = 512 << 10
    private static let capacity = flushByteCount + ChunkFormat.strideByteCount + 2 * ChunkFormat.pageByteCount

    private let buffer = UnsafeMutableRawBufferPointer.allocate(
        byteCount: capacity, alignment: ChunkFormat.pageByteCount)
    private let firstPage = UnsafeMutableRawBufferPointer.allocate(
        byteCount: ChunkFormat.pageByteCount, alignment: ChunkFormat.pageByteCount)
    private var filled = 0
    // Where the buffer starts, counted from the object's start.
    private var bufferOffset: UInt64 = 0
    private var pack: Pack?
    private var start: UInt64 = 0

    deinit {
        buffer.deallocate()
        firstPage.deallocate()
    }

    /// How long the object is so far, header included.
    var byteCount: UInt64 { bufferOffset + UInt64(filled) }

    /// Starts an object at `start` of a pack, leaving room for its header.
    func begin(pack: Pack, start: UInt64) {
        self.pack = pack
        self.start = start
        bufferOffset = 0
        filled = ObjectHeader.byteCount
    }

    /// Lets go of the pack.
    func end() { pack = nil }

    /// Room for up to one sealed chunk; follow with `advance`.
    func room() throws(SystemFailure) -> UnsafeMutableRawPointer {
        if filled >= Self.flushByteCount { try flush(filled / ChunkFormat.pageByteCount * ChunkFormat.pageByteCount) }
        guard let base = buffer.baseAddress else { throw SystemFailure(operation: "allocate", errno: 12) }
        return base + filled
    }

    func advance(_ count: Int) { filled += count }

    /// Writes what is left, padded to a page, and the header last.
    func finish(header: [UInt8]) throws(SystemFailure) {
        let padded = Int(ChunkFormat.roundedUp(UInt64(filled)))
        UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<padded]).initializeMemory(as: UInt8.self, repeating: 0)
        if bufferOffset == 0 {
            buffer[..<header.count].copyBytes(from: header)
            try pack?.write(UnsafeRawBufferPointer(rebasing: buffer[..<padded]), at: start)
        } else {
            if padded > 0 { try flush(padded) }
            firstPage[..<header.count].copyBytes(from: header)
            try pack?.write(UnsafeRawBufferPointer(firstPage), at: start)
        }
        filled = 0
    }

    /// Writes a copy of what is in memory to where it belongs, with nothing where the header goes.
    func show() throws(SystemFailure) {
        let padded = Int(ChunkFormat.roundedUp(UInt64(filled)))
        UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<padded]).initializeMemory(as: UInt8.self, repeating: 0)
        let first = bufferOffset == 0 ? buffer : firstPage
        UnsafeMutableRawBufferPointer(rebasing: first[..<ObjectHeader.byteCount]).initializeMemory(
            as: UInt8.self, repeating: 0)
        if bufferOffset > 0 { try pack?.write(UnsafeRawBufferPointer(firstPage), at: start) }
        if padded > 0 {
            try pack?.write(UnsafeRawBufferPointer(rebasing: buffer[..<padded]), at: start + bufferOffset)
        }
    }

    private func flush(_ count: Int) throws(SystemFailure) {
        var from = 0
        if bufferOffset == 0 {
            firstPage.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[..<ChunkFormat.pageByteCount]))
            from = ChunkFormat.pageByteCount
        }
        let offset = start + bufferOffset + UInt64(from)
        try pack?.write(UnsafeRawBufferPointer(rebasing: buffer[from..<count]), at: offset)
        // A hint: the sync at the end then finds most bytes on their way. Its failure changes nothing.
        if let pack { _ = huizhen_start_writeback(pack.file.descriptor, Int64(offset), Int64(count - from)) }
        let rest = filled - min(filled, count)
        if rest > 0, let base = buffer.baseAddress { base.copyMemory(from: base + count, byteCount: rest) }
        bufferOffset += UInt64(count)
        filled = rest
    }
}
