/// Takes the pixel data of an image while it passes by; used by the thread that feeds.
///
/// What a call throws ends the scan, and `SplittingScanner` throws it.
public protocol PixelDataReceiver: AnyObject {
    associatedtype Failure: Error

    /// The image's pixel data begins; everything before it is in the header.
    func beginPixelData(_ beginning: PixelDataBeginning) throws(Failure)
    /// The next bytes of native pixel data, in the order of the source, or of the fragment that is open.
    func pixelBytes(_ bytes: UnsafeRawBufferPointer) throws(Failure)
    /// A fragment begins; the offset table is none.
    func beginFragment(byteCount: UInt64) throws(Failure)
    func endFragment() throws(Failure)
    /// `isWhole` is false when the source ends inside it.
    func endPixelData(isWhole: Bool) throws(Failure)
}

/// Where an image's own pixel data begins. PS3.5 §8 and §A.4.
public struct PixelDataBeginning: Sendable {
    /// All elements before the pixel data.
    public var header: Dataset
    public var tag: Tag
    /// As it is written, or OW where none is.
    public var vr: VR
    public var isVRWritten: Bool
    /// Nil when it lies in fragments.
    public var byteCount: UInt64?
    /// Whether numbers are in big endian.
    public var isBigEndian: Bool
    /// The Basic Offset Table, which is often empty; nil when pixel data is native.
    public var offsets: [UInt32]?
}

/// What a `SplittingScanner` stopped for.
public enum SplittingError<Failure: Error>: Error {
    case unreadable(ParseError)
    case receiver(Failure)
}

/// A push parser that holds a dataset's values whatever their length, and gives the image's pixel data on as it comes.
///
/// Used by one thread. Holds up to `limits.headerByteCount`, never the pixels. PS3.5 §7.
public struct SplittingScanner<Receiver: PixelDataReceiver>: ~Copyable {
    private var machine: ScanMachine<SplitSink>
    private let relay: Relay<Receiver>
    private let inflater: Inflater?
    private var byteCount: UInt64 = 0

    public init(transferSyntax: TransferSyntax, limits: ScanLimits = ScanLimits(), receiver: Receiver) {
        var limits = limits
        limits.heldValueByteCount = max(limits.heldValueByteCount, limits.headerByteCount)
        relay = Relay(receiver)
        machine = ScanMachine(
            sink: SplitSink(limits: limits, receiver: relay), encoding: ElementEncoding(transferSyntax), limits: limits)
        inflater = transferSyntax.isDeflated ? Inflater(limits: limits) : nil
    }

    /// The next bytes of the dataset.
    public mutating func feed(_ bytes: UnsafeRawBufferPointer) throws(SplittingError<Receiver.Failure>) {
        byteCount += UInt64(bytes.count)
        do throws(ParseError) {
            if let inflater {
                try inflater.inflate(bytes) { piece throws(ParseError) in try machine.feed(piece) }
            } else {
                try machine.feed(bytes)
            }
        } catch { throw failure(error) }
    }

    private func failure(_ error: ParseError) -> SplittingError<Receiver.Failure> {
        relay.failure.map { .receiver($0) } ?? .unreadable(error)
    }

    /// Everything but the pixel data; what comes in front of pixel data but stands behind it makes the result damaged.
    public consuming func finish() throws(SplittingError<Receiver.Failure>) -> ScannedDataset {
        do throws(ParseError) { try machine.finish() } catch { throw failure(error) }
        let header = machine.sink.finish()
        return ScannedDataset(
            header: header, pixelData: nil, byteCount: byteCount,
            isTruncated: machine.isTruncated || inflater?.isComplete == false,
            isDamaged: machine.isDamaged || inflater?.isDamaged == true || machine.sink.isOutOfOrder,
            isExplicitVR: machine.encoding.isExplicitVR, isBigEndian: machine.encoding.isBigEndian)
    }
}

/// Receives for a sink that does not know what the receiver throws: a sink of its own for each kind of receiver would be
/// compiled for none of them.
private class PixelDataRelay {
    func beginPixelData(_ beginning: PixelDataBeginning) throws(ParseError) {}
    func pixelBytes(_ bytes: UnsafeRawBufferPointer) throws(ParseError) {}
    func beginFragment(byteCount: UInt64) throws(ParseError) {}
    func endFragment() throws(ParseError) {}
    func endPixelData(isWhole: Bool) throws(ParseError) {}
}

/// Keeps what the receiver throws, and stops the scan with something that nobody sees.
private final class Relay<Receiver: PixelDataReceiver>: PixelDataRelay {
    private let receiver: Receiver
    private(set) var failure: Receiver.Failure?

    init(_ receiver: Receiver) { self.receiver = receiver }

    private func stop(_ failure: Receiver.Failure) -> ParseError {
        if self.failure == nil { self.failure = failure }
        return .truncated(byteOffset: 0)
    }

    override func beginPixelData(_ beginning: PixelDataBeginning) throws(ParseError) {
        do throws(Receiver.Failure) { try receiver.beginPixelData(beginning) } catch { throw stop(error) }
    }

    override func pixelBytes(_ bytes: UnsafeRawBufferPointer) throws(ParseError) {
        do throws(Receiver.Failure) { try receiver.pixelBytes(bytes) } catch { throw stop(error) }
    }

