/// Writes what a scan tells in another encoding, without holding more than what must be looked at.
struct RewriteSink: ScanSink {
    /// A value of unknown VR goes out as it is: inside it everything is implicit little endian. PS3.5 §6.2.2.
    static var entersUnknownSequences: Bool { false }

    /// Values up to here come in one piece.
    private static let wholeByteCount: UInt64 = 1024

    let writer: PieceWriter
    /// Whether values of the target are in big endian.
    private let isBigEndian: Bool
    private let isExplicitVR: Bool
    let pixelData: PixelDataRewrite
    /// Whether new pixel data must be in fragments.
    private let isEncapsulated: Bool
    /// Whether pixel data that stays as it is may be in fragments, and whether it may not be.
    private let allowsFragments: Bool
    private let allowsNative: Bool
    /// Top-level attributes of the source that do not go out.
    private let omitted: Set<Tag>
    /// Elements that are still to be put in, in order.
    private var pending: ArraySlice<Element>

    /// What is known in the dataset and in each item around what comes next.
    private var contexts: [VRContext]
    /// For each open sequence whether it ends with a delimiter.
    private var delimited: [Bool] = []
    /// Open sequences from the outermost one that does not go out.
    private var skippedDepth = 0
    private var isSkippingFragments = false
    /// Whether the pixel data was replaced already.
    private(set) var hasReplaced = false

    /// The value that comes in parts.
    private var isPassing = false
    private var unit = 1
    private var cut: [UInt8] = []
    private var padding: UInt8?

    init(
        writer: PieceWriter, from: TransferSyntax, to: TransferSyntax, header: Dataset, replacing: Dataset,
        removing: Set<Tag>, pixelData: PixelDataRewrite
    ) {
        self.writer = writer
        isBigEndian = writer.encoding.isBigEndian
        isExplicitVR = writer.encoding.isExplicitVR
        self.pixelData = pixelData
        isEncapsulated = to.isEncapsulated
        allowsFragments = to.isEncapsulated || from == to
        allowsNative = !to.isEncapsulated || from == to
        omitted = replacing.elements.reduce(into: removing) { $0.insert($1.tag) }
        pending = replacing.elements[...]
        contexts = [VRContext(header: header)]
    }

    mutating func finish() throws(ParseError) {
        try writePending(before: nil)
        if case .passThrough = pixelData {} else if !hasReplaced { throw writer.stop(.noPixelData) }
        try writer.finish()
    }

    // MARK: Values

    func wholeByteCount(_ header: ElementHeader) -> UInt64 { header.isPixelData ? 0 : Self.wholeByteCount }

    mutating func value(
        _ header: ElementHeader, _ bytes: UnsafeRawBufferPointer, isWhole: Bool
    ) throws(ParseError) {
        if !isWhole { throw writer.stop(.truncated(byteOffset: header.valueOffset + UInt64(bytes.count))) }
        guard try begin(header, byteCount: UInt64(bytes.count)) else { return }
        contexts[contexts.count - 1].note(header.tag, bytes, isBigEndian: header.isBigEndian)
        try write(bytes)
        try end()
    }

    mutating func beginParts(_ header: ElementHeader) throws(ParseError) {
        isPassing = try begin(header, byteCount: header.length ?? 0)
    }

    mutating func part(_ bytes: UnsafeRawBufferPointer) throws(ParseError) {
        if isPassing { try write(bytes) }
    }

    mutating func endParts(_ header: ElementHeader, byteCount: UInt64) throws(ParseError) {
        if byteCount != header.length { throw writer.stop(.truncated(byteOffset: header.valueOffset + byteCount)) }
        if isPassing { try end() }
        isPassing = false
    }

    /// Writes an element's header. Returns false when the value does not go out.
    private mutating func begin(_ header: ElementHeader, byteCount: UInt64) throws(ParseError) -> Bool {
        if skippedDepth > 0 { return false }
        if header.tag == .item {
            if isSkippingFragments { return false }
            // Fragments keep even an odd length: offset tables count on it.
            unit = header.isBigEndian == isBigEndian ? 1 : header.vr.unitByteCount
            padding = nil
            try writer.writeDelimiter(.item, length: UInt32(truncatingIfNeeded: byteCount))
            return true
        }
        if header.tag.isGroupLength { return false }
        if header.depth == 0 {
            guard try enterTopLevel(header) else { return false }
            if header.tag == .pixelData, !allowsNative, byteCount > 0 {
                throw writer.stop(.pixelDataDoesNotFit(byteOffset: header.valueOffset))
            }
        }
        let paddedCount = byteCount + (byteCount & 1)
        var vr = header.vr
        // What is too long for a length of 16 bits is written as UN, which is in little endian. PS3.5 §6.2.2.
        let isTooLong = isExplicitVR && paddedCount > 0xFFFE && !vr.isLong
        if byteCount > 0, !isExplicitVR || isTooLong, vr != .SQ, Dictionary.vr(of: header.tag) == .SQ {
            // Where no VR is written, the tag says that items follow.
            throw writer.stop(.valueOfSequence(byteOffset: header.valueOffset))
        }
        if isExplicitVR {
            if !header.isVRWritten { vr = contexts[contexts.count - 1].vr(of: header.tag, vr) }
            padding = byteCount & 1 == 1 ? vr.paddingByte : nil
            let isSwapped = header.isBigEndian != (isBigEndian && !isTooLong && vr != .UN)
            unit = isSwapped ? (header.isBigEndian ? header.vr : vr).unitByteCount : 1
            if isTooLong { vr = .UN }
        } else {
            padding = byteCount & 1 == 1 ? vr.paddingByte : nil
            unit = header.isBigEndian ? vr.unitByteCount : 1
        }
        try writer.writeHeader(header.tag, vr, length: UInt32(truncatingIfNeeded: paddedCount))
        return true
    }

