import DICOM

/// What a rewriting gave.
struct Rewritten {
    var bytes: [UInt8] = []
    var pieceCounts: [Int] = []
    var lastCount = 0
    var isDamaged = false
}

/// Takes the pieces of a rewriter.
final class PieceCollector {
    var result = Rewritten()

    func take(_ piece: UnsafeRawBufferPointer, isLast: Bool) {
        result.bytes += piece
        result.pieceCounts.append(piece.count)
        if isLast { result.lastCount += 1 }
    }
}

/// What a rewriter is told besides the syntaxes.
struct RewriteOptions {
    var header = Dataset()
    var replacing = Dataset()
    var removing: Set<Tag> = []
    var pixelData = PixelDataRewrite.passThrough
    /// Bytes fed at once, and given on at once.
    var fedByteCount = Int.max
    var pieceByteCount = DatasetRewriter.defaultPieceByteCount
    var limits = ScanLimits()
}

/// Rewrites bytes that are whole in memory.
func rewrite(
    _ bytes: [UInt8], _ from: TransferSyntax, _ to: TransferSyntax, _ options: RewriteOptions = RewriteOptions()
) throws(RewriteError) -> Rewritten {
    let collector = PieceCollector()
    var rewriter = try DatasetRewriter(
        from: from, to: to, header: options.header, replacing: options.replacing, removing: options.removing,
        pixelData: options.pixelData, pieceByteCount: options.pieceByteCount, limits: options.limits
    ) { collector.take($0, isLast: $1) }
    var start = 0
    while start < bytes.count {
        let end = start + min(options.fedByteCount, bytes.count - start)
        try rewriter.feed(bytes[start..<end])
        start = end
    }
    collector.result.isDamaged = try rewriter.finish().isDamaged
    return collector.result
}

extension FrameSource {
    /// Frames that are in memory.
    init(_ frames: [[UInt8]]) {
        self.init(frameCount: frames.count) { index, give in try frames[index].withUnsafeBytes { try give($0) } }
    }
}

/// A failure of a test's own.
struct Broken: Error {}

extension RewriteError {
    /// Which case this is.
    var name: String {
        switch self {
        case .unreadable: "unreadable"
        case .truncated: "truncated"
        case .targetNotWritable: "targetNotWritable"
        case .pixelDataDoesNotFit: "pixelDataDoesNotFit"
        case .valueOfSequence: "valueOfSequence"
        case .textDoesNotFit: "textDoesNotFit"
        case .noPixelData: "noPixelData"
        case .wrongPixelData: "wrongPixelData"
        case .frames: "frames"
        case .output: "output"
        }
    }
}
