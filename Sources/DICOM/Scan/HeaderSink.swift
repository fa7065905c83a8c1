/// Builds the header of a scanned dataset and notes where its pixel data lies.
struct HeaderSink: ScanSink {
    private let limits: ScanLimits
    private let held: Set<Tag>
    /// The dataset and the items around what comes next.
    private var levels: [Level]
    /// The sequences around what comes next.
    private var sequences: [(element: ElementHeader, items: [Dataset])] = []
    private var heldByteCount = 0
    private var lastDeclared: (terms: [UInt8], set: CharacterSet) = ([], .undeclared)
    private var pixels: PixelDataScan?
    /// Encapsulated data that comes now: whether it is the image's own, where it began, and how many fragments.
    private var fragments: (element: ElementHeader, isOwn: Bool, count: Int)?
    private var extendedOffsets: [UInt64] = []
    private var extendedByteCounts: [UInt64] = []

    private struct Level {
        var elements: [Element] = []
        var characterSet: CharacterSet
    }

    /// - Parameter holding: attributes of the top level whose values are held whatever their length, up to
    ///   `limits.headerByteCount`, and all of what is in them.
    init(limits: ScanLimits, holding: Set<Tag> = []) {
        self.limits = limits
        held = holding
        levels = [Level(characterSet: .undeclared)]
        levels[0].elements.reserveCapacity(128)
    }

    mutating func finish() -> (header: Dataset, pixelData: PixelDataLayout?) {
        let header = Dataset(scanned: levels[0].elements)
        let layout = pixels?.layout(
            header: header, extendedOffsets: extendedOffsets, extendedByteCounts: extendedByteCounts)
        return (header, layout)
    }

    private mutating func append(_ tag: Tag, _ vr: VR, _ value: Value) {
        levels[levels.count - 1].elements.append(Element(tag, vr, value))
    }

    // MARK: Values

    func wholeByteCount(_ header: ElementHeader) -> UInt64 {
        switch header.tag {
        case .item:
            // Only the offset table; of fragments the first bytes are enough.
            return fragments?.count == -1 ? UInt64(limits.fragmentCount) * 4 : 0
        case .pixelData: return 0
        case .floatPixelData where header.depth == 0, .doubleFloatPixelData where header.depth == 0: return 0
        case .extendedOffsetTable where header.depth == 0, .extendedOffsetTableLengths where header.depth == 0:
            return UInt64(max(limits.heldValueByteCount, limits.fragmentCount * 8))
        default:
            let isHeld = !held.isEmpty && held.contains(sequences.first?.element.tag ?? header.tag)
            return UInt64(isHeld ? limits.headerByteCount : limits.heldValueByteCount)
        }
    }

    mutating func value(
        _ header: ElementHeader, _ bytes: UnsafeRawBufferPointer, isWhole: Bool
    ) throws(ParseError) {
        if header.tag == .item {
            try fragment(header, byteCount: UInt64(bytes.count))
            if fragments?.count == 0, fragments?.isOwn == true { pixels?.readTable(bytes) }
            return
        }
        if header.tag == .dataSetTrailingPadding { return }
        if header.tag == .pixelData || header.isPixelData {
            // Empty: longer pixel data comes in parts.
            return try endParts(header, byteCount: UInt64(bytes.count))
        }
        if header.depth == 0, header.tag == .extendedOffsetTable || header.tag == .extendedOffsetTableLengths {
            readExtended(header, bytes)
            if bytes.count > limits.heldValueByteCount {
                append(header.tag, header.vr, .bulk(offset: header.valueOffset, length: UInt64(bytes.count)))
                return
            }
        }
        let held = converted(header, bytes)
        heldByteCount += held.count
        if heldByteCount > limits.headerByteCount {
            throw .headerTooLarge(limit: limits.headerByteCount, byteOffset: header.valueOffset)
        }
        append(header.tag, header.vr, .bytes(held))
        if header.tag == .specificCharacterSet { declare(held) }
    }

    /// Takes a character set into use; items mostly repeat the one around them.
    private mutating func declare(_ declared: [UInt8]) {
        if declared != lastDeclared.terms {
            lastDeclared = (declared, CharacterSet(declared: declared))
        }
        levels[levels.count - 1].characterSet = lastDeclared.set
    }