    override func beginFragment(byteCount: UInt64) throws(ParseError) {
        do throws(Receiver.Failure) { try receiver.beginFragment(byteCount: byteCount) } catch { throw stop(error) }
    }

    override func endFragment() throws(ParseError) {
        do throws(Receiver.Failure) { try receiver.endFragment() } catch { throw stop(error) }
    }

    override func endPixelData(isWhole: Bool) throws(ParseError) {
        do throws(Receiver.Failure) { try receiver.endPixelData(isWhole: isWhole) } catch { throw stop(error) }
    }
}

/// Leaves everything but the image's pixel data to a `HeaderSink`.
private struct SplitSink: ScanSink {
    private var header: HeaderSink
    private let limits: ScanLimits
    private let receiver: PixelDataRelay
    private(set) var isOutOfOrder = false
    /// What passes by to the receiver.
    private var own: Own = .none
    private var pixelTag: Tag?
    private var pending: ElementHeader?
    private var fragmentCount = 0

    private enum Own {
        case none
        case native
        /// Fragments, of which the offset table comes first.
        case table
        case fragments
    }

    init(limits: ScanLimits, receiver: PixelDataRelay) {
        self.limits = limits
        self.receiver = receiver
        header = HeaderSink(limits: limits)
    }

    mutating func finish() -> Dataset { header.finish().header }

    private mutating func begin(_ element: ElementHeader, offsets: [UInt32]?) throws(ParseError) {
        var held = header
        let beginning = PixelDataBeginning(
            header: held.finish().header, tag: element.tag, vr: element.vr, isVRWritten: element.isVRWritten,
            byteCount: offsets == nil ? element.length ?? 0 : nil, isBigEndian: element.isBigEndian, offsets: offsets)
        pixelTag = element.tag
        try receiver.beginPixelData(beginning)
    }

    /// Notes an element of the top level that stands in the wrong place.
    private mutating func note(_ element: ElementHeader) {
        if element.depth == 0, let pixelTag, element.tag <= pixelTag { isOutOfOrder = true }
    }

    // MARK: Values

    func wholeByteCount(_ element: ElementHeader) -> UInt64 {
        switch own {
        case .table: return UInt64(limits.fragmentCount) * 4
        case .fragments: return 0
        case .none, .native: return element.isPixelData ? 0 : header.wholeByteCount(element)
        }
    }

    mutating func value(
        _ element: ElementHeader, _ bytes: UnsafeRawBufferPointer, isWhole: Bool
    ) throws(ParseError) {
        switch own {
        case .table:
            own = .fragments
            let offsets = (0..<bytes.count / 4).map { index in
                let value = bytes.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self)
                return element.isBigEndian ? UInt32(bigEndian: value) : UInt32(littleEndian: value)
            }
            if let pending { try begin(pending, offsets: offsets) }
        case .fragments:
            // An empty fragment.
            try beginParts(element)
            try part(bytes)
            try endParts(element, byteCount: UInt64(bytes.count))
        case .none, .native:
            note(element)
            guard element.isPixelData else { return try header.value(element, bytes, isWhole: isWhole) }
            try beginParts(element)
            try part(bytes)
            try endParts(element, byteCount: UInt64(bytes.count))
        }
    }

    mutating func beginParts(_ element: ElementHeader) throws(ParseError) {
        switch own {
        case .fragments:
            fragmentCount += 1
            if fragmentCount > limits.fragmentCount {
                throw .tooManyFragments(limit: limits.fragmentCount, byteOffset: element.valueOffset)
            }
            let byteCount = element.length ?? 0
            try receiver.beginFragment(byteCount: byteCount)
        case .table: throw .tooManyFragments(limit: limits.fragmentCount, byteOffset: element.valueOffset)
        case .none, .native:
            note(element)
            guard element.isPixelData, pixelTag == nil else { return try header.beginParts(element) }
            own = .native
            try begin(element, offsets: nil)
        }
    }

    mutating func part(_ bytes: UnsafeRawBufferPointer) throws(ParseError) {
        if case .none = own { return try header.part(bytes) }
        try receiver.pixelBytes(bytes)
    }

    mutating func endParts(_ element: ElementHeader, byteCount: UInt64) throws(ParseError) {
        switch own {
        case .none: try header.endParts(element, byteCount: byteCount)
        case .native:
            own = .none
            let isWhole = byteCount == element.length
            try receiver.endPixelData(isWhole: isWhole)
        case .table, .fragments:
            if byteCount != element.length { isOutOfOrder = true }
            try receiver.endFragment()
        }
    }

    // MARK: Structure

    mutating func beginSequence(_ element: ElementHeader) throws(ParseError) {
        note(element)
        try header.beginSequence(element)
    }

    mutating func beginItem() throws(ParseError) { try header.beginItem() }
    mutating func endItem() throws(ParseError) { try header.endItem() }
    mutating func endSequence() throws(ParseError) { try header.endSequence() }

    mutating func beginFragments(_ element: ElementHeader) throws(ParseError) {
        note(element)
        guard element.isPixelData, pixelTag == nil else { return try header.beginFragments(element) }
        own = .table
        pending = element
    }

    mutating func endFragments(end: UInt64) throws(ParseError) {
        if case .none = own { return try header.endFragments(end: end) }
        if case .table = own, let pending { try begin(pending, offsets: []) }
        own = .none
        try receiver.endPixelData(isWhole: true)
    }
}
