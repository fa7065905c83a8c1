/// A push parser for datasets of any size: an explicit stack, no recursion, and no more memory than its limits.
///
/// Tolerant: what is wrong is noted in `isDamaged` and read as far as it makes sense; only a broken limit throws.
/// The same bytes give the same result however they are cut into pieces.
struct ScanMachine<Sink: ScanSink> {
    var sink: Sink
    private let limits: ScanLimits
    /// Offset of the next byte to look at.
    private(set) var position: UInt64 = 0
    /// Something contradicted the standard.
    private(set) var isDamaged = false
    /// The stream ended inside an element or an open sequence, or went on after the dataset.
    private(set) var isTruncated = false
    /// How the dataset turned out to be encoded.
    private(set) var encoding: ElementEncoding

    private var state = State.header
    private var frames: [Frame]
    /// Beginning of a header that was cut.
    private var carry: [UInt8] = []
    private var current: ElementHeader
    /// Bytes of `current` still to come.
    private var remaining: UInt64 = 0
    private var collected: [UInt8] = []
    private var elementCount = 0
    private var sequenceDepth = 0
    private var isFragmentTable = false

    private enum State {
        case header
        /// A short value is gathered.
        case collect
        /// A long value passes by.
        case parts
        /// Bytes that belong to nothing pass by.
        case junk
        case ended
    }

    private struct Frame {
        enum Kind { case dataset, item, sequence, fragments }
        var kind: Kind
        /// Offset where it ends at the latest: its own end, else that of what encloses it.
        var end: UInt64
        var encoding: ElementEncoding
        /// Whether no element was read yet.
        var isFresh = true
    }

