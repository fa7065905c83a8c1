/// Writes a dataset in a form that does not depend on how it was encoded.
///
/// Each record is what it holds, then what it is, so that the form can be read from its end and two different datasets
/// never give the same bytes: `tag value count 1` for a value, `tag 2` begins a sequence, `3` an item, `4` ends an item,
/// `5` a sequence, `tag 6` begins fragments, `7` ends them.
struct CanonicalSink: ScanSink {
    /// Bytes gathered before they are given on.
    private static let pieceByteCount = 16 << 10
    /// Values up to here come in one piece.
    private static let wholeByteCount: UInt64 = 4096

    /// Changes between spaces and NULs that may still be padding; no writer pads so.
    private static let pendingRunLimit = 64

    private let emit: (UnsafeRawBufferPointer) -> Void
    private var output: [UInt8] = []

    /// The long value that passes by.
    private var unit = 1
    private var cut: [UInt8] = []
    private var padding = Padding.none
    private var pendingSpaces: [(byte: UInt8, count: UInt64)] = []
    private var partByteCount: UInt64 = 0
    /// A sequence that has no item yet: an empty one is the same as an empty value.
    private var opened: Tag?
    private var isIgnored = false
    private var pixels = NativePixelByteCount()

    /// What of a value may be padding.
    private enum Padding {
        /// Nothing, but a last byte that makes the length even.
        case none
        /// Spaces and NULs at the end of text.
        case text
        /// Zeros behind the pixels, which take so many bytes.
        case behind(UInt64)
    }

    init(emit: @escaping (UnsafeRawBufferPointer) -> Void) {
        self.emit = emit
        output.reserveCapacity(Self.pieceByteCount + 64)
    }

    mutating func finish() { flush() }

    private mutating func flush() {
        if output.isEmpty { return }
        output.withUnsafeBytes { emit($0) }
        output.removeAll(keepingCapacity: true)
    }

    // MARK: Values

    func wholeByteCount(_ header: ElementHeader) -> UInt64 { Self.wholeByteCount }

    /// By the standard's VR and not the one that is written, which implicit VR does not have.
    private func allowedPadding(of header: ElementHeader) -> Padding {
        if header.isPixelData { return pixels.value.map { .behind($0) } ?? .none }
        return header.tag.group != 0xFFFE && Dictionary.vr(of: header.tag)?.isString == true ? .text : .none
    }

    private static func isLeftOut(_ tag: Tag) -> Bool {
        tag == .dataSetTrailingPadding || (tag.isGroupLength && tag.group != 0xFFFE)
    }

    private mutating func put(_ tag: Tag) {
        for shift in [24, 16, 8, 0] as [UInt32] { output.append(UInt8(truncatingIfNeeded: tag.rawValue >> shift)) }
    }

    private mutating func put(count: UInt64, kind: UInt8) {
        for index in 0..<8 { output.append(UInt8(truncatingIfNeeded: count >> (8 * UInt64(index)))) }
        output.append(kind)
        if output.count >= Self.pieceByteCount { flush() }
    }

    mutating func value(
        _ header: ElementHeader, _ bytes: UnsafeRawBufferPointer, isWhole: Bool
    ) throws(ParseError) {
        pixels.note(header, bytes)
        try beginParts(header)
        try part(bytes)
        try endParts(header, byteCount: UInt64(bytes.count))
    }

    mutating func beginParts(_ header: ElementHeader) throws(ParseError) {
        isIgnored = Self.isLeftOut(header.tag)
        if isIgnored { return }
        put(header.tag)
        unit = header.isBigEndian ? header.vr.unitByteCount : 1
        cut.removeAll(keepingCapacity: true)
        pendingSpaces.removeAll(keepingCapacity: true)
        partByteCount = 0
        padding = allowedPadding(of: header)
    }

    mutating func part(_ bytes: UnsafeRawBufferPointer) throws(ParseError) {
        if isIgnored { return }
        if unit == 1 { return write(bytes) }
        cut += bytes
        var whole = Array(cut[..<(cut.count - cut.count % unit)])
        cut.removeFirst(whole.count)
        ByteOrder.swap(&whole, unit: unit)
        whole.withUnsafeBytes { write($0) }
    }

    mutating func endParts(_ header: ElementHeader, byteCount: UInt64) throws(ParseError) {
        if isIgnored { return }
        if !cut.isEmpty { Array(cut).withUnsafeBytes { write($0) } }
        if !isText, partByteCount % 2 == 1 {
            output.append(0)
            partByteCount += 1
        }
        put(count: partByteCount, kind: 1)
    }

    private var isText: Bool {
        if case .text = padding { true } else { false }
    }

    private mutating func write(_ bytes: UnsafeRawBufferPointer) {
        switch padding {
        case .none: writeThrough(bytes)
        case .text: writeTrimmed(bytes)
        case .behind(let limit):
            let count = Int(clamping: min(UInt64(bytes.count), limit - min(partByteCount, limit)))
            writeThrough(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
            if count < bytes.count { writeTrimmed(UnsafeRawBufferPointer(rebasing: bytes[count...])) }
        }
    }

    /// Holds back what may be padding, until something comes after it.
    private mutating func writeTrimmed(_ bytes: UnsafeRawBufferPointer) {
        let isText = isText
        var end = bytes.count
        while end > 0, bytes[end - 1] == 0 || isText && bytes[end - 1] == 0x20 { end -= 1 }
        if end > 0 {
            writePendingSpaces()
            writeThrough(UnsafeRawBufferPointer(rebasing: bytes[..<end]))
        }
        for byte in bytes[end...] {
            if let last = pendingSpaces.last, last.byte == byte {
                pendingSpaces[pendingSpaces.count - 1].count += 1
            } else {
                pendingSpaces.append((byte, 1))
                if pendingSpaces.count > Self.pendingRunLimit { writePendingSpaces() }
            }
        }
    }

    /// Spaces that turned out to have something after them.
    private mutating func writePendingSpaces() {
        for (byte, count) in pendingSpaces {
            for _ in 0..<count {
                output.append(byte)
                if output.count >= Self.pieceByteCount { flush() }
            }
            partByteCount += count
        }
        pendingSpaces.removeAll(keepingCapacity: true)
    }

    private mutating func writeThrough(_ bytes: UnsafeRawBufferPointer) {
        partByteCount += UInt64(bytes.count)
        if bytes.count >= Self.pieceByteCount {
            flush()
            emit(bytes)
        } else {
            output += bytes
            if output.count >= Self.pieceByteCount { flush() }
        }
    }

    // MARK: Structure

    mutating func beginSequence(_ header: ElementHeader) throws(ParseError) { opened = header.tag }

    mutating func beginItem() throws(ParseError) {
        if let tag = opened {
            opened = nil
            put(tag)
            output.append(2)
        }
        output.append(3)
    }

    mutating func endItem() throws(ParseError) { output.append(4) }

    mutating func endSequence() throws(ParseError) {
        if let tag = opened {
            opened = nil
            put(tag)
            put(count: 0, kind: 1)
        } else {
            output.append(5)
        }
    }

    mutating func beginFragments(_ header: ElementHeader) throws(ParseError) {
        put(header.tag)
        output.append(6)
    }

    mutating func endFragments(end: UInt64) throws(ParseError) { output.append(7) }
}
