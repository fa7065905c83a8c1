/// The structure of sequences, items and fragments. PS3.5 §7.5, §A.4.
extension ScanMachine {
    /// Leaves every sequence and item that ends here.
    mutating func closeEndedFrames() throws(ParseError) {
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

    mutating func enter(_ header: RawHeader) throws(ParseError) {
        if position > top.end {
            // The header itself reaches over the end of its item.
            isDamaged = true
            for index in frames.indices where frames[index].end < position { frames[index].end = position }
        }
        if header.tag.group == 0xFFFE {
            if try enterDelimiter(header) { return }
            // A tag among the delimiters that is none of them: no dataset goes on like this.
            isDamaged = true
            isTruncated = true
            state = .ended
            return
        }
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
            isBigEndian: encoding.isBigEndian && !(header.isImplicit && encoding.isExplicitVR), depth: sequenceDepth,
            isVRWritten: header.isVRWritten)
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
