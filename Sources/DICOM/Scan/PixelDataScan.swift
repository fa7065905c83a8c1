/// What a scan notes of pixel data on the way, and the layout that follows from it.
struct PixelDataScan {
    private let vr: VR
    private let valueOffset: UInt64
    private let valueByteCount: UInt64?
    /// Offset and, as the next one less 8, length of each fragment; the last entry closes the last.
    private var offsets: [UInt64] = []
    private var end: UInt64 = 0
    private var basicOffsets: [UInt32] = []
    /// Fragments that begin as a picture does.
    private var pictureStarts: [UInt32] = []
    private var prefix: UInt32 = 0
    private var prefixByteCount = 4

    init(vr: VR, valueOffset: UInt64, valueByteCount: UInt64?) {
        self.vr = vr
        self.valueOffset = valueOffset
        self.valueByteCount = valueByteCount
    }

    /// The Basic Offset Table.
    mutating func readTable(_ bytes: UnsafeRawBufferPointer) {
        basicOffsets = (0..<bytes.count / 4).map {
            UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self))
        }
    }

    mutating func beginFragment() {
        prefix = 0
        prefixByteCount = 0
    }

    /// Looks at the first bytes of a fragment, however they are cut.
    @inline(__always)
    mutating func look(at bytes: UnsafeRawBufferPointer) {
        if prefixByteCount == 4 { return }
        for byte in bytes.prefix(4 - prefixByteCount) {
            prefix = prefix << 8 | UInt32(byte)
            prefixByteCount += 1
        }
        guard prefixByteCount == 4 else { return }
        // JPEG and JPEG-LS, JPEG 2000 codestream and file, JPEG XL codestream and file.
        let isPicture =
            prefix >> 8 == 0xFFD8FF || prefix == 0xFF4F_FF51 || prefix == 0x0000_000C || prefix >> 16 == 0xFF0A
        if isPicture { pictureStarts.append(UInt32(truncatingIfNeeded: offsets.count)) }
    }

    mutating func endFragment(offset: UInt64, byteCount: UInt64) {
        offsets.append(offset)
        end = offset + byteCount + 8
        prefixByteCount = 4
    }

    // MARK: Layout

    func layout(header: Dataset, extendedOffsets: [UInt64], extendedByteCounts: [UInt64]) -> PixelDataLayout {
        let declared = max(1, min(header.int(.numberOfFrames) ?? 1, Int(Int32.max)))
        guard valueByteCount == nil else {
            return PixelDataLayout(
                vr: vr, valueOffset: valueOffset, valueByteCount: valueByteCount, isEncapsulated: false,
                declaredFrameCount: declared, frameBitCount: frameBitCount(header, frameCount: declared))
        }
        let fragments = offsets.isEmpty ? [] : offsets + [end]
        var starts = starts(of: extendedOffsets, declared: declared)
        let byteCounts = starts.isEmpty || extendedByteCounts.count < starts.count - 1 ? [] : extendedByteCounts
        if starts.isEmpty { starts = self.starts(of: basicOffsets.map { UInt64($0) }, declared: declared) }
        if starts.isEmpty { starts = guessedStarts(declared: declared) }
        return PixelDataLayout(
            vr: vr, valueOffset: valueOffset, valueByteCount: nil, isEncapsulated: true,
            declaredFrameCount: declared, fragments: fragments, frameStarts: starts,
            frameByteCounts: Array(byteCounts.prefix(max(0, starts.count - 1))))
    }

    /// The first fragment of each frame by an offset table, whose entries count from the first fragment's tag.
    private func starts(of table: [UInt64], declared: Int) -> [UInt32] {
        guard let first = offsets.first, !table.isEmpty else { return [] }
        var starts: [UInt32] = []
        var fragment = 0
        for entry in table {
            let (offset, isTooLarge) = first.addingReportingOverflow(entry)
            if isTooLarge { return [] }
            while fragment < offsets.count, offsets[fragment] < offset { fragment += 1 }
            let isExact = fragment < offsets.count && offsets[fragment] == offset
            if !isExact || starts.last == UInt32(fragment) { return [] }
            starts.append(UInt32(fragment))
        }
        if starts.count > declared { return Array(starts.prefix(declared + 1)) }
        return starts + [UInt32(offsets.count)]
    }

    /// Without a table: one frame has all fragments, as many fragments as frames have one each, else pictures tell.
    private func guessedStarts(declared: Int) -> [UInt32] {
        let count = UInt32(offsets.count)
        if offsets.isEmpty { return [] }
        if declared == 1 { return [0, count] }
        if declared == offsets.count { return Array(0...count) }
        return pictureStarts.count == declared ? pictureStarts + [count] : []
    }

    /// Bits of one native frame; 0 when the attributes do not tell or overflow.
    private func frameBitCount(_ header: Dataset, frameCount: Int) -> UInt64 {
        let width = vr == .OF ? 32 : vr == .OD ? 64 : 0
        guard let rows = header.int(.rows), let columns = header.int(.columns),
            let bits = header.int(.bitsAllocated) ?? (width > 0 ? width : nil),
            (1...1 << 24).contains(rows), (1...1 << 24).contains(columns), (1...64).contains(bits)
        else { return 0 }
        var samples = max(1, min(header.int(.samplesPerPixel) ?? 1, 64))
        let pixels = UInt64(rows) * UInt64(columns) * UInt64(bits)
        // With chroma at half width three samples take the room of two; some writers say so and do not do it.
        let photometric = header.string(.photometricInterpretation) ?? ""
        if samples == 3, photometric == "YBR_FULL_422" || photometric == "YBR_PARTIAL_422", let valueByteCount {
            let (full, isTooLarge) = (pixels * 3).multipliedReportingOverflow(by: UInt64(frameCount))
            if isTooLarge || (full + 7) / 8 > valueByteCount { samples = 2 }
        }
        return pixels * UInt64(samples)
    }
}
