/// What decides between the value representations that PS3.6 leaves open, as known so far in a dataset or item.
///
/// Items take over what is known around them. PS3.5 §A.2, PS3.3 §C.7.6.3, §C.10.9, §C.11.
struct VRContext {
    private var isSigned = false
    private var bitsAllocated: UInt16 = 16
    private var waveformBitsAllocated: UInt16 = 16
    private var lutEntryCount: UInt16?

    /// - Parameter header: a header that is known already; what decides may come after what it decides.
    init(header: Dataset) {
        for tag in [Tag.pixelRepresentation, .bitsAllocated] {
            if let value = header.uint16(tag) { note(tag, value) }
        }
    }

    private static let lutDescriptor: UInt32 = 0x0028_3002

    /// Takes notice of a value, if it is one that decides.
    @inline(__always)
    mutating func note(_ tag: Tag, _ bytes: UnsafeRawBufferPointer, isBigEndian: Bool) {
        switch tag.rawValue {
        case 0x0028_0100, 0x0028_0103, Self.lutDescriptor, 0x5400_1004:
            guard bytes.count >= 2 else { return }
            let value = bytes.loadUnaligned(as: UInt16.self)
            note(tag, isBigEndian ? UInt16(bigEndian: value) : UInt16(littleEndian: value))
        default: break
        }
    }

    private mutating func note(_ tag: Tag, _ value: UInt16) {
        switch tag {
        case .pixelRepresentation: isSigned = value & 1 == 1
        case .bitsAllocated: bitsAllocated = value
        case .waveformBitsAllocated: waveformBitsAllocated = value
        default: lutEntryCount = value
        }
    }

    /// The context of an item here. A table's size belongs to its own item.
    var inner: VRContext {
        var result = self
        result.lutEntryCount = nil
        return result
    }

    /// The VR to write for an attribute whose VR was not written.
    ///
    /// - Parameter vr: the dictionary's: US for US or SS, OW for OB or OW.
    @inline(__always)
    func vr(of tag: Tag, _ vr: VR) -> VR {
        switch vr {
        case .US: isSigned && Self.isSignedWithPixels(tag) ? .SS : .US
        case .OW: wordVR(of: tag)
        default: vr
        }
    }

    private func wordVR(of tag: Tag) -> VR {
        switch tag.rawValue {
        case 0x7FE0_0010: bitsAllocated > 8 ? .OW : .OB
        case 0x5400_0110, 0x5400_0112, 0x5400_100A, 0x5400_1010: waveformBitsAllocated > 8 ? .OW : .OB
        case 0x0028_3006: lutEntryCount == 1 ? .US : .OW
        default: .OW
        }
    }

    /// The attributes of VR "US or SS", which follow Pixel Representation (0028,0103).
    private static func isSignedWithPixels(_ tag: Tag) -> Bool {
        switch tag.rawValue {
        case 0x0018_9810, 0x0022_1452, 0x0028_0071, 0x0028_0104...0x0028_0111, 0x0028_0120, 0x0028_0121,
            0x0028_1100...0x0028_1103, 0x0028_1111...0x0028_1113, lutDescriptor, 0x0040_9211, 0x0040_9216,
            0x0060_3004, 0x0060_3006:
            true
        default: false
        }
    }
}
