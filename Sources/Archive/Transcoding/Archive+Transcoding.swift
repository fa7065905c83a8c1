import Catalog
import DICOM

extension Archive {
    /// Gives an object's dataset in its own transfer syntax, in pieces: as it is stored, or with the corrections that
    /// apply to it.
    ///
    /// - Throws: as the other `write`; what `body` throws.
    public func write(
        _ object: StoredObject, through piece: PieceBuffer, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let corrections = try corrections(of: object)
        if corrections.isEmpty { return try object.forEachPiece(through: piece, body) }
        let syntax = TransferSyntax(uid: object.holding.transferSyntaxUID)
        let layout = PixelDataLayout(encoded: try object.record().pixelDataLayout)
        try withoutActuallyEscaping(body) { body in
            let deflater = syntax.isDeflated ? Deflater(give: body) : nil
            if syntax.isDeflated, deflater == nil { throw ArchiveError.full }
            try write(
                object, in: deflater == nil ? syntax : .explicitVRLittleEndian, from: syntax, layout: layout,
                corrections: corrections, sender: object.holding.sender.peer, through: piece
            ) { bytes in
                if let deflater { try deflater.feed(bytes) } else { try body(bytes) }
            }
            try deflater?.finish()
        }
    }

    /// Gives an object's dataset, with the corrections that apply to it, in another transfer syntax, in pieces; without
    /// loss if the syntax is not one that loses something (`losesWhenRewritten`). Then it is another image, see
    /// `LossyDerivation`.
    ///
    /// PS3.5 §A, §8.2. The stored object stays as it is. Holds the header, a piece, and a few frames; frames are decoded
    /// where `Settings.frameCoder` says. Nothing is given before it is certain that the object can be had so, but a
    /// frame that turns out to be broken ends it half way.
    ///
    /// - Throws: `.notTranscodable` before anything was given, `.transcodingFailed`; what `body` throws.
    public func write(
        _ object: StoredObject, in target: TransferSyntax, through piece: PieceBuffer,
        _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let source = TransferSyntax(uid: object.holding.transferSyntaxUID)
        let record = try object.record()
        try write(
            object, in: target, from: source, layout: PixelDataLayout(encoded: record.pixelDataLayout),
            derivedUID: target.losesWhenRewritten ? derivedInstanceUID(of: object.holding, in: target) : nil,
            corrections: try corrections(of: object), sender: object.holding.sender.peer, through: piece, body)
    }

    /// The same for content that is nowhere stored, such as what was made of an object for somebody; without loss only.
    ///
    /// - Throws: `.notTranscodable` before anything was given, `.transcodingFailed`; what `body` throws.
    public func write(
        _ content: InstanceContent, in target: TransferSyntax, through piece: PieceBuffer,
        _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        try write(
            content.source, in: target, from: content.transferSyntax, layout: content.layout, through: piece, body)
    }

    /// The same for any content whose transfer syntax and layout are known.
    func write(
        _ content: some ContentSource, in target: TransferSyntax, from source: TransferSyntax,
        layout: PixelDataLayout?, derivedUID: String? = nil, corrections: [Correction] = [], sender: String = "",
        through piece: PieceBuffer, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let header = try Self.header(
            of: content, transferSyntax: source, layout: layout, holding: CorrectedForm.former(corrections))
        let plan = try Self.plan(header, from: source, to: target, layout: layout, mayLose: derivedUID != nil)
        let form =
            corrections.isEmpty ? nil : try CorrectedForm(header: header, corrections: corrections, source: sender)
        switch plan.work {
        case .none where form == nil: try content.forEachPiece(through: piece, body)
        case .none, .reencode:
            try rewrite(
                content, plan, form, .passThrough, header, source, target, layout, piece, body)
        case .frames(let work):
            guard let layout else { throw ArchiveError.notTranscodable(.contradictoryPixelData) }
            let pipeline = FramePipeline(work, coder: settings.frameCoder) { index in
                try content.frame(index, layout)
            }
            defer { pipeline.stop() }
            let pixels: PixelDataRewrite =
                // Frames may be native and lie in fragments all the same. PS3.5 §A.4.11.
                target.isEncapsulated
                ? .encapsulated(frames: pipeline.source)
                : .native(vr: work.vr, byteCount: work.nativeByteCount, frames: pipeline.source)
            var replacing = plan.replacing()
            if plan.isLossy, let derivedUID {
                replacing = plan.replacing(lossyRatio: try pipeline.firstRatio())
                LossyDerivation(header: header, derivedUID: derivedUID).apply(to: &replacing)
            }
            try rewrite(
                content, plan, form, pixels, header, source, target, layout, piece, body, replacing: replacing)
        }
    }

