import CZstd

/// One frame of Zstandard (RFC 8878) made of bytes in memory, and back. Used by one thread at a time.
final class Zstandard: @unchecked Sendable {  // one user at a time, see above
    private let compression: OpaquePointer
    private let decompression: OpaquePointer

    /// - Throws: `.ours` without memory.
    init() throws(TransferError) {
        guard let compression = ZSTD_createCCtx() else { throw .ours("there is no memory to compress with") }
        guard let decompression = ZSTD_createDCtx() else {
            ZSTD_freeCCtx(compression)
            throw .ours("there is no memory to decompress with")
        }
        self.compression = compression
        self.decompression = decompression
    }

    deinit {
        ZSTD_freeCCtx(compression)
        ZSTD_freeDCtx(decompression)
    }

    /// The most bytes that so many become.
    static func bound(_ byteCount: Int) -> Int { ZSTD_compressBound(byteCount) }

    /// - Returns: how many bytes it became; nil where they do not fit.
    func compress(
        _ plain: UnsafeRawBufferPointer, level: Int32, into coded: UnsafeMutableRawBufferPointer
    ) -> Int? {
        let count = ZSTD_compressCCtx(
            compression, coded.baseAddress, coded.count, plain.baseAddress, plain.count, level)
        return ZSTD_isError(count) == 0 ? count : nil
    }

    /// - Returns: whether the frame is whole and fills `plain` exactly.
    func decompress(_ coded: UnsafeRawBufferPointer, into plain: UnsafeMutableRawBufferPointer) -> Bool {
        let count = ZSTD_decompressDCtx(
            decompression, plain.baseAddress, plain.count, coded.baseAddress, coded.count)
        return ZSTD_isError(count) == 0 && count == plain.count
    }

    /// A message's bytes, compressed.
    func compressed(_ message: [UInt8]) throws(TransferError) -> [UInt8] {
        let result = [UInt8](unsafeUninitializedCapacity: Self.bound(message.count)) { room, count in
            count =
                message.withUnsafeBytes { compress($0, level: 3, into: UnsafeMutableRawBufferPointer(room)) } ?? 0
        }
        guard !result.isEmpty else { throw .ours("a message could not be compressed") }
        return result
    }

    /// A message's bytes from one frame that says its length.
    ///
    /// - Throws: `.malformed` beyond `limit` bytes.
    func message(_ coded: UnsafeRawBufferPointer, limit: Int) throws(TransferError) -> [UInt8] {
        let size = ZSTD_getFrameContentSize(coded.baseAddress, coded.count)
        guard size <= UInt64(limit) else { throw .malformed("a message of more than \(limit) bytes, or of no length") }
        var isWhole = false
        let result = [UInt8](unsafeUninitializedCapacity: Int(size)) { room, count in
            isWhole = decompress(
                coded, into: UnsafeMutableRawBufferPointer(start: room.baseAddress, count: Int(size)))
            count = isWhole ? Int(size) : 0
        }
        guard isWhole else { throw .malformed("a message that is not whole") }
        return result
    }
}
