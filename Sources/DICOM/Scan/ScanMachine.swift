/// A push parser for datasets of any size: an explicit stack, no recursion, and no more memory than its limits.
///
/// Tolerant: what is wrong is noted in `isDamaged` and read as far as it makes sense; only a broken limit throws.
/// The same bytes give the same result however they are cut into pieces.
struct ScanMachine<Sink: ScanSink> {
    var sink: Sink
    let limits: ScanLimits
    /// Offset of the next byte to look at.
    var position: UInt64 = 0
    /// Something contradicted the standard.
    var isDamaged = false
    /// The stream ended inside an element or an open sequence, or went on after the dataset.
    var isTruncated = false
    /// How the dataset turned out to be encoded.
    var encoding: ElementEncoding

    var state = State.header
    var frames: [Frame]
    /// Beginning of a header that was cut.
    var carry: [UInt8] = []
    var current: ElementHeader
    /// Bytes of `current` still to come.
    var remaining: UInt64 = 0
    var collected: [UInt8] = []
    var elementCount = 0
    var sequenceDepth = 0
    var isFragmentTable = false

    enum State {
        case header
        /// A short value is gathered.
        case collect
        /// A long value passes by.
        case parts
        /// Bytes that belong to nothing pass by.
        case junk
        case ended
    }

    struct Frame {
        enum Kind { case dataset, item, sequence, fragments }
        var kind: Kind
        /// Offset where it ends at the latest: its own end, else that of what encloses it.
        var end: UInt64
        var encoding: ElementEncoding
        /// Whether no element was read yet.
        var isFresh = true
    }

    static var noEnd: UInt64 { .max }

    init(sink: Sink, encoding: ElementEncoding, limits: ScanLimits) {
        self.sink = sink
        self.limits = limits
        self.encoding = encoding
        frames = [Frame(kind: .dataset, end: Self.noEnd, encoding: encoding)]
        frames.reserveCapacity(8)
        current = ElementHeader(
            tag: Tag(0), vr: .UN, length: 0, valueOffset: 0, isBigEndian: false, depth: 0)
    }

    /// The top of the stack. The dataset's own frame is never removed.
    var top: Frame { frames[frames.count - 1] }

    // MARK: Feeding

    mutating func feed(_ bytes: UnsafeRawBufferPointer) throws(ParseError) {
        var rest = bytes
        while !rest.isEmpty {
            switch state {
            case .header: try readHeader(&rest)
            case .collect: try collect(&rest)
            case .parts:
                let count = Int(min(remaining, UInt64(rest.count)))
                try sink.part(UnsafeRawBufferPointer(rebasing: rest[..<count]))
                advance(&rest, by: count)
                remaining -= UInt64(count)
                if remaining == 0 { try finishParts() }
            case .junk:
                let count = Int(min(remaining, UInt64(rest.count)))
                advance(&rest, by: count)
                remaining -= UInt64(count)
                if remaining == 0 { state = .header }
            case .ended:
                position += UInt64(rest.count)
                return
            }
        }
    }

    @inline(__always)
    mutating func advance(_ rest: inout UnsafeRawBufferPointer, by count: Int) {
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        position += UInt64(count)
    }

    private mutating func collect(_ rest: inout UnsafeRawBufferPointer) throws(ParseError) {
        let count = Int(min(remaining, UInt64(rest.count)))
        if collected.isEmpty && UInt64(count) == remaining {
            try deliver(UnsafeRawBufferPointer(rebasing: rest[..<count]), isWhole: true)
            advance(&rest, by: count)
            return
        }
        collected.append(contentsOf: rest[..<count])
        advance(&rest, by: count)
        remaining -= UInt64(count)
        if remaining == 0 { try deliverCollected(isWhole: true) }
    }

    mutating func deliverCollected(isWhole: Bool) throws(ParseError) {
        let bytes = collected
        collected.removeAll(keepingCapacity: bytes.count <= 1024)
        try bytes.withUnsafeBufferPointer { buffer throws(ParseError) in
            try deliver(UnsafeRawBufferPointer(buffer), isWhole: isWhole)
        }
    }

    mutating func deliver(_ bytes: UnsafeRawBufferPointer, isWhole: Bool) throws(ParseError) {
        state = .header
        remaining = 0
        try sink.value(current, bytes, isWhole: isWhole)
    }