    private static var noEnd: UInt64 { .max }

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
    private var top: Frame { frames[frames.count - 1] }

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
    private mutating func advance(_ rest: inout UnsafeRawBufferPointer, by count: Int) {
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

    private mutating func deliverCollected(isWhole: Bool) throws(ParseError) {
        let bytes = collected
        collected.removeAll(keepingCapacity: bytes.count <= 1024)
        try bytes.withUnsafeBufferPointer { buffer throws(ParseError) in
            try deliver(UnsafeRawBufferPointer(buffer), isWhole: isWhole)
        }
    }

    private mutating func deliver(_ bytes: UnsafeRawBufferPointer, isWhole: Bool) throws(ParseError) {
        state = .header
        remaining = 0
        try sink.value(current, bytes, isWhole: isWhole)
    }

    private mutating func finishParts() throws(ParseError) {
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

    private mutating func carried(isEnd: Bool, needed: inout Int) -> RawHeader? {
        let bytes = carry
        return bytes.withUnsafeBytes { interpret($0, isEnd: isEnd, needed: &needed) }
    }

    /// Goes on with a header that was carried; what was looked at beyond it is fed again.
    private mutating func enterCarried(_ header: RawHeader) throws(ParseError) {
        let beyond = Array(carry[header.byteCount...])
        carry.removeAll(keepingCapacity: true)
        position += UInt64(header.byteCount)
        try enter(header)
        guard !beyond.isEmpty else { return }
        try beyond.withUnsafeBufferPointer { buffer throws(ParseError) in
            try feed(UnsafeRawBufferPointer(buffer))
        }
    }

    private struct RawHeader {
        var tag: Tag
        var vr: VR
        var length: UInt32
        var byteCount: Int
        /// A value of unknown VR that begins with an item.
        var isHiddenSequence = false
        /// Whether the VR is not written, or written as UN: then what is inside is implicit little endian.
        var isImplicit = false
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
                frames[last].encoding = frames[last].encoding.corrected(by: bytes)
                if last == 0 { encoding = frames[0].encoding }
            case .sequence, .fragments: break
            }
        }
        let encoding = frames[last].encoding
        guard let read = encoding.read(bytes, needed: &needed) else { return nil }
        var header = RawHeader(tag: read.tag, vr: read.vr, length: read.length, byteCount: read.byteCount)
        header.isImplicit =
            !encoding.isExplicitVR || (bytes[4] == UInt8(ascii: "U") && bytes[5] == UInt8(ascii: "N"))
        if header.vr == .UN, header.length >= 8, header.length != .max, header.isImplicit, header.tag.group != 0xFFFE {
            // The VR is unknown: whether this is a sequence is seen from its first item. PS3.5 §6.2.2.
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
            }
        }
        return header
    }

    // MARK: Structure

    /// Leaves every sequence and item that ends here.
    private mutating func closeEndedFrames() throws(ParseError) {
        while frames.count > 1, top.end <= position { try pop() }
    }

    private mutating func pop() throws(ParseError) {
        switch frames.removeLast().kind {
        case .item: try sink.endItem()
        case .sequence:
            sequenceDepth -= 1
            try sink.endSequence()
        case .fragments: try sink.endFragments(end: position)
        case .dataset: break
        }
    }

    private mutating func push(_ kind: Frame.Kind, length: UInt64?, encoding: ElementEncoding) {
        frames.append(Frame(kind: kind, end: length.map { position + $0 } ?? top.end, encoding: encoding))
    }

    /// A length cut to what encloses it; nil stays undefined.
    private mutating func fitted(_ length: UInt32) -> UInt64? {
        if length == .max { return nil }
        let room = top.end - position
        if UInt64(length) <= room { return UInt64(length) }
        isDamaged = true
        return room
    }

    private mutating func enter(_ header: RawHeader) throws(ParseError) {
        if position > top.end {
            // The header itself reaches over the end of its item.
            isDamaged = true
            for index in frames.indices where frames[index].end < position { frames[index].end = position }
        }
        if header.tag.group == 0xFFFE, try enterDelimiter(header) { return }
        // A value's tag where an item's must be: the sequence has ended without saying so.
        while top.kind == .sequence || top.kind == .fragments {
            isDamaged = true
            try pop()
        }
        frames[frames.count - 1].isFresh = false
        if header.tag.rawValue == 0, frames.count == 1, position > UInt64(header.byteCount) {
            // Zeros after the last element.
            isTruncated = true
            state = .ended
            return
        }
        try count()
        try enterElement(header)
    }

    private mutating func count() throws(ParseError) {
        elementCount += 1
        if elementCount > limits.elementCount {
            throw .tooManyElements(limit: limits.elementCount, byteOffset: position)
        }
    }

    private mutating func enterElement(_ header: RawHeader) throws(ParseError) {
        let encoding = top.encoding
        let length = fitted(header.length)
        var vr = header.vr
        if header.isHiddenSequence { vr = .SQ }
        current = ElementHeader(
            tag: header.tag, vr: vr, length: length, valueOffset: position,
            // UN is always little endian. PS3.5 §6.2.2.
            isBigEndian: encoding.isBigEndian && !(header.isImplicit && encoding.isExplicitVR), depth: sequenceDepth)
        if let length, vr != .SQ { return try enterValue(length: length) }
        let isPixels = header.tag == .pixelData || (length == nil && Self.isOther(vr))
        if length == nil, isPixels {
            isFragmentTable = true
            try sink.beginFragments(current)
            push(.fragments, length: nil, encoding: encoding)
            return
        }
        if vr != .SQ && vr != .UN { isDamaged = true }
        if sequenceDepth >= limits.depth { throw .tooDeep(limit: limits.depth, byteOffset: position) }
        sequenceDepth += 1
        current.vr = .SQ
        try sink.beginSequence(current)
        push(.sequence, length: length, encoding: header.isImplicit ? .implicitLittleEndian : encoding)
    }

    /// OB and its like, whose undefined length means fragments. PS3.5 §A.4.
    private static func isOther(_ vr: VR) -> Bool {
        switch vr {
        case .OB, .OW, .OD, .OF, .OL, .OV: true
        default: false
        }
    }

    private mutating func enterValue(length: UInt64) throws(ParseError) {
        if length <= sink.wholeByteCount(current) {
            if length == 0 { return try deliver(UnsafeRawBufferPointer(start: nil, count: 0), isWhole: true) }
            remaining = length
            state = .collect
        } else {
            try sink.beginParts(current)
            remaining = length
            state = .parts
            if length == 0 { try finishParts() }
        }
    }

    /// Items and delimiters. Returns false when the tag is none.
    private mutating func enterDelimiter(_ header: RawHeader) throws(ParseError) -> Bool {
        switch header.tag {
        case .item:
            // An item inside an item: the delimiter before it is missing.
            while top.kind == .item {
                isDamaged = true
                try pop()
            }
            try enterItem(header)
        case .itemDelimitationItem:
            // Some systems end a sequence with an item's delimiter.
            if top.kind == .item { try pop() } else { isDamaged = true }
        case .sequenceDelimitationItem:
            if frames.count == 1 {
                isDamaged = true
                return true
            }
            if top.kind == .item {
                isDamaged = true
                try pop()
            }
            try pop()
        default: return false
        }
        return true
    }

    private mutating func enterItem(_ header: RawHeader) throws(ParseError) {
        switch top.kind {
        case .sequence:
            try count()
            let length = fitted(header.length)
            try sink.beginItem()
            push(.item, length: length, encoding: top.encoding)
        case .fragments:
            guard let length = fitted(header.length) else {
                // A fragment of undefined length cannot be followed.
                isDamaged = true
                try endAll()
                return
            }
            current = ElementHeader(
                tag: .item, vr: isFragmentTable ? .UL : .OB, length: length, valueOffset: position,
                isBigEndian: isFragmentTable && top.encoding.isBigEndian, depth: sequenceDepth)
            isFragmentTable = false
            try enterValue(length: length)
        case .dataset, .item: isDamaged = true
        }
    }

    // MARK: End

    private mutating func endAll() throws(ParseError) {
        while frames.count > 1 { try pop() }
        state = .ended
    }

    /// The stream has ended: what is open is closed.
    mutating func finish() throws(ParseError) {
        if state == .header, !carry.isEmpty { try finishCarried() }
        switch state {
        case .collect:
            isTruncated = true
            try deliverCollected(isWhole: false)
        case .parts:
            isTruncated = true
            try finishParts()
        case .junk: isTruncated = true
        case .header, .ended: break
        }
        try closeEndedFrames()
        if frames.count > 1 { isTruncated = true }
        while frames.count > 1 { try pop() }
    }

    private mutating func finishCarried() throws(ParseError) {
        var needed = 0
        if let header = carried(isEnd: true, needed: &needed) {
            try enterCarried(header)
        } else {
            position += UInt64(carry.count)
            carry = []
            isTruncated = true
        }
    }
}
