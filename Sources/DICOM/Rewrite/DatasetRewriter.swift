/// What a rewriting came to.
public struct RewrittenDataset: Hashable, Sendable {
    /// Bytes that were written.
    public var byteCount: UInt64
    /// Whether the source contradicted the standard somewhere and was read as far as it made sense.
    public var isDamaged: Bool
}

/// Writes a dataset in another transfer syntax while it is read. PS3.5 §7, §A.
///
/// Takes the source in pieces of any size and gives the result on in pieces of one size; holds one such piece and
/// small values, never the object. Values keep their bytes but for the byte order; text is not re-coded; private
/// elements stay (from implicit to explicit VR as UN). Sequences and items get undefined lengths, group lengths go,
/// odd lengths are padded. The same source gives the same bytes however it is cut. Used by one thread.
public struct DatasetRewriter: ~Copyable {
    public static let defaultPieceByteCount = 64 << 10

    private var machine: ScanMachine<RewriteSink>
    private let writer: PieceWriter
    private let inflater: Inflater?
    /// Whether nothing is written.
    private var isPreparing = false

    /// - Parameters:
    ///   - from: how the source is encoded.
    ///   - to: implicit or explicit VR, little or big endian; an encapsulated syntax counts as explicit little endian.
    ///   - header: the source's header if it is known already: it decides between VRs that implicit VR does not write
    ///     where what decides comes later in the stream.
    ///   - replacing: elements to set at top level, in place of the source's or beside them. Their bytes go out as they
    ///     are held (numbers in the target's byte order), so text must be in the source's character set; what is not
    ///     held is left out.
    ///   - removing: attributes of the top level that are left out, unless `replacing` sets them.
    ///   - pixelData: what becomes of Pixel Data (7FE0,0010).
    ///   - recoding: makes UTF-8 of all text but `replacing`'s, which then must be in it, and must set Specific Character
    ///     Set (0008,0005). The source was read for every `TextRecoding.preparations` before.
    ///   - keepsTruncation: a source that ends too early goes out as far as it goes, and so that what is written ends too
    ///     early at the same place, perhaps in a piece of odd length. Only to the source's own encoding.
    ///   - recoding: makes UTF-8 of all text but `replacing`'s, which must be in it and must set Specific Character Set
    ///     (0008,0005). The source was read for every `TextRecoding.Preparation` before, unless it has no long text.
    ///   - keepsTruncation: a source that ends too early goes out as far as it goes, so that what is written ends too
    ///     early at the same place, or a byte before if it would have an odd length; only in the source's own encoding.
    ///   - pieceByteCount: bytes of each piece but the last; even, at least 16.
    ///   - limits: bounds of the scan.
    ///   - emit: takes a piece, which is only there during the call; every piece has even length and exactly one, at
    ///     `finish`, is the last. What it throws ends the rewriting.
    /// - Throws: `.targetNotWritable` if the target deflates the dataset.
    public init(
        from: TransferSyntax, to: TransferSyntax, header: Dataset = Dataset(), replacing: Dataset = Dataset(),
        removing: Set<Tag> = [], pixelData: PixelDataRewrite = .passThrough, recoding: TextRecoding? = nil,
        keepsTruncation: Bool = false, pieceByteCount: Int = defaultPieceByteCount, limits: ScanLimits = ScanLimits(),
        emit: @escaping (_ piece: UnsafeRawBufferPointer, _ isLast: Bool) throws -> Void
    ) throws(RewriteError) {
        if to.isDeflated { throw .targetNotWritable }
        writer = PieceWriter(encoding: ElementEncoding(to), pieceByteCount: pieceByteCount, emit: emit)
        let sink = RewriteSink(
            writer: writer, from: from, to: to, header: header, replacing: replacing, removing: removing,
            pixelData: pixelData, recoding: recoding,
            keepsTruncation: keepsTruncation && ElementEncoding(from) == ElementEncoding(to))
        recoding?.begin(nil)
        machine = ScanMachine(sink: sink, encoding: ElementEncoding(from), limits: limits)
        inflater = from.isDeflated ? Inflater(limits: limits) : nil
    }

    /// The next bytes of the source. Pulls the new frames, all of them, when the pixel data begins.
    ///
    /// - Throws: what broke; then the rewriting is over, and every further call throws the same.
    public mutating func feed(_ bytes: UnsafeRawBufferPointer) throws(RewriteError) {
        if let failure = writer.failure { throw failure }
        do throws(ParseError) {
            try scan(bytes)
        } catch { throw failure(error) }
    }

    private mutating func scan(_ bytes: UnsafeRawBufferPointer) throws(ParseError) {
        guard let inflater else { return try machine.feed(bytes) }
        try inflater.inflate(bytes) { piece throws(ParseError) in try machine.feed(piece) }
    }

