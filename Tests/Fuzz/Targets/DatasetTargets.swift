import DICOM

/// What a dataset in memory is written as.
private let writtenSyntaxes: [TransferSyntax] = [
    .explicitVRLittleEndian, .implicitVRLittleEndian, .explicitVRBigEndian,
]

extension FuzzTarget {
    /// A dataset that is whole in memory: what was read can be written, and comes back.
    static let dataset = FuzzTarget("dataset") { images in
        images.datasets.map { [encodingIndex($0.syntax), 0] + $0.bytes }
    } run: { input in
        var reader = InputReader(input)
        let syntax = reader.choice(encodings)
        let limits = reader.byte() & 1 == 0 ? tightLimits : ScanLimits()
        guard let read = try? Dataset.parse(Array(reader.rest), transferSyntax: syntax, limits: limits) else { return }
        for element in read.elements { readValues(element.tag, of: read) }
        for written in writtenSyntaxes where written.isExplicitVR || isAsKnown(read) {
            try checkRoundTrip(read, written)
        }
        var merged = read
        merged.merge(read)
        try require(jsonBytes(merged) == jsonBytes(read), "a dataset that is merged with itself changes")
    }

    /// A file's beginning.
    static let part10 = FuzzTarget("part10") { images in
        let start = Part10.header(
            sopClassUID: SOPClass.verification, sopInstanceUID: "1.2.3", transferSyntax: .explicitVRLittleEndian)
        return images.files + [start + [8, 0, 5, 0, 0x43, 0x53, 0, 0]]
    } run: { input in
        guard let meta = try? Part10.parseMeta(input) else { return }
        try require((0...input.count).contains(meta.datasetOffset), "the dataset begins outside the file")
        var scanner = DatasetScanner(transferSyntax: meta.transferSyntax, limits: tightLimits)
        do throws(ParseError) {
            try scanner.feed(input[meta.datasetOffset...])
            _ = try scanner.finish()
        } catch {}
        // More bytes behind what was enough change nothing of it.
        let longer = try? Part10.parseMeta(input + [0, 0, 0, 0, 0, 0, 0, 0])
        try require(longer?.datasetOffset == meta.datasetOffset || input.count - meta.datasetOffset < 8, "it moved")
    }

    /// Where pixel data lies, as it is kept beside an object.
    static let layout = FuzzTarget("layout", byteCountLimit: 2048) { images in
        images.datasets.compactMap { dataset in
            var scanner = DatasetScanner(transferSyntax: dataset.syntax)
            try? scanner.feed(dataset.bytes)
            return (try? scanner.finish())?.pixelData?.encoded()
        }
    } run: { input in
        guard let layout = PixelDataLayout(encoded: input) else { return }
        try require(PixelDataLayout(encoded: layout.encoded()) == layout, "the layout does not come back")
        try checkRanges(layout)
    }
}

/// Reads a value in every way there is.
private func readValues(_ tag: Tag, of dataset: Dataset) {
    _ = dataset.string(tag)
    _ = dataset.ints(tag)
    _ = dataset.doubles(tag)
    _ = dataset.uint16(tag)
    _ = dataset.bytes(tag)
    for value in dataset.strings(tag) {
        _ = PersonName(value)
        _ = AETitle(value)
        _ = UIDs.isValid(value)
    }
}

/// Whether a dataset has items where the standard has them, for implicit VR does not say what else is meant.
private func isAsKnown(_ dataset: Dataset) -> Bool {
    dataset.elements.allSatisfy { element in
        let known = DICOM.Dictionary.vr(of: element.tag)
        guard case .items(let items) = element.value else {
            // Under an unknown tag only the value itself tells whether it is a sequence.
            guard known == nil, case .bytes(let bytes) = element.value else { return known != .SQ }
            return !bytes.starts(with: [0xFE, 0xFF, 0x00, 0xE0])
        }
        return (known == nil || known == .SQ) && items.allSatisfy { isAsKnown($0) }
    }
}

/// What is written once and read must be the same when it is written again.
private func checkRoundTrip(_ dataset: Dataset, _ syntax: TransferSyntax) throws {
    var limits = ScanLimits()
    // Written at twice the size, a value may take three bytes for each it had.
    limits.headerByteCount *= 4
    func read(_ bytes: [UInt8]) throws -> Dataset? {
        var scanner = DatasetScanner(transferSyntax: syntax, limits: limits)
        try scanner.feed(bytes)
        let scanned = try scanner.finish()
        // A first tag that no standard knows can be taken for one in the other byte order.
        if scanned.isBigEndian != syntax.isBigEndian || scanned.isExplicitVR != syntax.isExplicitVR { return nil }
        try require(!scanned.isTruncated, "what is written has no end")
        return scanned.header
    }
    let once = dataset.encoded(transferSyntax: syntax)
    guard let second = try read(once) else { return }
    let twice = second.encoded(transferSyntax: syntax)
    guard let third = try read(twice) else { return }
    try require(third.encoded(transferSyntax: syntax) == twice, "what is written and read is written otherwise")
}
