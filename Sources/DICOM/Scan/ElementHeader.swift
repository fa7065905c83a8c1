/// What precedes a value: tag, VR and length, as the scan understands them.
struct ElementHeader {
    var tag: Tag
    var vr: VR
    /// Bytes of the value, cut to what encloses it; nil when undefined.
    var length: UInt64?
    /// Offset of the value's first byte.
    var valueOffset: UInt64
    /// Whether the value's numbers are in big endian.
    var isBigEndian: Bool
    /// Sequences around this element.
    var depth: Int
    /// Whether `vr` is what the stream says, and not what the dictionary knows.
    var isVRWritten = true

    /// Whether this is pixel data of the image itself. PS3.3 §C.7.6.3.
    var isPixelData: Bool {
        depth == 0 && (tag == .pixelData || tag == .floatPixelData || tag == .doubleFloatPixelData)
    }
}

/// How the elements of a dataset or an item are written.
struct ElementEncoding: Hashable, Sendable {
    var isExplicitVR: Bool
    var isBigEndian: Bool

    static let implicitLittleEndian = ElementEncoding(isExplicitVR: false, isBigEndian: false)
    static let explicitLittleEndian = ElementEncoding(isExplicitVR: true, isBigEndian: false)

    init(isExplicitVR: Bool, isBigEndian: Bool) {
        self.isExplicitVR = isExplicitVR
        self.isBigEndian = isBigEndian
    }

    init(_ syntax: TransferSyntax) {
        self.init(isExplicitVR: syntax.isExplicitVR, isBigEndian: syntax.isBigEndian)
    }

    @inline(__always)
    func uint16(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> UInt16 {
        let value = bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self)
        return isBigEndian ? UInt16(bigEndian: value) : UInt16(littleEndian: value)
    }

    @inline(__always)
    func uint32(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> UInt32 {
        let value = bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
        return isBigEndian ? UInt32(bigEndian: value) : UInt32(littleEndian: value)
    }

    @inline(__always)
    func tag(_ bytes: UnsafeRawBufferPointer) -> Tag { Tag(uint16(bytes, at: 0), uint16(bytes, at: 2)) }

    /// The encoding that the first eight bytes of a dataset or item are really in.
    ///
    /// Objects are met whose transfer syntax says otherwise; the first element shows it, for its group is low and its
    /// VR either two letters or the low half of a length. An item has the byte order of what is around it, unless a length
    /// goes beyond its end.
    ///
    /// - Parameter itemByteCount: bytes of the item, nil for a dataset.
    func corrected(by bytes: UnsafeRawBufferPointer, itemByteCount: UInt64? = nil) -> ElementEncoding {
        var result = self
        let tag = tag(bytes)
        if tag.group == 0xFFFE || tag.rawValue == 0 { return self }
        if tag.group & 0xFF == 0, tag.group >> 8 < 0x80, tag.group != 0 {
            let swapped = Tag(tag.group.byteSwapped, tag.element.byteSwapped)
            let isImpossible = itemByteCount.map { !isExplicitVR && uint32(bytes, at: 4) > $0 } ?? true
            if isImpossible, Dictionary.vr(of: swapped) != nil, Dictionary.vr(of: tag) == nil {
                result.isBigEndian.toggle()
            }
        }
        let vr = VR(bytes: bytes[4], bytes[5])
        let actualTag = result.tag(bytes)
        if result.isExplicitVR {
            if vr == nil, !(Self.isCapital(bytes[4]) && Self.isCapital(bytes[5])), !Self.isUnknownMark(bytes) {
                // An implicit length that is no nonsense, of a tag that could be.
                let length = result.uint32(bytes, at: 4)
                let isKnown = Dictionary.vr(of: actualTag) != nil || actualTag.isPrivate
                if isKnown, length < 1 << 28 || length == .max { result.isExplicitVR = false }
            }
        } else if let vr {
            // In a short implicit length bytes 6 and 7 are zero, in an explicit header of a private value they are not.
            let isPrivate = actualTag.isPrivate && !actualTag.isPrivateCreator
            let isWritten = !vr.isLong && result.uint16(bytes, at: 6) != 0
            if vr == Dictionary.vr(of: actualTag) || (isPrivate && isWritten) { result.isExplicitVR = true }
        }
        return result
    }

    private static func isCapital(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte) }

    /// Two question marks, blanks, dashes or zeros stand for an unknown VR in the field.
    private static func isUnknownMark(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes[4] == bytes[5] else { return false }
        switch bytes[4] {
        case UInt8(ascii: "?"), UInt8(ascii: " "), UInt8(ascii: "-"): return true
        // Four zeros are an implicit length.
        case 0: return bytes[6] | bytes[7] != 0
        default: return false
        }
    }

    /// Reads a header; nil when more bytes are needed, then at least `needed`.
    ///
    /// Delimiters have no VR in any encoding. PS3.5 §7.5. An unknown VR in capitals has a long length, as all VRs of
    /// the future; any other pair of bytes a short one.
    @inline(__always)
    func read(
        _ bytes: UnsafeRawBufferPointer, needed: inout Int
    ) -> (tag: Tag, vr: VR, length: UInt32, byteCount: Int)? {
        guard bytes.count >= 8 else {
            needed = 8
            return nil
        }
        let tag = tag(bytes)
        if tag.group == 0xFFFE, tag == .item || tag == .itemDelimitationItem || tag == .sequenceDelimitationItem {
            return (tag, .UN, uint32(bytes, at: 4), 8)
        }
        guard isExplicitVR else {
            let vr = Dictionary.vr(of: tag) ?? .UN
            return (tag, vr, uint32(bytes, at: 4), 8)
        }
        let known = VR(bytes: bytes[4], bytes[5])
        let isLong = known.map(\.isLong) ?? (Self.isCapital(bytes[4]) && Self.isCapital(bytes[5]))
        var vr = known ?? (tag == .pixelData ? .OW : .UN)
        if vr == .UN, let standard = Dictionary.vr(of: tag) { vr = standard }
        guard isLong else { return (tag, vr, UInt32(uint16(bytes, at: 6)), 8) }
        guard bytes.count >= 12 else {
            needed = 12
            return nil
        }
        return (tag, vr, uint32(bytes, at: 8), 12)
    }
}
