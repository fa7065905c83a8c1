import CZlib

/// Deflates a dataset piece by piece. PS3.5 §A.5.
///
/// Holds zlib's state and one piece of output; gives pieces of one size, the last one shorter and of even length. Used
/// by one thread.
public final class Deflater {
    /// Bytes of each piece that is given.
    public static let pieceByteCount = 64 << 10
    private static let level: Int32 = 6

    private var stream = z_stream()
    private var output = [UInt8](repeating: 0, count: pieceByteCount)
    private let give: (UnsafeRawBufferPointer) throws -> Void
    private var isOddSoFar = false

    /// Nil when there is no memory for it.
    public init?(give: @escaping (UnsafeRawBufferPointer) throws -> Void) {
        self.give = give
        // Without zlib's own header, as PS3.5 wants.
        guard huizhen_deflate_init(&stream, Self.level, -15) == Z_OK else { return nil }
    }

    deinit { deflateEnd(&stream) }

    public func feed(_ bytes: UnsafeRawBufferPointer) throws { try run(bytes, Z_NO_FLUSH) }

    /// Gives what is left.
    public func finish() throws { try run(UnsafeRawBufferPointer(start: nil, count: 0), Z_FINISH) }

    private func run(_ bytes: UnsafeRawBufferPointer, _ flush: Int32) throws {
        stream.next_in = UnsafeMutablePointer(mutating: bytes.assumingMemoryBound(to: UInt8.self).baseAddress)
        stream.avail_in = UInt32(bytes.count)
        var count: Int
        repeat {
            count = output.withUnsafeMutableBufferPointer { buffer in
                stream.next_out = buffer.baseAddress
                stream.avail_out = UInt32(buffer.count)
                _ = deflate(&stream, flush)
                return buffer.count - Int(stream.avail_out)
            }
            let isEnd = flush == Z_FINISH && count < output.count
            if count % 2 == 1 { isOddSoFar.toggle() }
            if isEnd, isOddSoFar {
                output[count] = 0
                count += 1
            }
            if count > 0 { try output.withUnsafeBytes { try give(UnsafeRawBufferPointer(rebasing: $0[..<count])) } }
        } while stream.avail_out == 0
    }
}
