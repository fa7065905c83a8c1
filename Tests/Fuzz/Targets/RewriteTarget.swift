import DICOM

extension FuzzTarget {
    /// A dataset that is written in another transfer syntax while it is read.
    static let rewrite = FuzzTarget("rewrite") { images in
        images.datasets.enumerated().flatMap { index, dataset in
            [0, 0x40, 0x80].map { [encodingIndex(dataset.syntax), UInt8(index % 4), 9, $0] + dataset.bytes }
        }
    } run: { input in
        var reader = InputReader(input)
        let from = reader.choice(encodings)
        let to = reader.choice(rewritten)
        let seed = reader.byte()
        let options = reader.byte()
        let whole = Rewriting([reader.rest], from, to, options)
        let cut = Rewriting(pieces(reader.rest, seed: seed), from, to, options)
        switch (whole.outcome, cut.outcome) {
        case (.success(let one), .success(let two)):
            try require(one == two && whole.output.bytes == cut.output.bytes, "pieces change what is written")
            try require(whole.output.bytes.count == Int(one.byteCount), "the count of bytes is wrong")
            try require(whole.output.isEnded && cut.output.isEnded, "nothing is the last piece")
            if options & 0x87 == 0 { try checkContent(whole.output.bytes, reader.rest, from, to, options) }
        case (.failure(.output(let broken)), _), (_, .failure(.output(let broken))): throw broken
        case (.failure, .failure): break
        default: throw BrokenProperty(description: "pieces decide whether it can be written")
        }
        try checkPlan(reader.rest, from, to)
    }
}

/// What is written.
private let rewritten: [TransferSyntax] = [
    .explicitVRLittleEndian, .implicitVRLittleEndian, .explicitVRBigEndian, .jpegBaseline, .rleLossless,
]

/// One rewriting and what came of it.
private struct Rewriting {
    final class Output {
        var bytes: [UInt8] = []
        var isEnded = false
    }

    let output = Output()
    var outcome: Result<RewrittenDataset, RewriteError>

    /// - Parameter options: 1 replaces a value, 2 the pixel data, 4 removes a value, 0x40 keeps a truncation, 0x80 makes
    ///   text UTF-8; all but the first three size the pieces given.
    init(
        _ pieces: [ArraySlice<UInt8>], _ from: TransferSyntax, _ to: TransferSyntax, _ options: UInt8,
        _ limits: ScanLimits = tightLimits
    ) {
        var replacing = Dataset()
        if options & 1 == 1 { replacing.set(.lossyImageCompression, .CS, string: "01") }
        var pixelData = PixelDataRewrite.passThrough
        if options & 2 == 2 {
            let frames = FrameSource(frameCount: 2) { index, give in
                try [UInt8](repeating: UInt8(index), count: 6).withUnsafeBytes { try give($0) }
            }
            pixelData =
                to.isEncapsulated ? .encapsulated(frames: frames) : .native(vr: .OW, byteCount: 12, frames: frames)
        }
        let output = output
        let keepsTruncation = options & 0x40 != 0
        do throws(RewriteError) {
            var recoding: TextRecoding?
            if options & 0x80 != 0 { recoding = try Self.prepared(pieces, from, keepsTruncation, limits) }
            var rewriter = try DatasetRewriter(
                from: from, to: to, replacing: replacing, removing: options & 4 == 4 ? [.patientName] : [],
                pixelData: pixelData, recoding: recoding, keepsTruncation: keepsTruncation,
                pieceByteCount: 16 + 2 * Int(options >> 3), limits: limits
            ) { piece, isLast in
                try require(!output.isEnded, "something comes behind the last piece")
                try require(piece.count % 2 == 0, "a piece has odd length")
                output.bytes += piece
                output.isEnded = isLast
            }
            for piece in pieces { try rewriter.feed(piece) }
            outcome = .success(try rewriter.finish())
        } catch { outcome = .failure(error) }
    }

