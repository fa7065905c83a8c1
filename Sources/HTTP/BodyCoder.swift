import CZlib
import CZstd
import NIOCore

/// Compresses a body piece by piece (RFC 1952, RFC 8878); used by one task at a time.
///
/// Holds the library's state, a few hundred KiB, and no more than what one piece gives.
final class BodyCoder: @unchecked Sendable {  // one task writes a body
    struct Failure: Error {}

    private static let outputByteCount = 64 << 10
    /// A body is made while the client waits: little time, most of the gain.
    private static let gzipLevel: Int32 = 1
    private static let zstdLevel: Int32 = 3
    /// A window of 512 KiB: a client need not hold more (RFC 8878 §3.1.1.1.2 advises at most 8 MiB).
    private static let zstdWindowLog: Int32 = 19

    private let form: AcceptedCoding
    private var stream = z_stream()
    private let context: OpaquePointer?

    /// - Throws: when there is no memory for it.
    init(_ form: AcceptedCoding) throws {
        self.form = form
        context = form == .zstd ? ZSTD_createCCtx() : nil
        switch form {
        case .gzip:
            // 15 for the largest window, 16 for gzip's header.
            guard huizhen_deflate_init(&stream, Self.gzipLevel, 15 + 16) == Z_OK else { throw Failure() }
        case .zstd:
            guard let context else { throw Failure() }
            _ = ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Self.zstdLevel)
            _ = ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, Self.zstdWindowLog)
        }
    }

    deinit {
        switch form {
        case .gzip: deflateEnd(&stream)
        case .zstd: ZSTD_freeCCtx(context)
        }
    }

    func code(_ input: ByteBuffer) throws -> ByteBuffer { try run(input, isEnd: false) }

    func finish() throws -> ByteBuffer { try run(ByteBuffer(), isEnd: true) }

    private func run(_ input: ByteBuffer, isEnd: Bool) throws -> ByteBuffer {
        try input.withUnsafeReadableBytes { bytes in
            switch form {
            case .gzip: try deflated(bytes, isEnd: isEnd)
            case .zstd: try zstd(bytes, isEnd: isEnd)
            }
        }
    }

    private func deflated(_ bytes: UnsafeRawBufferPointer, isEnd: Bool) throws -> ByteBuffer {
        var output = ByteBuffer()
        stream.next_in = UnsafeMutablePointer(mutating: bytes.assumingMemoryBound(to: UInt8.self).baseAddress)
        stream.avail_in = UInt32(bytes.count)
        repeat {
            try output.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.outputByteCount) { room in
                stream.next_out = room.assumingMemoryBound(to: UInt8.self).baseAddress
                stream.avail_out = UInt32(room.count)
                guard deflate(&stream, isEnd ? Z_FINISH : Z_NO_FLUSH) != Z_STREAM_ERROR else { throw Failure() }
                return room.count - Int(stream.avail_out)
            }
        } while stream.avail_out == 0
        return output
    }

    private func zstd(_ bytes: UnsafeRawBufferPointer, isEnd: Bool) throws -> ByteBuffer {
        var output = ByteBuffer()
        var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
        var isDone = false
        while !isDone {
            try output.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.outputByteCount) { room in
                var out = ZSTD_outBuffer(dst: room.baseAddress, size: room.count, pos: 0)
                let left = ZSTD_compressStream2(context, &out, &input, isEnd ? ZSTD_e_end : ZSTD_e_continue)
                guard ZSTD_isError(left) == 0 else { throw Failure() }
                isDone = isEnd ? left == 0 : input.pos == input.size
                return out.pos
            }
        }
        return output
    }
}
