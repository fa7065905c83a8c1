import Keys
import NIOCore

/// Pieces of objects on their way. `Docs/TRANSFER.md` §4.
///
/// Little endian: "HZCHUNK1", the number of pieces (4 bytes), a head of 56 bytes for each piece, then their bytes in the same
/// order. A head: object (4), coding (1: 0 as it is, 1 Zstandard), zeros (3), offset (8), bytes (4), coded bytes (4), SHA-256 of
/// the plain bytes (32), which is zeros where the piece is a whole object, whose digest was announced.
struct Chunk {
    static let magic = Array("HZCHUNK1".utf8)
    static let headByteCount = 56
    static let pieceLimit = 4096
    /// Bytes of all pieces of a chunk, before they are compressed.
    static let plainByteCountLimit = 8 << 20
    static let byteCountLimit = plainByteCountLimit + 12 + pieceLimit * headByteCount + (64 << 10)

    enum Coding: UInt8 {
        case plain = 0
        case zstandard = 1
    }

    struct Head {
        var piece: Piece
        var coding: Coding
        var codedByteCount: UInt32
        var digest: [UInt8]
    }

    static let noDigest = [UInt8](repeating: 0, count: SHA256Digest.byteCount)

    /// The heads of a chunk, whose bytes follow in `bytes` then.
    ///
    /// - Throws: `.malformed`; every length fits what is there.
    static func heads(_ bytes: inout ByteBuffer) throws(TransferError) -> [Head] {
        guard bytes.readableBytes <= byteCountLimit, bytes.readBytes(length: magic.count) == magic,
            let count = bytes.readInteger(endianness: .little, as: UInt32.self),
            (1...UInt32(pieceLimit)).contains(count),
            bytes.readableBytes >= Int(count) * headByteCount
        else { throw .malformed("a chunk without its head") }
        var result: [Head] = []
        var plain = 0
        var coded = 0
        for _ in 0..<count {
            guard let object = bytes.readInteger(endianness: .little, as: UInt32.self),
                let code = bytes.readInteger(as: UInt8.self), let coding = Coding(rawValue: code),
                bytes.readBytes(length: 3) == [0, 0, 0],
                let offset = bytes.readInteger(endianness: .little, as: UInt64.self),
                let byteCount = bytes.readInteger(endianness: .little, as: UInt32.self),
                let codedByteCount = bytes.readInteger(endianness: .little, as: UInt32.self),
                let digest = bytes.readBytes(length: SHA256Digest.byteCount), offset < 1 << 62
            else { throw .malformed("a chunk with a broken head") }
            plain += Int(byteCount)
            coded += Int(codedByteCount)
            guard plain <= plainByteCountLimit, coded <= byteCountLimit,
                coding == .zstandard || byteCount == codedByteCount
            else { throw .malformed("a chunk with more bytes than are taken") }
            result.append(
                Head(
                    piece: Piece(object: Int(object), offset: offset, byteCount: byteCount), coding: coding,
                    codedByteCount: codedByteCount, digest: digest))
        }
        guard bytes.readableBytes == coded else { throw .malformed("a chunk that is not as long as it says") }
        return result
    }

    /// Writes chunks; one thread at a time.
    struct Writer {
        private(set) var buffer: ByteBuffer
        private var next: Int

        init(pieceCount: Int, byteCount: Int) {
            buffer = ByteBuffer()
            buffer.reserveCapacity(12 + pieceCount * headByteCount + byteCount)
            buffer.writeBytes(magic)
            buffer.writeInteger(UInt32(pieceCount), endianness: .little)
            next = buffer.writerIndex
            buffer.writeRepeatingByte(0, count: pieceCount * headByteCount)
        }

        /// Bytes are written by `write` at the end; then their head is known.
        mutating func append(
            _ piece: Piece, _ write: (inout ByteBuffer) throws(TransferError) -> (coding: Coding, digest: [UInt8])
        ) throws(TransferError) {
            let start = buffer.writerIndex
            let (coding, digest) = try write(&buffer)
            var head = ByteBuffer()
            head.writeInteger(UInt32(piece.object), endianness: .little)
            head.writeInteger(coding.rawValue)
            head.writeRepeatingByte(0, count: 3)
            head.writeInteger(piece.offset, endianness: .little)
            head.writeInteger(piece.byteCount, endianness: .little)
            head.writeInteger(UInt32(buffer.writerIndex - start), endianness: .little)
            head.writeBytes(digest)
            buffer.setBuffer(head, at: next)
            next += headByteCount
        }
    }
}
