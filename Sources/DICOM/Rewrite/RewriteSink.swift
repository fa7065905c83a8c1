/// Writes what a scan tells in another encoding, without holding more than what must be looked at.
struct RewriteSink: ScanSink {
    /// A value of unknown VR goes out as it is: inside it everything is implicit little endian. PS3.5 §6.2.2. Unless the
    /// text in it changes.
    var entersUnknownSequences: Bool { recoding != nil }

    /// Values up to here come in one piece.
    private static let wholeByteCount: UInt64 = 1024

    let writer: PieceWriter
    /// Whether values of the target are in big endian.
    private let isBigEndian: Bool
    private let isExplicitVR: Bool
    let pixelData: PixelDataRewrite
    let recoding: TextRecoding?
    /// Whether a source that ends too early goes out as far as it goes.
    let keepsTruncation: Bool
    /// Whether new pixel data must be in fragments.
    private let isEncapsulated: Bool
    /// Whether pixel data that stays as it is may be in fragments, and whether it may not be.
    let allowsFragments: Bool
    private let allowsNative: Bool
    /// Top-level attributes of the source that do not go out.
    private let omitted: Set<Tag>
    /// Elements that are still to be put in, in order.
    private var pending: ArraySlice<Element>

    /// What is known in the dataset and in each item around what comes next.
    var contexts: [VRContext]
    /// For each open sequence whether it ends with a delimiter.
    var delimited: [Bool] = []
    /// Open sequences from the outermost one that does not go out.
    var skippedDepth = 0
    var isSkippingFragments = false
    /// Whether the pixel data was replaced already.
    private(set) var hasReplaced = false

    /// The value that comes in parts.
    private var isPassing = false
    private var unit = 1
    private var cut: [UInt8] = []
    private var padding: UInt8?
    /// Whether the value that passes is a long text that is made anew.
    private var isRecoding = false
    /// Whether the source has ended too early: nothing that would hide it follows.
    var isCutOff = false

    init(
        writer: PieceWriter, from: TransferSyntax, to: TransferSyntax, header: Dataset, replacing: Dataset,
        removing: Set<Tag>, pixelData: PixelDataRewrite, recoding: TextRecoding?, keepsTruncation: Bool
    ) {
        self.writer = writer
        isBigEndian = writer.encoding.isBigEndian
        isExplicitVR = writer.encoding.isExplicitVR
        self.pixelData = pixelData
        self.recoding = recoding
        self.keepsTruncation = keepsTruncation
        isEncapsulated = to.isEncapsulated
        allowsFragments = to.isEncapsulated || from == to
        allowsNative = !to.isEncapsulated || from == to
        omitted = replacing.elements.reduce(into: removing) { $0.insert($1.tag) }
        pending = replacing.elements[...]
        contexts = [VRContext(header: header)]
    }

    mutating func finish() throws(ParseError) {
        // What comes behind the place where the source is cut off would be taken for the rest of it.
        if isCutOff, !pending.isEmpty { throw writer.stop(.truncated(byteOffset: writer.byteCount)) }
        try writePending(before: nil)
        if case .passThrough = pixelData {} else if !hasReplaced { throw writer.stop(.noPixelData) }
        try writer.finish(isCutOff: isCutOff)
    }

    // MARK: Values

    func wholeByteCount(_ header: ElementHeader) -> UInt64 {
        if recoding != nil, header.vr.isText { return UInt64(TextRecoding.heldByteCount) }
        return header.isPixelData ? 0 : Self.wholeByteCount
    }

    mutating func value(
        _ header: ElementHeader, _ bytes: UnsafeRawBufferPointer, isWhole: Bool
    ) throws(ParseError) {
        if !isWhole { return try writeCutOff(header, bytes) }
        if let recoding, skippedDepth == 0 {
            if header.tag == .specificCharacterSet {
                recoding.declare(bytes)
                // One holds for all.
                if recoding.isInItem { return }
            } else if header.vr.isText, let text = recoding.utf8(bytes, vr: header.vr) {
                return try text.withUnsafeBufferPointer { text throws(ParseError) in
                    try writeWhole(header, UnsafeRawBufferPointer(text))
                }
            }
        }
        try writeWhole(header, bytes)
    }

    private mutating func writeWhole(_ header: ElementHeader, _ bytes: UnsafeRawBufferPointer) throws(ParseError) {
        guard try begin(header, byteCount: UInt64(bytes.count)) else { return }
        contexts[contexts.count - 1].note(header.tag, bytes, isBigEndian: header.isBigEndian)
        try write(bytes)
        try end()
    }

    mutating func beginParts(_ header: ElementHeader) throws(ParseError) {
        guard let recoding, header.vr.isText, skippedDepth == 0 else {
            isPassing = try begin(header, byteCount: header.length ?? 0)
            return
        }
        (isRecoding, isPassing) = (true, false)
        let byteCount = recoding.beginLong(at: header.valueOffset, vr: header.vr)
        if recoding.isPreparing { return }
        guard let byteCount, byteCount < UInt32.max - 1 else {
            throw writer.stop(.textDoesNotFit(byteOffset: header.valueOffset))
        }
        isPassing = try begin(header, byteCount: byteCount)
    }

    mutating func part(_ bytes: UnsafeRawBufferPointer) throws(ParseError) {
        if isRecoding, let recoding {
            try writeRecoded(recoding.long(bytes))
        } else if isPassing {
            try write(bytes)
        }
    }

    private mutating func writeRecoded(_ text: [UInt8]) throws(ParseError) {
        guard isPassing else { return }
        try text.withUnsafeBufferPointer { text throws(ParseError) in try write(UnsafeRawBufferPointer(text)) }
    }

    mutating func endParts(_ header: ElementHeader, byteCount: UInt64) throws(ParseError) {
        defer { (isPassing, isRecoding) = (false, false) }
        if isRecoding, let recoding {
            try writeRecoded(recoding.endLong(at: header.valueOffset, vr: header.vr))
            if byteCount != header.length { throw truncated(header, byteCount) }
        } else if byteCount != header.length {
            guard keepsTruncation, isPassing else { throw truncated(header, byteCount) }
            return try cutOff()
        }
        if isPassing { try end() }
    }

    // MARK: The end of a source that ends too early

    private func truncated(_ header: ElementHeader, _ byteCount: UInt64) -> ParseError {
        writer.stop(.truncated(byteOffset: header.valueOffset + byteCount))
    }

    /// The beginning of a short value, under the length that all of it would have.
    private mutating func writeCutOff(
        _ header: ElementHeader, _ bytes: UnsafeRawBufferPointer
    ) throws(ParseError) {
        let isMadeAnew = recoding != nil && (header.vr.isText || header.tag == .specificCharacterSet)
        guard keepsTruncation, !isMadeAnew, let length = header.length, try begin(header, byteCount: length) else {
            throw truncated(header, UInt64(bytes.count))
        }
        try write(bytes)
        try cutOff()
    }

    /// From here on nothing is written: no delimiter, no padding.
    mutating func cutOff() throws(ParseError) {
        if skippedDepth > 0 || isSkippingFragments { throw writer.stop(.truncated(byteOffset: writer.byteCount)) }
        if !cut.isEmpty { try writeCut() }
        isCutOff = true
    }

    /// The beginning of a header, which is in the target's encoding.
    func writeCutOff(headerBytes: [UInt8]) throws(ParseError) {
        try headerBytes.withUnsafeBufferPointer { bytes throws(ParseError) in
            try writer.write(UnsafeRawBufferPointer(bytes))
        }
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
    mutating func enterTopLevel(_ header: ElementHeader) throws(ParseError) -> Bool {
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
}