    /// The value as it is held: text in UTF-8 without padding, numbers in little endian.
    @inline(__always)
    private func converted(_ header: ElementHeader, _ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        if header.vr.isString {
            let text = UnsafeRawBufferPointer(rebasing: bytes[..<Padding.trimmedCount(bytes)])
            if text.isEmpty { return [] }
            return header.vr.isText ? levels[levels.count - 1].characterSet.utf8(text, vr: header.vr) : Array(text)
        }
        var held = Array(bytes)
        if header.isBigEndian { ByteOrder.swap(&held, unit: header.vr.unitByteCount) }
        return held
    }

    private mutating func readExtended(_ header: ElementHeader, _ bytes: UnsafeRawBufferPointer) {
        let values = (0..<bytes.count / 8).map { index in
            let value = bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self)
            return header.isBigEndian ? UInt64(bigEndian: value) : UInt64(littleEndian: value)
        }
        if header.tag == .extendedOffsetTable { extendedOffsets = values } else { extendedByteCounts = values }
    }

    // MARK: Long values

    mutating func beginParts(_ header: ElementHeader) throws(ParseError) {
        if header.tag == .item { try fragment(header, byteCount: 0) }
    }

    mutating func part(_ bytes: UnsafeRawBufferPointer) throws(ParseError) {
        if fragments?.isOwn == true { pixels?.look(at: bytes) }
    }

    mutating func endParts(_ header: ElementHeader, byteCount: UInt64) throws(ParseError) {
        if header.tag == .item {
            if fragments?.isOwn == true { pixels?.endFragment(offset: header.valueOffset, byteCount: byteCount) }
            return
        }
        if header.tag == .dataSetTrailingPadding { return }
        if header.isPixelData, pixels == nil {
            pixels = PixelDataScan(vr: header.vr, valueOffset: header.valueOffset, valueByteCount: byteCount)
        }
        append(header.tag, header.vr, .bulk(offset: header.valueOffset, length: byteCount))
    }

    // MARK: Structure

    mutating func beginSequence(_ header: ElementHeader) throws(ParseError) { sequences.append((header, [])) }

    mutating func beginItem() throws(ParseError) {
        levels.append(Level(characterSet: levels[levels.count - 1].characterSet))
    }

    mutating func endItem() throws(ParseError) {
        let elements = levels.removeLast().elements
        sequences[sequences.count - 1].items.append(Dataset(scanned: elements))
    }

    mutating func endSequence() throws(ParseError) {
        let sequence = sequences.removeLast()
        append(sequence.element.tag, .SQ, .items(sequence.items))
    }

    mutating func beginFragments(_ header: ElementHeader) throws(ParseError) {
        let isOwn = header.isPixelData && pixels == nil
        if isOwn { pixels = PixelDataScan(vr: header.vr, valueOffset: header.valueOffset, valueByteCount: nil) }
        fragments = (header, isOwn, -1)
    }

    /// Counts one item; the first is the offset table.
    private mutating func fragment(_ header: ElementHeader, byteCount: UInt64) throws(ParseError) {
        guard let count = fragments?.count else { return }
        if count >= limits.fragmentCount {
            throw .tooManyFragments(limit: limits.fragmentCount, byteOffset: header.valueOffset)
        }
        fragments?.count = count + 1
        guard count >= 0, fragments?.isOwn == true else { return }
        pixels?.beginFragment()
        if header.length == 0 { pixels?.endFragment(offset: header.valueOffset, byteCount: 0) }
    }

    mutating func endFragments(end: UInt64) throws(ParseError) {
        guard let (header, _, count) = fragments else { return }
        fragments = nil
        let value = BulkFragments(
            offset: header.valueOffset, length: end - header.valueOffset, count: max(0, count))
        append(header.tag, header.vr, .fragments(value))
    }
}

/// Turns numbers from one byte order into the other. PS3.5 §7.3.
enum ByteOrder {
    static func swap(_ bytes: inout [UInt8], unit: Int) {
        if unit == 1 { return }
        var start = 0
        while start + unit <= bytes.count {
            for index in 0..<unit / 2 { bytes.swapAt(start + index, start + unit - 1 - index) }
            start += unit
        }
    }
}
