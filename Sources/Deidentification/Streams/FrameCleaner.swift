import DICOM

/// Takes out of coded frames what is not needed to show them: comments, application data, thumbnails, what follows the
/// end, and the bits of words that hold no pixel. The entropy-coded data stay as they are, byte for byte.
///
/// A value without state: any thread may use it. Works in place; run-length coded and deflated frames are written anew,
/// beside the old one. PS3.5 §8.2, §A.4.
public struct FrameCleaner: Sendable {
    /// Bytes of one frame's fragments together.
    public static let frameByteCountLimit = 64 << 20

    private let coding: Coding
    private let frameSize: FrameSize?
    private let shape: FrameShape?

    enum Coding: Equatable {
        case jpeg(isJPEGLS: Bool)
        case jpeg2000
        case runLength
        case native
        case deflated
    }

    /// - Parameter header: the image's attributes: they say how many bytes a native frame has and which bits of its words
    ///   hold pixels. A coded frame of another size, or with more components, is refused where they say a size.
    /// - Throws: `.notCleanable` for video, JPEG XL and what is not known here, and where run-length coded, deflated or
    ///   native frames have no size.
    public init(_ syntax: TransferSyntax, header: Dataset = Dataset()) throws(StreamError) {
        guard let coding = Self.coding(of: syntax) else { throw .notCleanable }
        self.coding = coding
        frameSize = FrameSize(header)
        shape = FrameShape(header)
        // Overlays of former editions lie in bits that only decoding would show. PS3.5 §8.1.2.
        let isDecodedToClean =
            coding == .jpeg2000 || coding == .jpeg(isJPEGLS: true) || coding == .jpeg(isJPEGLS: false)
        if isDecodedToClean, Self.hasOverlaysInSamples(header) { throw .notCleanable }
        if frameSize == nil, [.runLength, .native, .deflated].contains(coding) { throw .notCleanable }
    }

    /// Whether frames of a syntax begin with bytes that tell them from the middle of one.
    static func hasMarks(_ syntax: TransferSyntax) -> Bool {
        switch coding(of: syntax) {
        case .jpeg, .jpeg2000: true
        case .runLength, .native, .deflated, nil: false
        }
    }

    private static func hasOverlaysInSamples(_ header: Dataset) -> Bool {
        header.elements.contains { element in
            (0x6000...0x60FF).contains(element.tag.group) && element.tag.element == 0x0102
                && header.int(element.tag) ?? 0 > 0
                && !header.contains(Tag(UInt32(element.tag.group) << 16 | 0x3000))
        }
    }

    private static func coding(of syntax: TransferSyntax) -> Coding? {
        switch syntax {
        case .rleLossless: return .runLength
        case .encapsulatedUncompressedExplicitVRLittleEndian: return .native
        case .deflatedImageFrameCompression: return .deflated
        case .jpegLSLossless, .jpegLSNearLossless: return .jpeg(isJPEGLS: true)
        case .jpeg2000, .jpeg2000Lossless, .htj2k, .htj2kLossless, .htj2kLosslessRPCL: return .jpeg2000
        default: break
        }
        let root = "1.2.840.10008.1.2.4."
        guard syntax.uid.hasPrefix(root), let number = Int(syntax.uid.dropFirst(root.count)) else { return nil }
        switch number {
        case 50...70: return .jpeg(isJPEGLS: false)
        case 92, 93: return .jpeg2000
        default: return nil
        }
    }

    /// Cleans one frame: all its fragments joined.
    ///
    /// - Returns: bytes that were taken out or changed.
    /// - Throws: `.malformed` and the rest: then the frame is not to be used.
    @discardableResult
    public func clean(_ frame: inout [UInt8]) throws(StreamError) -> Int {
        guard frame.count <= Self.frameByteCountLimit else { throw .tooLong(byteCountLimit: Self.frameByteCountLimit) }
        switch coding {
        case .jpeg(let isJPEGLS): return try JPEGStream.clean(&frame, isJPEGLS: isJPEGLS, shape)
        case .jpeg2000: return try CodestreamJ2K.clean(&frame, shape)
        case .runLength:
            guard let frameSize else { throw .notCleanable }
            return try RunLengthStream(frameSize).clean(&frame)
        case .native:
            guard let frameSize else { throw .notCleanable }
            return try frameSize.clean(&frame)
        case .deflated:
            guard let frameSize else { throw .notCleanable }
            return try DeflatedStream.clean(&frame, frameSize)
        }
    }
}