    public mutating func feed(_ bytes: ArraySlice<UInt8>) throws(RewriteError) {
        try bytes.withUnsafeBufferPointer { buffer throws(RewriteError) in
            try feed(UnsafeRawBufferPointer(buffer))
        }
    }

    public mutating func feed(_ bytes: [UInt8]) throws(RewriteError) { try feed(bytes[...]) }

    /// What went wrong first, be it a limit or what the sink noted.
    private func failure(_ error: ParseError) -> RewriteError {
        _ = writer.stop(.unreadable(error))
        return writer.failure ?? .unreadable(error)
    }

    /// Reads a source for a recoding and writes nothing: is fed all of it, and finished.
    public init(
        preparing recoding: TextRecoding, for preparation: TextRecoding.Preparation, from: TransferSyntax,
        keepsTruncation: Bool, limits: ScanLimits = ScanLimits()
    ) throws(RewriteError) {
        try self.init(
            from: from, to: from.isDeflated ? .explicitVRLittleEndian : from, recoding: recoding,
            keepsTruncation: keepsTruncation, limits: limits
        ) { _, _ in }
        recoding.begin(preparation)
        isPreparing = true
    }

    /// Leaves out the rest of pixel data that was replaced, or is not looked at: the bytes up to the offset that is
    /// returned need not be read and are not fed; feeding goes on there. Nil when nothing can be left out now: then
    /// feeding goes on as it was.
    ///
    /// - Parameter layout: the source's, as a scan found it.
    public mutating func skipReplacedPixelData(_ layout: PixelDataLayout) -> UInt64? {
        guard inflater == nil, writer.failure == nil, machine.sink.hasReplaced || isPreparing else { return nil }
        if let byteCount = layout.valueByteCount {
            guard machine.state == .parts, machine.current.tag == .pixelData, machine.current.length == byteCount,
                machine.current.valueOffset == layout.valueOffset
            else { return nil }
            return machine.skipValue()
        }
        guard let end = layout.endOfFragments, machine.frames.count == 2, machine.top.kind == .fragments,
            end > machine.position
        else { return nil }
        machine.skipFragments(to: end)
        return end
    }

    /// Writes what is left; the end of the source closes what is open.
    ///
    /// - Throws: `.truncated` if the source has ended too early, `.noPixelData`, or what `feed` throws.
    public consuming func finish() throws(RewriteError) -> RewrittenDataset {
        if let failure = writer.failure { throw failure }
        var machine = machine
        // What comes after the dataset's end is left out. A missing delimiter after whole fragments is put in.
        let isAtEnd = machine.state == .ended || machine.isBetweenFragments
        do throws(ParseError) {
            if machine.sink.keepsTruncation, !isAtEnd { try machine.cutOff() }
            try machine.finish()
            let isCut = machine.isTruncated && !isAtEnd
            let isInflated = inflater.map { !$0.isDamaged && ($0.isComplete || isCut) } ?? true
            if !isInflated || (isCut && !machine.sink.keepsTruncation) {
                throw writer.stop(.truncated(byteOffset: machine.position))
            }
            try machine.sink.finish()
        } catch { throw failure(error) }
        return RewrittenDataset(byteCount: writer.byteCount, isDamaged: machine.isDamaged)
    }
}

extension ScanMachine where Sink == RewriteSink {
    /// Whether the dataset's own fragments are open and the last one is whole.
    var isBetweenFragments: Bool {
        frames.count == 2 && top.kind == .fragments && state == .header && carry.isEmpty
    }

    /// Tells the sink that the source has ended where something is still to come, if it has.
    mutating func cutOff() throws(ParseError) {
        guard state == .header else { return }
        if carry.isEmpty { try closeEndedFrames() }
        var needed = 0
        if !carry.isEmpty, carried(isEnd: true, needed: &needed) != nil { return }
        guard frames.count > 1 || !carry.isEmpty else { return }
        try sink.cutOff()
        if carry.isEmpty { return }
        // The beginning of a header must not be missed, or the rest would look whole.
        guard top.encoding == sink.writer.encoding, frames.count > 1 || carry.count > 1 else {
            throw sink.writer.stop(.truncated(byteOffset: position))
        }
        try sink.writeCutOff(headerBytes: carry)
    }

    /// Goes to the end of the value that comes in parts.
    mutating func skipValue() -> UInt64 {
        position += remaining
        remaining = 0
        state = .header
        return position
    }

    /// Goes to where the fragments that are open have their delimiter.
    mutating func skipFragments(to end: UInt64) {
        position = end
        remaining = 0
        carry.removeAll(keepingCapacity: true)
        collected.removeAll(keepingCapacity: true)
        state = .header
    }
}

extension PixelDataLayout {
    /// Where the delimiter after the last fragment begins; nil when there is no fragment.
    var endOfFragments: UInt64? { fragments.last.map { $0 - 8 } }
}