    /// - Throws: `.notTranscodable`.
    fileprivate static func plan(
        _ header: Dataset, from source: TransferSyntax, to target: TransferSyntax, layout: PixelDataLayout?,
        mayLose: Bool
    ) throws(ArchiveError) -> TranscodingPlan {
        let plan: TranscodingPlan
        do throws(TranscodingError) {
            plan = try Transcoding.plan(header: header, from: source, to: target, layout: layout)
        } catch { throw .notTranscodable(error) }
        if plan.isLossy, !mayLose { throw .notTranscodable(.targetNotEncodable) }
        // Offsets count in the inflated dataset, in which nothing can be found without reading it all.
        if case .frames = plan.work, source.isDeflated { throw .notTranscodable(.sourceNotDecodable) }
        return plan
    }

    /// Whether an object can be written in a transfer syntax, as its header says: no pixel is touched.
    ///
    /// - Throws: `.notTranscodable`, as `write` would before anything was given.
    public func checkWriting(_ object: StoredObject, in target: TransferSyntax) throws(ArchiveError) {
        let content = try InstanceContent(object)
        _ = try Self.plan(
            try content.header(), from: content.transferSyntax, to: target, layout: content.layout,
            mayLose: target.losesWhenRewritten)
    }

    private func rewrite(
        _ content: some ContentSource, _ plan: TranscodingPlan, _ form: CorrectedForm?, _ pixels: PixelDataRewrite,
        _ header: Dataset, _ source: TransferSyntax, _ target: TransferSyntax, _ layout: PixelDataLayout?,
        _ piece: PieceBuffer,
        _ body: (UnsafeRawBufferPointer) throws -> Void, replacing: Dataset? = nil
    ) throws {
        var replacing = replacing ?? plan.replacing()
        if let form { replacing.merge(form.replacing) }
        let removing = plan.removing.union(form?.removing ?? [])
        var isCopied = true
        if case .frames = plan.work { isCopied = false }
        // What is stored cut off is sent cut off, corrected or not.
        let keepsTruncation = form != nil && isCopied
        do throws(RewriteError) {
            var recoding: TextRecoding?
            if form?.needsUTF8 == true {
                recoding = try prepared(content, source, layout, piece, keepsTruncation: keepsTruncation)
            }
            try withoutActuallyEscaping(body) { body throws(RewriteError) in
                var rewriter = try DatasetRewriter(
                    from: source, to: target, header: header, replacing: replacing, removing: removing,
                    pixelData: pixels, recoding: recoding, keepsTruncation: keepsTruncation,
                    pieceByteCount: PieceBuffer.byteCount
                ) { bytes, _ in try body(bytes) }
                // The compressed or native original need not be read once more.
                try feed(content, to: &rewriter, skipping: isCopied ? nil : layout, piece)
                _ = try rewriter.finish()
            }
        } catch {
            switch error {
            case .output(let inner): throw inner
            case .frames(let inner as ArchiveError): throw inner
            default: throw ArchiveError.transcodingFailed("\(error)")
            }
        }
    }

    /// Reads the content, without its pixels where they can be skipped, for all of its text to become UTF-8.
    private func prepared(
        _ content: some ContentSource, _ source: TransferSyntax, _ layout: PixelDataLayout?, _ piece: PieceBuffer,
        keepsTruncation: Bool
    ) throws(RewriteError) -> TextRecoding {
        let recoding = TextRecoding()
        for preparation in TextRecoding.Preparation.allCases {
            if preparation == .measure, recoding.hasNoLongText { break }
            var reader = try DatasetRewriter(
                preparing: recoding, for: preparation, from: source, keepsTruncation: keepsTruncation)
            try feed(content, to: &reader, skipping: layout, piece)
            _ = try reader.finish()
        }
        return recoding
    }

