import DICOM

/// Takes an image's pixel data apart and gives it on without what is no pixel. Used by one thread.
final class PixelPass {
    /// Memory kept between pieces.
    static let keptByteCount = 1 << 20

    /// In which the result comes.
    let transferSyntax: TransferSyntax
    /// What stands before the pixels.
    private(set) var head: [UInt8] = []
    /// Bytes to write now.
    var ready: [UInt8] = []
    /// Bytes that were changed or left out.
    private(set) var changedByteCount = 0

    /// What a cleaner did.
    var cleaningCount: PixelCleaningCount { cleaning?.count ?? PixelCleaningCount() }

    private let work: Work
    private let frameByteCountLimit: Int
    private let cleaning: (any PixelCleaning)?
    private let frameCleaner: FrameCleaner?

    // Native
    private let unit: Int
    private let isBigEndian: Bool
    private let bits: NativeBits?
    private var left: UInt64 = 0
    private var isOdd = false
    private var cut: [UInt8] = []
    private var nativeFrameByteCount = 0

    // Frames
    private let frameCount: Int
    private let bounds: FrameBounds
    private var frame: [UInt8] = []
    private var frameIndex = 0
    private var fragmentOffset: UInt64 = 0
    private var hasOpenFrame = false
    /// The first bytes of a fragment of which it is not known yet whether a frame begins with it.
    private var beginning: [UInt8]?
    /// Bytes of the open fragment.
    private var fragmentByteCount = 0

    private enum Work {
        /// Words pass.
        case native
        /// Native frames are cleaned one by one.
        case nativeFrames
        /// Coded frames, one by one.
        case coded
    }

    init(
        _ beginning: PixelDataBeginning, source: TransferSyntax, limits: DeidentificationLimits,
        cleaning: (any PixelCleaning)?
    ) throws(Quarantine) {
        let header = beginning.header
        self.cleaning = cleaning
        frameByteCountLimit = limits.frameByteCount
        frameCount = max(1, header.int(.numberOfFrames) ?? 1)
        isBigEndian = beginning.isBigEndian
        let vr = Self.vr(beginning)
        unit = beginning.isBigEndian ? vr.unitByteCount : 1
        if let offsets = beginning.offsets {
            guard source.isEncapsulated else { throw .damaged }
            work = .coded
            bits = nil
            bounds = FrameBounds(offsets, header: header, frameCount: frameCount, source)
            transferSyntax = cleaning?.transferSyntax ?? source
            if cleaning == nil {
                do throws(StreamError) { frameCleaner = try FrameCleaner(source, header: beginning.header) } catch {
                    throw .stream(error)
                }
            } else {
                frameCleaner = nil
            }
            head = transferSyntax.isEncapsulated ? Self.fragmentsHead : []
            return
        }
        bounds = .oneFrame
        frameCleaner = nil
        let (expected, frame) = try Self.expectedByteCount(beginning)
        bits = beginning.tag == .pixelData ? NativeBits(header) : nil
        left = expected
        changedByteCount = Int(clamping: (beginning.byteCount ?? 0) - expected)
        if changedByteCount == 1, expected % 2 == 1 { changedByteCount = 0 }
        nativeFrameByteCount = Int(clamping: frame)
        if let cleaning {
            guard nativeFrameByteCount > 0, nativeFrameByteCount <= limits.frameByteCount,
                expected == frame * UInt64(frameCount), beginning.tag == .pixelData
            else { throw .pixelDataSize }
            work = .nativeFrames
            transferSyntax = cleaning.transferSyntax
            if transferSyntax.isEncapsulated {
                head = Self.fragmentsHead
                return
            }
        } else {
            work = .native
            transferSyntax = .explicitVRLittleEndian
        }
        isOdd = expected % 2 == 1
        head = try Self.head(beginning.tag, vr, byteCount: expected + expected % 2)
    }

    // MARK: Before the pixels

    private static func vr(_ beginning: PixelDataBeginning) -> VR {
        switch beginning.tag {
        case .floatPixelData: return .OF
        case .doubleFloatPixelData: return .OD
        default: break
        }
        if beginning.isVRWritten, beginning.vr == .OB { return .OB }
        return (beginning.header.int(.bitsAllocated) ?? 16) > 8 ? .OW : beginning.isVRWritten ? beginning.vr : .OB
    }

