/// What a scan of one dataset found.
public struct ScannedDataset: Sendable {
    /// Everything but long values and pixel data, which are `.bulk` or `.fragments`.
    public var header: Dataset
    public var pixelData: PixelDataLayout?
    /// Bytes that were fed, before inflating.
    public var byteCount: UInt64
    /// Whether the stream ended inside an element or sequence, or went on after the dataset.
    public var isTruncated: Bool
    /// Whether something contradicted the standard and was read as far as it made sense.
    public var isDamaged: Bool
    /// Whether the VRs turned out to be written, whatever the transfer syntax says.
    public var isExplicitVR: Bool
    /// Whether numbers turned out to be in big endian, whatever the transfer syntax says.
    public var isBigEndian: Bool
}

/// A push parser for one dataset of any size. PS3.5 §7.
///
/// Used by one thread. Holds the header and small fixed buffers, never the object: long values pass by. What is wrong
/// with a dataset is noted in the result; only a broken limit throws. One pass, one allocation for each held value.
public struct DatasetScanner: ~Copyable {
    private var machine: ScanMachine<HeaderSink>
    private let inflater: Inflater?
    private var byteCount: UInt64 = 0

    /// - Parameter holding: attributes of the top level that are held, items included, however long values are; up to
    ///   `limits.headerByteCount` with all others.
    public init(transferSyntax: TransferSyntax, limits: ScanLimits = ScanLimits(), holding: Set<Tag> = []) {
        machine = ScanMachine(
            sink: HeaderSink(limits: limits, holding: holding), encoding: ElementEncoding(transferSyntax),
            limits: limits)
        inflater = transferSyntax.isDeflated ? Inflater(limits: limits) : nil
    }

    /// The next bytes of the dataset.
    ///
    /// - Throws: the case of the limit that is broken; then the scan is over.
    public mutating func feed(_ bytes: UnsafeRawBufferPointer) throws(ParseError) {
        byteCount += UInt64(bytes.count)
        guard let inflater else { return try machine.feed(bytes) }
        try inflater.inflate(bytes) { piece throws(ParseError) in try machine.feed(piece) }
    }

    public mutating func feed(_ bytes: ArraySlice<UInt8>) throws(ParseError) {
        try bytes.withUnsafeBufferPointer { buffer throws(ParseError) in
            try feed(UnsafeRawBufferPointer(buffer))
        }
    }

    public mutating func feed(_ bytes: [UInt8]) throws(ParseError) { try feed(bytes[...]) }

    /// What was found; the end of the stream closes what is open.
    ///
    /// - Throws: the case of the limit that is broken.
    public consuming func finish() throws(ParseError) -> ScannedDataset {
        var machine = machine
        try machine.finish()
        let (header, pixelData) = machine.sink.finish()
        return ScannedDataset(
            header: header, pixelData: pixelData, byteCount: byteCount,
            isTruncated: machine.isTruncated || inflater?.isComplete == false,
            isDamaged: machine.isDamaged || inflater?.isDamaged == true,
            isExplicitVR: machine.encoding.isExplicitVR, isBigEndian: machine.encoding.isBigEndian)
    }
}

extension Dataset {
    /// Reads a dataset that is whole in memory. PS3.5 §7.
    ///
    /// Every value but pixel data is held, whatever its length, up to `limits.headerByteCount` together.
    ///
    /// - Throws: the case of the limit that is broken.
    public static func parse(
        _ bytes: UnsafeRawBufferPointer, transferSyntax: TransferSyntax, limits: ScanLimits? = nil
    ) throws(ParseError) -> Dataset {
        var limits = limits ?? ScanLimits()
        limits.heldValueByteCount = max(limits.heldValueByteCount, limits.headerByteCount)
        var scanner = DatasetScanner(transferSyntax: transferSyntax, limits: limits)
        try scanner.feed(bytes)
        return try scanner.finish().header
    }

    public static func parse(
        _ bytes: [UInt8], transferSyntax: TransferSyntax, limits: ScanLimits? = nil
    ) throws(ParseError) -> Dataset {
        try bytes.withUnsafeBufferPointer { buffer throws(ParseError) in
            try parse(UnsafeRawBufferPointer(buffer), transferSyntax: transferSyntax, limits: limits)
        }
    }
}
