import DICOM

/// What the scanner reads: one of each kind of encoding.
let encodings: [TransferSyntax] = [
    .explicitVRLittleEndian, .implicitVRLittleEndian, .explicitVRBigEndian, .deflatedExplicitVRLittleEndian,
    .jpegBaseline, .rleLossless,
]

/// The number by which `encodings` names the kind of a syntax.
func encodingIndex(_ syntax: TransferSyntax) -> UInt8 {
    let index = encodings.firstIndex(of: syntax) ?? (syntax.isEncapsulated ? 4 : 0)
    return UInt8(index)
}

/// Bounds that an input of some kilobytes can reach.
let tightLimits: ScanLimits = {
    var limits = ScanLimits()
    limits.inflatedByteCount = 1 << 20
    limits.headerByteCount = 1 << 20
    limits.heldValueByteCount = 512
    limits.elementCount = 2000
    limits.fragmentCount = 100
    limits.depth = 8
    return limits
}()

extension FuzzTarget {
    /// The scan of a dataset: however it is cut, it gives the same.
    static let scan = FuzzTarget("scan") { images in
        images.datasets.map { [encodingIndex($0.syntax), 7] + $0.bytes }
    } run: { input in
        var reader = InputReader(input)
        let syntax = reader.choice(encodings)
        let seed = reader.byte()
        let limits = seed & 1 == 0 ? tightLimits : ScanLimits()
        let whole = ScanOutcome([reader.rest], syntax, limits)
        let cut = ScanOutcome(pieces(reader.rest, seed: seed), syntax, limits)
        try whole.compare(with: cut, isDeflated: syntax.isDeflated)
        guard case .success(let scanned) = whole.scan, let layout = scanned.pixelData else { return }
        try require(PixelDataLayout(encoded: layout.encoded()) == layout, "the layout does not come back")
        try checkRanges(layout, byteCount: syntax.isDeflated ? limits.inflatedByteCount : UInt64(input.count))
    }
}

/// What scanner and walker make of a dataset.
private struct ScanOutcome {
    var scan: Result<ScannedDataset, ParseError>
    var canonical: Result<Bool, ParseError>
    var form = FormBox()

    init(_ pieces: [ArraySlice<UInt8>], _ syntax: TransferSyntax, _ limits: ScanLimits) {
        do throws(ParseError) {
            var scanner = DatasetScanner(transferSyntax: syntax, limits: limits)
            for piece in pieces { try scanner.feed(piece) }
            scan = .success(try scanner.finish())
        } catch { scan = .failure(error) }
        let form = form
        do throws(ParseError) {
            let walker = CanonicalWalker(transferSyntax: syntax, limits: limits) { form.bytes += $0 }
            for piece in pieces { try walker.feed(piece) }
            canonical = .success(try walker.finish())
        } catch { canonical = .failure(error) }
    }

    /// - Parameter isDeflated: inflating comes before scanning, so which of two broken limits is told depends on the
    ///   pieces.
    func compare(with other: ScanOutcome, isDeflated: Bool) throws {
        switch (scan, other.scan) {
        case (.success(let one), .success(let two)):
            try require(jsonBytes(one.header) == jsonBytes(two.header), "pieces change the header")
            try require(one.pixelData == two.pixelData, "pieces change the pixel data's layout")
            try require(one.byteCount == two.byteCount, "pieces change the count of bytes")
            try require(one.isTruncated == two.isTruncated, "pieces change whether it is truncated")
            try require(one.isDamaged == two.isDamaged, "pieces change whether it is damaged")
            try require(one.isExplicitVR == two.isExplicitVR, "pieces change how VRs are understood")
            try require(one.isBigEndian == two.isBigEndian, "pieces change the byte order")
        case (.failure(let one), .failure(let two)):
            try require(isDeflated || one == two, "pieces change the limit that is broken")
        default: throw BrokenProperty(description: "pieces decide whether a limit is broken")
        }
        switch (canonical, other.canonical) {
        case (.success(let one), .success(let two)):
            try require(one == two, "pieces change whether the form is sound")
            try require(form.bytes == other.form.bytes, "pieces change the canonical form")
        case (.failure, .failure): break
        default: throw BrokenProperty(description: "pieces decide whether a limit of the form is broken")
        }
    }
}

private final class FormBox {
    var bytes: [UInt8] = []
}

func jsonBytes(_ dataset: Dataset) -> [UInt8] {
    var bytes: [UInt8] = []
    dataset.json(into: &bytes)
    return bytes
}

/// Asks for every range that a layout has, up to a bound.
///
/// - Parameter byteCount: bytes of the dataset, behind which nothing may lie.
func checkRanges(_ layout: PixelDataLayout, byteCount: UInt64 = .max) throws {
    for index in 0..<min(layout.fragmentCount, 1000) {
        guard let range = layout.fragmentRange(index) else {
            throw BrokenProperty(description: "a fragment that is counted has no range")
        }
        try require(range.offset <= byteCount && range.length <= byteCount - range.offset, "a fragment lies outside")
    }
    for index in 0..<min(layout.frames, 1000) {
        try require((0..<8).contains(layout.firstBit(ofFrame: index)), "a frame begins at no bit of a byte")
        for range in layout.frameRanges(index) {
            try require(range.offset <= byteCount && range.length <= byteCount - range.offset, "a frame lies outside")
        }
    }
    try require(layout.frameRanges(layout.frames).isEmpty, "a frame past the last has a range")
    try require(layout.fragmentRange(layout.fragmentCount) == nil, "a fragment past the last has a range")
}