    mutating func finishParts() throws(ParseError) {
        state = .header
        try sink.endParts(current, byteCount: (current.length ?? 0) - remaining)
        remaining = 0
    }

    // MARK: Headers

    private mutating func readHeader(_ rest: inout UnsafeRawBufferPointer) throws(ParseError) {
        if carry.isEmpty {
            try closeEndedFrames()
            // What is left of an item is too short for an element.
            let room = top.end - position
            if room < 8 {
                isDamaged = true
                remaining = room
                state = .junk
                return
            }
        }
        if carry.isEmpty {
            var needed = 0
            if let header = interpret(rest, isEnd: false, needed: &needed) {
                advance(&rest, by: header.byteCount)
                try enter(header)
            } else {
                carry.append(contentsOf: rest)
                rest = UnsafeRawBufferPointer(start: nil, count: 0)
            }
            return
        }
        var needed = 0
        var header = carried(isEnd: false, needed: &needed)
        while header == nil, !rest.isEmpty {
            let count = min(needed - carry.count, rest.count)
            carry.append(contentsOf: rest[..<count])
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            header = carried(isEnd: false, needed: &needed)
        }
        if let header { try enterCarried(header) }
    }

    mutating func carried(isEnd: Bool, needed: inout Int) -> RawHeader? {
        let bytes = carry
        return bytes.withUnsafeBytes { interpret($0, isEnd: isEnd, needed: &needed) }
    }

    /// Goes on with a header that was carried; what was looked at beyond it is fed again.
    mutating func enterCarried(_ header: RawHeader) throws(ParseError) {
        let beyond = Array(carry[header.byteCount...])
        carry.removeAll(keepingCapacity: true)
        position += UInt64(header.byteCount)
        try enter(header)
        guard !beyond.isEmpty else { return }
        try beyond.withUnsafeBufferPointer { buffer throws(ParseError) in
            try feed(UnsafeRawBufferPointer(buffer))
        }
    }

    struct RawHeader {
        var tag: Tag
        var vr: VR
        var length: UInt32
        var byteCount: Int
        /// A value of unknown VR that begins with an item.
        var isHiddenSequence = false
        /// Whether the VR is not written, or written as UN: then what is inside is implicit little endian.
        var isImplicit = false
        /// Whether the VR is the one that is written.
        var isVRWritten = true
    }

    /// Reads a header from the bytes at `position`; nil when more than these are needed.
    private mutating func interpret(
        _ bytes: UnsafeRawBufferPointer, isEnd: Bool, needed: inout Int
    ) -> RawHeader? {
        guard bytes.count >= 8 else {
            needed = 8
            return nil
        }
        let last = frames.count - 1
        if frames[last].isFresh {
            switch frames[last].kind {
            case .dataset, .item:
                frames[last].encoding = frames[last].encoding.corrected(
                    by: bytes, itemByteCount: last == 0 ? nil : frames[last].end - position)
                if last == 0 { encoding = frames[0].encoding }
            case .sequence, .fragments: break
            }
        }
        let encoding = frames[last].encoding
        guard let read = encoding.read(bytes, needed: &needed) else { return nil }
        var header = RawHeader(tag: read.tag, vr: read.vr, length: read.length, byteCount: read.byteCount)
        header.isImplicit =
            !encoding.isExplicitVR || (bytes[4] == UInt8(ascii: "U") && bytes[5] == UInt8(ascii: "N"))
        header.isVRWritten =
            encoding.isExplicitVR && header.vr.rawValue == UInt16(bytes[4]) << 8 | UInt16(bytes[5])
        if sink.entersUnknownSequences, header.vr == .UN, header.length >= 8, header.length != .max,
            header.tag.group != 0xFFFE
        {
            // The VR is unknown, or a word nobody knows, which goes on as UN: whether this is a sequence is seen from its
            // first item. PS3.5 §6.2.2.
            let littleEndian = ElementEncoding.implicitLittleEndian
            let start = header.byteCount
            if bytes.count < start + 8 {
                if isEnd { return header }
                needed = start + 8
                return nil
            }
            let value = UnsafeRawBufferPointer(rebasing: bytes[start...])
            if littleEndian.tag(value) == .item {
                let item = littleEndian.uint32(value, at: 4)
                header.isHiddenSequence = item == .max || item <= header.length - 8
                if header.isHiddenSequence { header.isImplicit = true }
            }
        }
        return header
    }
}
