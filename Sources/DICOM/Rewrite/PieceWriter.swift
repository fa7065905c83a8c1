/// Gathers a written dataset and gives it on in pieces of one size, the last one shorter.
///
/// Used by one thread. A class, so that what pulls frames can write beside the sink that called it.
final class PieceWriter {
    typealias Emit = (_ piece: UnsafeRawBufferPointer, _ isLast: Bool) throws -> Void

    /// Room behind a piece into which a header may reach.
    private static let slackByteCount = 16
    /// Bytes whose order is changed at once; a multiple of every unit.
    private static let swapByteCount = 16 << 10

    let encoding: ElementEncoding
    private let pieceByteCount: Int
    private let piece: UnsafeMutableRawBufferPointer
    private var count = 0
    private let emit: Emit
    private var swapped: [UInt8] = []
    private(set) var byteCount: UInt64 = 0
    /// What went wrong first; then nothing more is written.
    private(set) var failure: RewriteError?

    init(encoding: ElementEncoding, pieceByteCount: Int, emit: @escaping Emit) {
        self.encoding = encoding
        self.pieceByteCount = max(Self.slackByteCount, pieceByteCount & ~1)
        self.emit = emit
        piece = .allocate(byteCount: self.pieceByteCount + Self.slackByteCount, alignment: 16)
    }

    deinit { piece.deallocate() }

    /// Notes what went wrong, unless something did before; what is returned ends the scan.
    func stop(_ error: RewriteError) -> ParseError {
        if failure == nil { failure = error }
        return .truncated(byteOffset: byteCount)
    }

    // MARK: Pieces

    /// The last piece, which is empty when nothing was written.
    ///
    /// - Parameter isCutOff: leaves out a last odd byte of what ends too early anyway: no fragment of a message may have an
    ///   odd length, PS3.8 §9.3.5.1.
    func finish(isCutOff: Bool = false) throws(ParseError) {
        if isCutOff { count &= ~1 }
        try give(count, isLast: true)
    }

    private func give(_ byteCount: Int, isLast: Bool) throws(ParseError) {
        if failure != nil { throw .truncated(byteOffset: self.byteCount) }
        self.byteCount += UInt64(byteCount)
        do { try emit(UnsafeRawBufferPointer(rebasing: piece[..<byteCount]), isLast) } catch {
            throw stop(.output(error))
        }
        count -= byteCount
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(ParseError) {
        var rest = bytes
        while rest.count > pieceByteCount - count {
            let room = pieceByteCount - count
            copy(UnsafeRawBufferPointer(rebasing: rest[..<room]))
            rest = UnsafeRawBufferPointer(rebasing: rest[room...])
            try give(pieceByteCount, isLast: false)
        }
        copy(rest)
    }

    private func copy(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        (piece.baseAddress! + count).copyMemory(from: start, byteCount: bytes.count)
        count += bytes.count
    }

    /// A header was put behind the piece's end: gives the piece on and keeps what is beyond.
    private func settle() throws(ParseError) {
        let beyond = count - pieceByteCount
        guard beyond > 0 else { return }
        try give(pieceByteCount, isLast: false)
        let start = piece.baseAddress!
        start.copyMemory(from: start + pieceByteCount, byteCount: beyond)
    }

    func write(byte: UInt8) throws(ParseError) {
        piece[count] = byte
        count += 1
        try settle()
    }

    /// Writes numbers of `unit` bytes in the other byte order; bytes after the last whole one stay as they are.
    func write(_ bytes: UnsafeRawBufferPointer, swapping unit: Int) throws(ParseError) {
        if unit == 1 { return try write(bytes) }
        if swapped.isEmpty { swapped = [UInt8](repeating: 0, count: Self.swapByteCount) }
        var rest = bytes
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest.prefix(Self.swapByteCount))
            swapped.withUnsafeMutableBytes { ByteOrder.copy(part, to: $0, swapping: unit) }
            try swapped.withUnsafeBufferPointer { buffer throws(ParseError) in
                try write(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: buffer[..<part.count])))
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[part.count...])
        }
    }

    // MARK: Headers

    @inline(__always)
    private func put(_ value: UInt16) {
        let ordered = encoding.isBigEndian ? value.bigEndian : value.littleEndian
        piece.storeBytes(of: ordered, toByteOffset: count, as: UInt16.self)
        count += 2
    }

    @inline(__always)
    private func put(_ value: UInt32) {
        let ordered = encoding.isBigEndian ? value.bigEndian : value.littleEndian
        piece.storeBytes(of: ordered, toByteOffset: count, as: UInt32.self)
        count += 4
    }

    /// An item or a delimiter. PS3.5 §7.5.
    func writeDelimiter(_ tag: Tag, length: UInt32 = 0) throws(ParseError) {
        put(tag.group)
        put(tag.element)
        put(length)
        try settle()
    }

    /// What precedes a value; a length above 0xFFFE asks for a VR with a long one. PS3.5 §7.1.
    func writeHeader(_ tag: Tag, _ vr: VR, length: UInt32) throws(ParseError) {
        guard encoding.isExplicitVR else { return try writeDelimiter(tag, length: length) }
        put(tag.group)
        put(tag.element)
        piece[count] = UInt8(vr.rawValue >> 8)
        piece[count + 1] = UInt8(vr.rawValue & 0xFF)
        count += 2
        if vr.isLong {
            put(UInt16(0))
            put(length)
        } else {
            put(UInt16(truncatingIfNeeded: length))
        }
        try settle()
    }
}

extension ByteOrder {
    /// Copies numbers of `unit` bytes into the other byte order; bytes after the last whole one are copied as they are.
    static func copy(_ bytes: UnsafeRawBufferPointer, to result: UnsafeMutableRawBufferPointer, swapping unit: Int) {
        switch unit {
        case 2: copy(bytes, to: result, as: UInt16.self)
        case 4: copy(bytes, to: result, as: UInt32.self)
        case 8: copy(bytes, to: result, as: UInt64.self)
        default: UnsafeMutableRawBufferPointer(rebasing: result[..<bytes.count]).copyMemory(from: bytes)
        }
    }

    private static func copy<Number: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: UnsafeRawBufferPointer, to result: UnsafeMutableRawBufferPointer, as type: Number.Type
    ) {
        let unit = MemoryLayout<Number>.size
        let end = bytes.count - bytes.count % unit
        for offset in stride(from: 0, to: end, by: unit) {
            let number = bytes.loadUnaligned(fromByteOffset: offset, as: type)
            result.storeBytes(of: number.byteSwapped, toByteOffset: offset, as: type)
        }
        for offset in end..<bytes.count { result[offset] = bytes[offset] }
    }
}