/// What a coded frame must be: what goes beyond it is shown by nobody who believes the header, and may say anything.
struct FrameShape: Equatable, Sendable {
    let rows: Int
    let columns: Int
    let components: Int

    /// Nil where the attributes say none.
    init?(_ header: Dataset) {
        guard let rows = header.int(.rows), let columns = header.int(.columns) else { return nil }
        self.rows = rows
        self.columns = columns
        components = header.int(.samplesPerPixel) ?? 1
    }
}

/// The bytes and unused bits of a native frame.
struct FrameSize: Sendable {
    /// Pixels of one frame.
    let pixelCount: Int
    let samples: Int
    let bitsAllocated: Int
    let bits: NativeBits?
    let highBit: Int
    let bitsStored: Int
    let isSigned: Bool

    var byteCount: Int { (pixelCount * samples * bitsAllocated + 7) / 8 }

    init?(_ header: Dataset) {
        guard let rows = header.int(.rows), let columns = header.int(.columns),
            let bitsAllocated = header.int(.bitsAllocated), (1...0xFFFF).contains(rows), (1...0xFFFF).contains(columns),
            [1, 8, 16, 32, 64].contains(bitsAllocated)
        else { return nil }
        samples = header.int(.samplesPerPixel) ?? 1
        guard (1...4).contains(samples) else { return nil }
        pixelCount = rows * columns
        self.bitsAllocated = bitsAllocated
        bits = NativeBits(header)
        bitsStored = header.int(.bitsStored) ?? bitsAllocated
        highBit = header.int(.highBit) ?? bitsStored - 1
        isSigned = header.int(.pixelRepresentation) == 1
        guard (1...bitsAllocated).contains(bitsStored), (bitsStored - 1..<bitsAllocated).contains(highBit) else {
            return nil
        }
    }

    /// Cuts a native frame to its size and cleans its words.
    func clean(_ frame: inout [UInt8]) throws(StreamError) -> Int {
        guard frame.count >= byteCount else { throw .malformed(byteOffset: frame.count) }
        var changed = frame.count - byteCount
        // A byte that makes the length even says nothing if it is zero.
        if changed == 1, frame[byteCount] == 0 { changed = 0 }
        frame.removeSubrange(byteCount...)
        if let bits {
            changed += frame.withUnsafeMutableBytes { bytes in
                bits.clean(
                    UnsafeMutableRawBufferPointer(rebasing: bytes[..<(bytes.count - bytes.count % bits.byteCount)]))
            }
        }
        return changed
    }
}

/// A deflated frame, which is inflated, cleaned and deflated again: what stands behind its end is not taken along.
enum DeflatedStream {
    static func clean(_ frame: inout [UInt8], _ size: FrameSize) throws(StreamError) -> Int {
        let deflatedCount = frame.count
        guard size.byteCount <= FrameCleaner.frameByteCountLimit else {
            throw .tooLong(byteCountLimit: FrameCleaner.frameByteCountLimit)
        }
        var native: [UInt8] = []
        let inflater = Inflater(limits: ScanLimits())
        do throws(ParseError) {
            try frame.withUnsafeBufferPointer { bytes throws(ParseError) in
                try inflater.inflate(UnsafeRawBufferPointer(bytes)) { piece throws(ParseError) in
                    guard native.count + piece.count <= size.byteCount + 1 else {
                        throw ParseError.truncated(byteOffset: UInt64(native.count))
                    }
                    native += piece
                }
            }
        } catch { throw .malformed(byteOffset: native.count) }
        guard inflater.isComplete else { throw .malformed(byteOffset: deflatedCount) }
        var changed = try size.clean(&native)
        var result: [UInt8] = []
        do {
            guard let deflater = Deflater(give: { result += $0 }) else { throw StreamError.notCleanable }
            try native.withUnsafeBytes { try deflater.feed($0) }
            try deflater.finish()
        } catch { throw .notCleanable }
        if result.count < deflatedCount { changed += deflatedCount - result.count }
        frame = result
        return changed
    }
}
