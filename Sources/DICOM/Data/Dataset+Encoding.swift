/// Datasets as bytes. PS3.5 §7.
extension Dataset {
    /// The encoded dataset: values padded to even length, sequences of defined length, group lengths left out.
    ///
    /// Values that are not held (`.bulk`, `.fragments`) are left out. Text goes out in `characterSet` if that has all
    /// its characters, else in UTF-8; (0008,0005) is written accordingly when any text is not ASCII.
    ///
    /// - Parameters:
    ///   - transferSyntax: implicit or explicit VR, little or big endian; others count as explicit little endian.
    ///   - characterSet: nil for UTF-8, as text is held.
    public func encoded(transferSyntax: TransferSyntax, characterSet: CharacterSet? = nil) -> [UInt8] {
        var characterSet = characterSet
        let isASCII = isTextASCII
        if let wanted = characterSet, isASCII || !wanted.canEncode(self) { characterSet = nil }
        var writer = DatasetWriter(encoding: ElementEncoding(transferSyntax), characterSet: characterSet)
        writer.bytes.reserveCapacity(elements.count * 32)
        if isASCII {
            writer.write(self, specificCharacterSet: nil)
        } else {
            writer.write(self, specificCharacterSet: (characterSet ?? .utf8).definedTerms.joined(separator: "\\"))
        }
        return writer.bytes
    }

    /// Whether all text is ASCII, in items too.
    var isTextASCII: Bool {
        elements.allSatisfy { element in
            switch element.value {
            case .bytes(let bytes): !element.vr.isText || bytes.withUnsafeBytes { UTF8Text.isASCII($0) }
            case .items(let items): items.allSatisfy(\.isTextASCII)
            case .bulk, .fragments: true
            }
        }
    }
}

extension CharacterSet {
    /// Whether this set has all characters of a dataset's text, items included.
    func canEncode(_ dataset: Dataset) -> Bool {
        dataset.elements.allSatisfy { element in
            switch element.value {
            case .bytes(let bytes):
                !element.vr.isText || bytes.withUnsafeBytes { encode(utf8: $0, vr: element.vr) } != nil
            case .items(let items): items.allSatisfy { canEncode($0) }
            case .bulk, .fragments: true
            }
        }
    }
}

/// Writes datasets; recursive, for a dataset in memory is no deeper than the limit it was read with.
private struct DatasetWriter {
    let encoding: ElementEncoding
    /// nil when text goes out as it is held.
    let characterSet: CharacterSet?
    var bytes: [UInt8] = []
    /// As it stands in a value of VR UN, which is little endian.
    private static let itemTag: [UInt8] = [0xFE, 0xFF, 0x00, 0xE0]

    init(encoding: ElementEncoding, characterSet: CharacterSet?) {
        self.encoding = encoding
        self.characterSet = characterSet
    }

    /// - Parameter specificCharacterSet: what to declare; nil to leave declarations as they are.
    mutating func write(_ dataset: Dataset, specificCharacterSet: String?, isItem: Bool = false) {
        var mustDeclare = specificCharacterSet != nil && !isItem
        for element in dataset.elements {
            if mustDeclare, element.tag >= .specificCharacterSet {
                declare(specificCharacterSet ?? "")
                mustDeclare = false
            }
            if specificCharacterSet != nil, element.tag == .specificCharacterSet { continue }
            if element.tag.isGroupLength { continue }
            switch element.value {
            case .bytes(let value): write(element, value)
            case .items(let items): write(element, items, specificCharacterSet)
            case .bulk, .fragments: continue
            }
        }
        if mustDeclare { declare(specificCharacterSet ?? "") }
    }

    private mutating func declare(_ terms: String) {
        write(Element(.specificCharacterSet, .CS, .bytes([])), Array(terms.utf8))
    }

    private mutating func write(_ element: Element, _ held: [UInt8]) {
        var value = held
        if element.vr.isText, let characterSet {
            value = held.withUnsafeBytes { characterSet.encode(utf8: $0, vr: element.vr) } ?? held
        }
        if value.count % 2 == 1 { value.append(element.vr.paddingByte) }
        var vr = element.vr
        // What is too long for a length of 16 bits is written as UN. PS3.5 §6.2.2.
        if encoding.isExplicitVR, !vr.isLong, value.count > 0xFFFE { vr = .UN }
        // A value that is no sequence and begins as one would be read as one under UN.
        if vr == .UN, value.starts(with: Self.itemTag) { vr = .OB }
        if encoding.isBigEndian, vr != .UN { ByteOrder.swap(&value, unit: vr.unitByteCount) }
        header(element.tag, vr, byteCount: value.count)
        bytes += value
    }

    private mutating func write(_ element: Element, _ items: [Dataset], _ specificCharacterSet: String?) {
        header(element.tag, .SQ, byteCount: 0)
        let start = bytes.count
        for item in items {
            put(.item)
            put32(0)
            let itemStart = bytes.count
            write(item, specificCharacterSet: specificCharacterSet, isItem: true)
            patch(itemStart)
        }
        patch(start)
    }

    private mutating func header(_ tag: Tag, _ vr: VR, byteCount: Int) {
        put(tag)
        if !encoding.isExplicitVR { return put32(UInt32(byteCount)) }
        bytes.append(UInt8(vr.rawValue >> 8))
        bytes.append(UInt8(vr.rawValue & 0xFF))
        if vr.isLong {
            put16(0)
            put32(UInt32(byteCount))
        } else {
            put16(UInt16(byteCount))
        }
    }

    /// Writes the count of bytes since `start` just before it.
    private mutating func patch(_ start: Int) {
        let count = UInt32(bytes.count - start)
        for index in 0..<4 {
            let shift = UInt32(encoding.isBigEndian ? 24 - 8 * index : 8 * index)
            bytes[start - 4 + index] = UInt8(truncatingIfNeeded: count >> shift)
        }
    }

    private mutating func put(_ tag: Tag) {
        put16(tag.group)
        put16(tag.element)
    }

    private mutating func put16(_ value: UInt16) {
        let low = UInt8(truncatingIfNeeded: value)
        let high = UInt8(truncatingIfNeeded: value >> 8)
        bytes.append(encoding.isBigEndian ? high : low)
        bytes.append(encoding.isBigEndian ? low : high)
    }

    private mutating func put32(_ value: UInt32) {
        let low = UInt16(truncatingIfNeeded: value)
        let high = UInt16(truncatingIfNeeded: value >> 16)
        put16(encoding.isBigEndian ? high : low)
        put16(encoding.isBigEndian ? low : high)
    }
}