    private static func prepared(
        _ pieces: [ArraySlice<UInt8>], _ from: TransferSyntax, _ keepsTruncation: Bool, _ limits: ScanLimits
    ) throws(RewriteError) -> TextRecoding {
        let recoding = TextRecoding()
        for preparation in TextRecoding.Preparation.allCases {
            var reader = try DatasetRewriter(
                preparing: recoding, for: preparation, from: from, keepsTruncation: keepsTruncation, limits: limits)
            for piece in pieces { try reader.feed(piece) }
            _ = try reader.finish()
        }
        return recoding
    }
}

/// What is written from a sound source is sound and holds the same; written again it stays as it is.
private func checkContent(
    _ written: [UInt8], _ source: ArraySlice<UInt8>, _ from: TransferSyntax, _ to: TransferSyntax, _ options: UInt8
) throws {
    if let result = scanned(written[...], to, ScanLimits()),
        result.isBigEndian != to.isBigEndian || result.isExplicitVR != to.isExplicitVR
    {
        // A first tag that no standard knows can be taken for one in the other byte order.
        return
    }
    let again = Rewriting([written[...]], to, to, options & 0x40, ScanLimits())
    try require((try? again.outcome.get()) != nil && again.output.bytes == written, "written again, it changes")
    guard let read = scanned(source, from, tightLimits), !read.isDamaged, !read.isTruncated else { return }
    guard let result = scanned(written[...], to, ScanLimits()) else {
        throw BrokenProperty(description: "what was written breaks a limit")
    }
    try require(!result.isDamaged && !result.isTruncated, "what was written is not sound")
    // Half a number, which is padded at its end, has no byte order.
    if from.isBigEndian || read.isBigEndian || to.isBigEndian { return }
    if canonical(source, from) == canonical(written[...], to) { return }
    // Text of odd length under a tag that no standard knows is padded by its written VR, which its canonical form does not
    // have: then padding alone may be what differs. What is held of it does not tell its length, for it is in UTF-8.
    try require(hasUnknownText(read.header), "a value has changed")
    let padded = Rewriting([source], from, from, 0, ScanLimits()).output.bytes
    try require(canonical(padded[...], from) == canonical(written[...], to), "a value has changed but for padding")
}

private func hasUnknownText(_ dataset: Dataset) -> Bool {
    dataset.elements.contains { element in
        if case .items(let items) = element.value { return items.contains(where: hasUnknownText) }
        return element.vr.isString && DICOM.Dictionary.vr(of: element.tag) == nil
    }
}

private func scanned(
    _ bytes: ArraySlice<UInt8>, _ syntax: TransferSyntax, _ limits: ScanLimits
) -> ScannedDataset? {
    var scanner = DatasetScanner(transferSyntax: syntax, limits: limits)
    guard (try? scanner.feed(bytes)) != nil else { return nil }
    return try? scanner.finish()
}

private func canonical(_ bytes: ArraySlice<UInt8>, _ syntax: TransferSyntax) -> [UInt8] {
    var form: [UInt8] = []
    withUnsafeMutablePointer(to: &form) { form in
        let walker = CanonicalWalker(transferSyntax: syntax) { form.pointee += $0 }
        _ = try? walker.feed(bytes)
        _ = try? walker.finish()
    }
    return form
}

/// Deciding what it takes must not depend on the object being sound.
private func checkPlan(_ source: ArraySlice<UInt8>, _ from: TransferSyntax, _ to: TransferSyntax) throws {
    var scanner = DatasetScanner(transferSyntax: from, limits: tightLimits)
    guard (try? scanner.feed(source)) != nil, let scanned = try? scanner.finish() else { return }
    guard
        let plan = try? Transcoding.plan(header: scanned.header, from: from, to: to, layout: scanned.pixelData)
    else { return }
    _ = plan.replacing(lossyRatio: 3.5)
    guard case .frames(let work) = plan.work else { return }
    try require(work.frameCount == scanned.pixelData?.frames, "frames are missing")
    _ = work.nativeByteCount
}
