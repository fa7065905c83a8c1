import NIOCore
import Synchronization

/// Buffers for pieces of answers that are filled again once the connection has let go of them: fresh memory costs a page
/// fault for every 4 KiB, which is as much as reading and decrypting it.
final class PieceBuffers: Sendable {
    /// Bytes of a buffer that is kept.
    static let byteCountLimit = 1 << 20

    private let countLimit: Int
    private let buffers = Mutex<[ByteBuffer]>([])

    /// - Parameter countLimit: buffers that are kept at most.
    init(countLimit: Int) { self.countLimit = countLimit }

    /// An empty buffer with room for so many bytes.
    func take(_ byteCount: Int) -> ByteBuffer {
        guard byteCount <= Self.byteCountLimit else { return ByteBufferAllocator().buffer(capacity: byteCount) }
        return buffers.withLock { buffers in
            guard buffers.count >= countLimit else { return ByteBufferAllocator().buffer(capacity: byteCount) }
            var oldest = buffers.removeFirst()
            // Makes a new one if somebody still has it.
            oldest.clear(minimumCapacity: byteCount)
            return oldest
        }
    }

    /// Keeps what was filled and is on its way.
    func keep(_ buffer: ByteBuffer) {
        guard buffer.capacity <= Self.byteCountLimit else { return }
        buffers.withLock { if $0.count < countLimit { $0.append(buffer) } }
    }
}