    /// The bytes that frames, rows and columns say; what is there beyond is none of the image's.
    private static func expectedByteCount(
        _ beginning: PixelDataBeginning
    ) throws(Quarantine) -> (all: UInt64, frame: UInt64) {
        let header = beginning.header
        let there = beginning.byteCount ?? 0
        let bitsPerSample =
            switch beginning.tag {
            case .floatPixelData: 32
            case .doubleFloatPixelData: 64
            default: header.int(.bitsAllocated) ?? 0
            }
        guard let rows = header.int(.rows), let columns = header.int(.columns), rows > 0, columns > 0,
            bitsPerSample > 0, bitsPerSample <= 64
        else {
            if there == 0 { return (0, 0) }
            throw .pixelDataSize
        }
        let samples = header.int(.samplesPerPixel) ?? 1
        let frames = header.int(.numberOfFrames) ?? 1
        guard (1...4).contains(samples), rows <= 0xFFFF, columns <= 0xFFFF,
            (1...Int(Int32.max)).contains(max(1, frames))
        else { throw .pixelDataSize }
        var bits = UInt64(rows * columns) * UInt64(bitsPerSample)
        // Two chrominance samples for two pixels. PS3.3 §C.7.6.3.1.2.
        let color = header.string(.photometricInterpretation) ?? ""
        bits = color == "YBR_FULL_422" || color == "YBR_PARTIAL_422" ? bits * 2 : bits * UInt64(samples)
        let (all, isTooMany) = bits.multipliedReportingOverflow(by: UInt64(max(1, frames)))
        guard !isTooMany else { throw .pixelDataSize }
        let byteCount = (all + 7) / 8
        if there < byteCount {
            // One way of writing 4:2:2 has all samples.
            throw .pixelDataSize
        }
        return (byteCount, bits % 8 == 0 ? bits / 8 : 0)
    }

    private static func head(_ tag: Tag, _ vr: VR, byteCount: UInt64) throws(Quarantine) -> [UInt8] {
        guard let count = UInt32(exactly: byteCount), count != .max else { throw .pixelDataSize }
        var bytes = bytes(of: tag)
        bytes += [UInt8(vr.rawValue >> 8), UInt8(vr.rawValue & 0xFF), 0, 0]
        return bytes + little(count)
    }

    private static let fragmentsHead: [UInt8] =
        bytes(of: .pixelData) + Array("OB".utf8) + [0, 0] + little(.max) + bytes(of: .item) + little(0)

    private static func bytes(of tag: Tag) -> [UInt8] {
        [tag.group, tag.element].flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
    }

