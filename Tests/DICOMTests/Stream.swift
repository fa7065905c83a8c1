import DICOM

/// Swift Testing has a `Tag` of its own.
typealias Tag = DICOM.Tag

/// Builds encoded datasets by hand, so that tests do not lean on the code they test.
struct Stream {
    var bytes: [UInt8] = []
    var isBigEndian = false

    static let undefined: UInt32 = .max

    mutating func u16(_ value: UInt16) {
        let pair = [UInt8(value & 0xFF), UInt8(value >> 8)]
        bytes += isBigEndian ? pair.reversed() : pair
    }

    mutating func u32(_ value: UInt32) {
        let four = (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * UInt32($0))) }
        bytes += isBigEndian ? four.reversed() : four
    }

    mutating func tag(_ tag: Tag) {
        u16(tag.group)
        u16(tag.element)
    }

    /// An explicit VR header, long or short as the VR wants.
    mutating func explicit(_ tag: Tag, _ vr: String, length: UInt32) {
        self.tag(tag)
        bytes += vr.utf8
        if ["OB", "OW", "SQ", "UN", "UT", "OV", "OF"].contains(vr) {
            u16(0)
            u32(length)
        } else {
            u16(UInt16(truncatingIfNeeded: length))
        }
    }

    mutating func explicit(_ tag: Tag, _ vr: String, _ value: [UInt8]) {
        explicit(tag, vr, length: UInt32(value.count))
        bytes += value
    }

    mutating func explicit(_ tag: Tag, _ vr: String, _ text: String) { explicit(tag, vr, Array(text.utf8)) }

    /// Implicit VR, and items and delimiters in any encoding.
    mutating func implicit(_ tag: Tag, length: UInt32) {
        self.tag(tag)
        u32(length)
    }

    mutating func implicit(_ tag: Tag, _ value: [UInt8]) {
        implicit(tag, length: UInt32(value.count))
        bytes += value
    }

    mutating func implicit(_ tag: Tag, _ text: String) { implicit(tag, Array(text.utf8)) }
}

/// A pseudo-random sequence that is the same in every run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Scans bytes fed in pieces of `pieceByteCount`.
func scan(
    _ bytes: [UInt8], _ syntax: TransferSyntax = .explicitVRLittleEndian, limits: ScanLimits = ScanLimits(),
    pieceByteCount: Int = .max
) throws(ParseError) -> ScannedDataset {
    var scanner = DatasetScanner(transferSyntax: syntax, limits: limits)
    var start = 0
    while start < bytes.count {
        let end = start + min(pieceByteCount, bytes.count - start)
        try scanner.feed(bytes[start..<end])
        start = end
    }
    return try scanner.finish()
}

func jsonText(_ dataset: Dataset, options: JSONOptions = JSONOptions()) -> String {
    var bytes: [UInt8] = []
    dataset.json(into: &bytes, options: options)
    return String(decoding: bytes, as: UTF8.self)
}

/// The canonical form of a dataset, fed in pieces.
func canonical(
    _ bytes: [UInt8], _ syntax: TransferSyntax, pieceByteCount: Int = .max
) throws(ParseError) -> [UInt8] {
    final class Output { var bytes: [UInt8] = [] }
    let output = Output()
    let walker = CanonicalWalker(transferSyntax: syntax) { output.bytes += $0 }
    var start = 0
    while start < bytes.count {
        let end = start + min(pieceByteCount, bytes.count - start)
        try walker.feed(bytes[start..<end])
        start = end
    }
    try walker.finish()
    return output.bytes
}
