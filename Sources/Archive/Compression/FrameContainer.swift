import DICOM

/// Which bits of a sample the codec is given.
enum CodedDepth: UInt64, CaseIterable {
    /// Those that the header calls stored: the smallest.
    case stored = 0
    /// All that are allocated: for padding values and overlays beside the stored bits. PS3.5 §8.1.1.
    case allocated = 1

    /// The header whose frames are coded.
    func header(of header: Dataset) -> Dataset {
        guard self == .allocated, let bits = header.int(.bitsAllocated) else { return header }
        var result = Dataset()
        for element in header.elements where element.tag.group == 0x0028 { result.set(element) }
        result.set(.bitsStored, .US, ints: [bits])
        result.set(.highBit, .US, ints: [bits - 1])
        return result
    }
}

/// How a dataset is kept whose frames are compressed at rest.
///
/// The content is: the bytes before the pixel value, the compressed frames one after another, the bytes behind the last
/// frame (padding included), the length of each compressed frame (4 bytes), and 48 bytes: magic, bytes before,
/// number of frames, bytes of a native frame, bytes behind, depth (0: the stored bits are coded, 1: all bits). Little
/// endian. Length and digest of the dataset as it was
/// sent stand in the sealed record beside it.
struct FrameContainer {
    static let magic: UInt64 = 0x3145_4D41_5246_5A48  // "HZFRAME1"
    static let footerByteCount = 48
    /// The most frames of one object.
    static let frameCountLimit = 1 << 22
    /// The most bytes of one native frame.
    static let frameByteCountLimit: UInt64 = 256 << 20

    var prefixByteCount: UInt64
    var frameByteCount: UInt64
    var suffixByteCount: UInt64
    var depth: CodedDepth
    /// Where each compressed frame begins in the content, then where the last one ends.
    var starts: [UInt64]

    var frameCount: Int { starts.count - 1 }
    /// Where the bytes behind the frames begin in the dataset.
    var nativeEnd: UInt64 { prefixByteCount + UInt64(frameCount) * frameByteCount }

    init(prefixByteCount: UInt64, frameByteCount: UInt64, suffixByteCount: UInt64, depth: CodedDepth) {
        self.prefixByteCount = prefixByteCount
        self.frameByteCount = frameByteCount
        self.suffixByteCount = suffixByteCount
        self.depth = depth
        starts = [prefixByteCount]
    }

    mutating func append(frameOf byteCount: Int) { starts.append(starts[starts.count - 1] + UInt64(byteCount)) }

    /// What stands behind everything else.
    var trailer: [UInt8] {
        var bytes: [UInt8] = []
        for index in 0..<frameCount { Self.put(UInt32(truncatingIfNeeded: starts[index + 1] - starts[index]), &bytes) }
        let footer = [
            Self.magic, prefixByteCount, UInt64(frameCount), frameByteCount, suffixByteCount, depth.rawValue,
        ]
        for value in footer { Self.put(value, &bytes) }
        return bytes
    }

    /// Reads the trailer; every length is checked against the content's and the dataset's.
    ///
    /// - Throws: `.damaged`; what reading throws.
    init(of content: any ContentSource, datasetByteCount: UInt64) throws(ArchiveError) {
        let total = content.byteCount
        let footerCount = UInt64(Self.footerByteCount)
        guard total >= footerCount else { throw .damaged }
        let footer = try Self.bytes(of: content, at: total - footerCount, count: Self.footerByteCount)
        let values = (0..<6).map { Self.number(footer, at: 8 * $0, count: 8) }
        guard values[0] == Self.magic, values[1] <= total, values[2] > 0, values[2] <= UInt64(Self.frameCountLimit),
            values[3] > 0, values[3] <= Self.frameByteCountLimit, values[4] <= total,
            values[1] + values[2] * values[3] + values[4] == datasetByteCount,
            let depth = CodedDepth(rawValue: values[5])
        else { throw .damaged }
        self.init(
            prefixByteCount: values[1], frameByteCount: values[3], suffixByteCount: values[4], depth: depth)
        let tableCount = 4 * Int(values[2])
        guard total >= footerCount + UInt64(tableCount) else { throw .damaged }
        let tableOffset = total - footerCount - UInt64(tableCount)
        let table = try Self.bytes(of: content, at: tableOffset, count: tableCount)
        for index in 0..<Int(values[2]) { append(frameOf: Int(Self.number(table, at: 4 * index, count: 4))) }
        guard starts[starts.count - 1] + suffixByteCount == tableOffset else { throw .damaged }
    }

    /// Exactly `count` bytes of a content.
    static func bytes(of content: any ContentSource, at offset: UInt64, count: Int) throws(ArchiveError) -> [UInt8] {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, count), alignment: 64)
        defer { memory.deallocate() }
        let wanted = UnsafeMutableRawBufferPointer(rebasing: memory[..<count])
        if count > 0 {
            let found = try content.read(offset: offset, into: wanted)
            guard found == count else { throw .damaged }
        }
        return Array(wanted)
    }

    private static func put<T: FixedWidthInteger>(_ value: T, _ bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    private static func number(_ bytes: [UInt8], at offset: Int, count: Int) -> UInt64 {
        (0..<count).reduce(UInt64(0)) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) }
    }
}
