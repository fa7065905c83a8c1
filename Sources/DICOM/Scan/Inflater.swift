import CZlib

/// Inflates a deflated dataset piece by piece. PS3.5 §A.5, RFC 1951.
///
/// Used by one thread. What cannot be inflated ends the stream and marks it damaged.
package final class Inflater {
    /// Bytes given on at once.
    private static let pieceByteCount = 64 << 10

    private var stream = z_stream()
    private var isOpen = false
    private var output: [UInt8] = []
    private var inflatedByteCount: UInt64 = 0
    private let limits: ScanLimits
    private var first: [UInt8] = []
    /// Whether the end of the deflated stream was reached.
    package private(set) var isComplete = false
    package private(set) var isDamaged = false

    package init(limits: ScanLimits) { self.limits = limits }

    deinit { if isOpen { inflateEnd(&stream) } }

    package func inflate(
        _ bytes: UnsafeRawBufferPointer, each: (UnsafeRawBufferPointer) throws(ParseError) -> Void
    ) throws(ParseError) {
        if isOpen { return try run(bytes, each: each) }
        // Two bytes tell a raw stream from one with the zlib header that some writers add against the standard.
        first += bytes
        guard first.count >= 2 else { return }
        let hasHeader = first[0] & 0x0F == 8 && (UInt(first[0]) << 8 | UInt(first[1])) % 31 == 0
        guard huizhen_inflate_init(&stream, hasHeader ? MAX_WBITS : -MAX_WBITS) == Z_OK else { throw .outOfMemory }
        isOpen = true
        output = [UInt8](repeating: 0, count: Self.pieceByteCount)
        let start = first
        first = []
        try start.withUnsafeBufferPointer { buffer throws(ParseError) in
            try run(UnsafeRawBufferPointer(buffer), each: each)
        }
    }

    private func run(
        _ bytes: UnsafeRawBufferPointer, each: (UnsafeRawBufferPointer) throws(ParseError) -> Void
    ) throws(ParseError) {
        var offset = 0
        while !isComplete, !isDamaged, offset < bytes.count {
            // zlib counts in 32 bits.
            let count = min(bytes.count - offset, 1 << 30)
            let piece = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
            offset += count
            try runPiece(piece, each: each)
        }
    }

    private func checkBounds() throws(ParseError) {
        if inflatedByteCount > limits.inflatedByteCount {
            throw .inflatedTooLarge(limit: limits.inflatedByteCount, byteOffset: limits.inflatedByteCount)
        }
        let byRatio = UInt64(stream.total_in).multipliedReportingOverflow(by: limits.inflatedRatio)
        if inflatedByteCount > limits.inflatedFreeByteCount, !byRatio.overflow, inflatedByteCount > byRatio.partialValue
        {
            throw .inflatedTooMuch(ratio: limits.inflatedRatio, byteOffset: inflatedByteCount)
        }
    }

    private func runPiece(
        _ bytes: UnsafeRawBufferPointer, each: (UnsafeRawBufferPointer) throws(ParseError) -> Void
    ) throws(ParseError) {
        // zlib does not write to its input, though its type says it may.
        stream.next_in = UnsafeMutablePointer(mutating: bytes.bindMemory(to: UInt8.self).baseAddress)
        stream.avail_in = UInt32(bytes.count)
        repeat {
            let status = output.withUnsafeMutableBufferPointer { buffer in
                stream.next_out = buffer.baseAddress
                stream.avail_out = UInt32(buffer.count)
                return CZlib.inflate(&stream, Z_NO_FLUSH)
            }
            let count = Self.pieceByteCount - Int(stream.avail_out)
            inflatedByteCount += UInt64(count)
            try checkBounds()
            try output.withUnsafeBufferPointer { buffer throws(ParseError) in
                try each(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: buffer[..<count])))
            }
            if status == Z_STREAM_END {
                isComplete = true
            } else if status != Z_OK && status != Z_BUF_ERROR {
                isDamaged = true
            }
        } while !isComplete && !isDamaged && (stream.avail_in > 0 || stream.avail_out == 0)
    }
}