    private mutating func write(_ bytes: UnsafeRawBufferPointer) throws(ParseError) {
        if unit == 1 { return try writer.write(bytes) }
        var rest = bytes
        if !cut.isEmpty {
            let count = min(unit - cut.count, rest.count)
            cut += rest[..<count]
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            if cut.count < unit { return }
            try writeCut()
        }
        let wholeCount = rest.count - rest.count % unit
        try writer.write(UnsafeRawBufferPointer(rebasing: rest[..<wholeCount]), swapping: unit)
        cut += rest[wholeCount...]
    }

    /// Writes a number that came in two parts; one that never became whole as it is.
    private mutating func writeCut() throws(ParseError) {
        let bytes = cut
        cut.removeAll(keepingCapacity: true)
        try bytes.withUnsafeBufferPointer { buffer throws(ParseError) in
            try writer.write(UnsafeRawBufferPointer(buffer), swapping: unit)
        }
    }

    private mutating func end() throws(ParseError) {
        if !cut.isEmpty { try writeCut() }
        if let padding { try writer.write(byte: padding) }
    }

    // MARK: Top level

    /// Puts in what comes before this element. Returns false when the element itself does not go out.
    private mutating func enterTopLevel(_ header: ElementHeader) throws(ParseError) -> Bool {
        try writePending(before: header.tag)
        if omitted.contains(header.tag) { return false }
        if header.tag == .pixelData { return try keepsPixelData(header) }
        return true
    }

    private mutating func keepsPixelData(_ header: ElementHeader) throws(ParseError) -> Bool {
        let isFitting =
            switch pixelData {
            case .passThrough: true
            case .native: !isEncapsulated
            case .encapsulated: isEncapsulated
            }
        if !isFitting { throw writer.stop(.pixelDataDoesNotFit(byteOffset: header.valueOffset)) }
        if case .passThrough = pixelData { return true }
        if !hasReplaced { try PixelDataOutput(writer: writer).write(pixelData) }
        hasReplaced = true
        return false
    }

    private mutating func writePending(before tag: Tag?) throws(ParseError) {
        while let element = pending.first {
            if let tag, element.tag > tag { return }
            pending.removeFirst()
            if case .bytes(let bytes) = element.value {
                bytes.withUnsafeBytes { contexts[0].note(element.tag, $0, isBigEndian: false) }
            }
            try ElementOutput(writer: writer).write(element)
        }
    }

    // MARK: Structure

    mutating func beginSequence(_ header: ElementHeader) throws(ParseError) {
        if skippedDepth == 0, header.depth == 0, try !enterTopLevel(header) {
            skippedDepth = 1
            return
        }
        if skippedDepth > 0 {
            skippedDepth += 1
            return
        }
        let isEmpty = header.length == 0
        delimited.append(!isEmpty)
        try writer.writeHeader(header.tag, .SQ, length: isEmpty ? 0 : .max)
    }

    mutating func beginItem() throws(ParseError) {
        if skippedDepth > 0 { return }
        contexts.append(contexts[contexts.count - 1].inner)
        try writer.writeDelimiter(.item, length: .max)
    }

    mutating func endItem() throws(ParseError) {
        if skippedDepth > 0 { return }
        contexts.removeLast()
        try writer.writeDelimiter(.itemDelimitationItem)
    }

    mutating func endSequence() throws(ParseError) {
        if skippedDepth > 0 {
            skippedDepth -= 1
            return
        }
        if delimited.removeLast() { try writer.writeDelimiter(.sequenceDelimitationItem) }
    }

    mutating func beginFragments(_ header: ElementHeader) throws(ParseError) {
        isSkippingFragments = true
        if skippedDepth > 0 { return }
        if header.depth == 0, try !enterTopLevel(header) { return }
        if !allowsFragments { throw writer.stop(.pixelDataDoesNotFit(byteOffset: header.valueOffset)) }
        isSkippingFragments = false
        let vr = header.isVRWritten && header.vr.isLong ? header.vr : .OB
        try writer.writeHeader(header.tag, vr, length: .max)
    }

    mutating func endFragments(end: UInt64) throws(ParseError) {
        if skippedDepth == 0, !isSkippingFragments { try writer.writeDelimiter(.sequenceDelimitationItem) }
        isSkippingFragments = false
    }
}