    private func feed(
        _ content: some ContentSource, to rewriter: inout DatasetRewriter, skipping layout: PixelDataLayout?,
        _ piece: PieceBuffer
    ) throws(RewriteError) {
        var offset: UInt64 = 0
        while offset < content.byteCount {
            let count: Int
            do throws(ArchiveError) {
                count = try content.read(offset: offset, into: piece.bytes)
            } catch { throw .output(error) }
            guard count > 0 else { throw .output(ArchiveError.damaged) }
            try rewriter.feed(UnsafeRawBufferPointer(rebasing: piece.bytes[..<count]))
            offset += UInt64(count)
            if let layout, let end = rewriter.skipReplacedPixelData(layout) { offset = end }
        }
    }

    /// The UID of what an object becomes when it is written with loss: the same each time.
    public func derivedInstanceUID(of holding: Holding, in target: TransferSyntax) -> String {
        placeholderUID("derived \(target.uid) \(holding.sequence) \(holding.sopInstanceUID)")
    }

    /// The dataset up to its pixel data, or all of it without long values when it has none.
    ///
    /// - Parameter holding: attributes that are held however long they are.
    static func header(
        of content: some ContentSource, transferSyntax: TransferSyntax, layout: PixelDataLayout?,
        holding: Set<Tag> = []
    ) throws(ArchiveError) -> Dataset {
        let end = transferSyntax.isDeflated ? content.byteCount : layout?.valueOffset ?? content.byteCount
        return try scan(content, transferSyntax: transferSyntax, upTo: end, holding: holding).header
    }

    static func scan(
        _ content: some ContentSource, transferSyntax: TransferSyntax, upTo end: UInt64, holding: Set<Tag> = []
    ) throws(ArchiveError) -> ScannedDataset {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 64)
        defer { buffer.deallocate() }
        var scanner = DatasetScanner(transferSyntax: transferSyntax, holding: holding)
        var offset: UInt64 = 0
        while offset < end {
            let room = Int(min(UInt64(buffer.count), end - offset))
            let count = try content.read(
                offset: offset, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<room]))
            guard count > 0 else { break }
            do throws(ParseError) {
                try scanner.feed(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            } catch { throw .bound(error) }
            offset += UInt64(count)
        }
        do throws(ParseError) { return try scanner.finish() } catch { throw .bound(error) }
    }
}

extension InstanceContent {
    /// The transfer syntaxes in which the dataset can be had, its own first.
    public func transferSyntaxes() throws(ArchiveError) -> [TransferSyntax] {
        let header = try header()
        return [transferSyntax]
            + TransferSyntax.all.filter { target in
                guard target != transferSyntax, target.isStorable else { return false }
                return
                    (try? Archive.plan(
                        header, from: transferSyntax, to: target, layout: layout, mayLose: target.losesWhenRewritten))
                    != nil
            }
    }
}

extension ContentSource {
    /// The bytes of one frame as they are stored, its fragments put together.
    func frame(_ index: Int, _ layout: PixelDataLayout) throws(ArchiveError) -> [UInt8] {
        let ranges = layout.frameRanges(index)
        let count = ranges.reduce(UInt64(0)) { $0 + $1.length }
        guard !ranges.isEmpty, count <= TranscodingLimits().frameByteCount, count <= byteCount else {
            throw .notTranscodable(.framesMissing(declared: layout.declaredFrameCount, found: index))
        }
        var failure: ArchiveError?
        let frame = [UInt8](unsafeUninitializedCapacity: Int(count)) { buffer, filled in
            let memory = UnsafeMutableRawBufferPointer(buffer)
            do throws(ArchiveError) {
                for range in ranges {
                    let part = UnsafeMutableRawBufferPointer(rebasing: memory[filled..<(filled + Int(range.length))])
                    guard try read(offset: range.offset, into: part) == part.count else { throw .damaged }
                    filled += part.count
                }
            } catch { failure = error }
        }
        if let failure { throw failure }
        return frame
    }
}