    private static func little(_ number: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> UInt32(8 * $0)) }
    }

    // MARK: Pixels

    /// Native pixels that stay as they are, to be written as they come; nil when they must be taken.
    func passing(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard work == .native, unit == 1, cut.isEmpty else { return nil }
        let count = Int(min(left, UInt64(bytes.count)))
        let pixels = UnsafeRawBufferPointer(rebasing: bytes[..<count])
        if let bits, !bits.areWholeAndClean(pixels) { return nil }
        left -= UInt64(count)
        return pixels
    }

    func take(_ bytes: UnsafeRawBufferPointer) throws(Quarantine) {
        switch work {
        case .coded: try takeCoded(bytes)
        case .native, .nativeFrames:
            let count = Int(min(left, UInt64(bytes.count)))
            left -= UInt64(count)
            takeNative(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
            if work == .nativeFrames { try takeFrames() }
        }
    }

    private func takeNative(_ bytes: UnsafeRawBufferPointer) {
        if work == .nativeFrames { append(bytes, to: &frame) } else { append(bytes, to: &ready) }
    }

    /// Whole words in little endian, their unused bits cleaned.
    private func append(_ bytes: UnsafeRawBufferPointer, to target: inout [UInt8]) {
        let word = max(unit, bits?.byteCount ?? 1)
        let start = target.count
        target.reserveCapacity(start + cut.count + bytes.count)
        target += cut
        target += bytes
        let count = target.count - start
        let whole = left == 0 ? count : count - count % word
        cut = Array(target[(start + whole)...])
        target.removeSubrange((start + whole)...)
        swap(&target, from: start)
        guard let bits else { return }
        let changed = target.withUnsafeMutableBytes { buffer in
            bits.clean(UnsafeMutableRawBufferPointer(rebasing: buffer[start..<start + whole - whole % bits.byteCount]))
        }
        changedByteCount += changed * bits.byteCount
    }

    private func swap(_ piece: inout [UInt8], from start: Int) {
        if unit == 1 { return }
        var start = start
        while start + unit <= piece.count {
            for index in 0..<unit / 2 { piece.swapAt(start + index, start + unit - 1 - index) }
            start += unit
        }
    }

    private func takeFrames() throws(Quarantine) {
        while frame.count >= nativeFrameByteCount, frameIndex < frameCount {
            let whole = Array(frame[..<nativeFrameByteCount])
            frame.removeFirst(nativeFrameByteCount)
            try give(whole)
        }
    }

    // MARK: Coded frames

    func beginFragment(byteCount: UInt64) throws(Quarantine) {
        guard byteCount <= UInt64(frameByteCountLimit) else {
            throw .frameTooLarge(byteCountLimit: frameByteCountLimit)
        }
        switch bounds {
        case .oneFrame: break
        case .fragments: try giveFrame()
        case .table(let starts): if starts.contains(fragmentOffset) { try giveFrame() }
        case .marks: if hasOpenFrame { beginning = [] }
        }
        hasOpenFrame = true
        fragmentOffset += 8 + byteCount
        fragmentByteCount = Int(byteCount)
    }

    private func takeCoded(_ bytes: UnsafeRawBufferPointer) throws(Quarantine) {
        var bytes = bytes
        if var seen = beginning {
            let more = bytes.prefix(FrameBounds.markByteCount - seen.count)
            seen += more
            bytes = UnsafeRawBufferPointer(rebasing: bytes[more.endIndex...])
            beginning = seen
            guard seen.count == FrameBounds.markByteCount else { return }
            try decide(seen)
        }
        guard frame.count + bytes.count <= frameByteCountLimit else {
            throw .frameTooLarge(byteCountLimit: frameByteCountLimit)
        }
        // For its first fragment, and not beside a frame that is still to be written.
        if frame.count <= FrameBounds.markByteCount, ready.isEmpty { frame.reserveCapacity(fragmentByteCount) }
        frame += bytes
    }

    /// Begins a frame with the fragment whose first bytes these are, or goes on with the one that is open.
    private func decide(_ seen: [UInt8]) throws(Quarantine) {
        beginning = nil
        if FrameBounds.isMark(seen) {
            try giveFrame()
            hasOpenFrame = true
        }
        frame += seen
    }

    func endFragment() throws(Quarantine) {
        if let seen = beginning { try decide(seen) }
        // Written while it is the last one that is held, so that there is one frame in memory and not two.
        if bounds == .fragments { try giveFrame() }
    }

    private func giveFrame() throws(Quarantine) {
        guard hasOpenFrame else { return }
        hasOpenFrame = false
        var whole = frame
        frame = []
        if let frameCleaner {
            do throws(StreamError) { changedByteCount += try frameCleaner.clean(&whole) } catch {
                throw .stream(error)
            }
            putFragment(whole)
            frameIndex += 1
        } else {
            try give(whole)
        }
    }

    /// A frame through the cleaner.
    private func give(_ whole: [UInt8]) throws(Quarantine) {
        guard let cleaning else { return }
        guard frameIndex < frameCount else { throw .pixelDataSize }
        let result = try cleaning.clean(frame: whole, frameIndex: frameIndex)
        frameIndex += 1
        if transferSyntax.isEncapsulated { putFragment(result) } else { ready += result }
    }

    private func putFragment(_ bytes: [UInt8]) {
        let count = UInt32(truncatingIfNeeded: bytes.count + bytes.count % 2)
        ready.reserveCapacity(ready.count + bytes.count + 9)
        ready += Self.bytes(of: .item) + Self.little(count)
        ready += bytes
        if bytes.count % 2 == 1 { ready.append(0) }
    }

    func finish() throws(Quarantine) {
        switch work {
        case .native, .nativeFrames:
            if left > 0 || !cut.isEmpty || (work == .nativeFrames && frameIndex != frameCount) { throw .pixelDataSize }
        case .coded:
            try giveFrame()
            if frameIndex != frameCount { throw .pixelDataSize }
        }
        if transferSyntax.isEncapsulated, work != .native {
            ready += Self.bytes(of: .sequenceDelimitationItem) + Self.little(0)
        } else if isOdd {
            ready.append(0)
        }
    }
}
