/// A range of an object's bytes.
struct Piece: Hashable, Sendable {
    /// Objects up to this many bytes go whole.
    static let wholeLimit: UInt64 = 4 << 20
    /// What larger ones are cut at.
    static let cutByteCount: UInt64 = 2 << 20

    var object: Int
    var offset: UInt64
    var byteCount: UInt32

    var end: UInt64 { offset + UInt64(byteCount) }

    /// The pieces of a range.
    static func cut(object: Int, _ range: Range<UInt64>) -> [Piece] {
        var result: [Piece] = []
        var offset = range.lowerBound
        while offset < range.upperBound {
            let end = min(range.upperBound, (offset / cutByteCount + 1) * cutByteCount)
            result.append(Piece(object: object, offset: offset, byteCount: UInt32(end - offset)))
            offset = end
        }
        return result
    }

    /// The pieces of a whole object.
    static func pieces(object: Int, byteCount: UInt64) -> [Piece] {
        byteCount <= wholeLimit
            ? [Piece(object: object, offset: 0, byteCount: UInt32(byteCount))] : cut(object: object, 0..<byteCount)
    }
}

/// What is still to go, in order; what was under way and failed goes first. A value: it does nothing by itself.
struct PiecePlan: Sendable {
    private var waiting: [Piece] = []
    private var head = 0
    private(set) var underWay = 0
    /// Of the pieces that wait.
    private(set) var waitingByteCount = 0

    var waitingCount: Int { waiting.count - head }
    var isDone: Bool { waitingCount == 0 && underWay == 0 }

    mutating func want(_ pieces: [Piece]) {
        waiting += pieces
        waitingByteCount += pieces.reduce(0) { $0 + Int($1.byteCount) }
    }

    /// The next chunk's pieces: until `target` bytes are reached, none cut again.
    mutating func next(target: Int) -> [Piece] {
        var result: [Piece] = []
        var byteCount = 0
        while head < waiting.count, result.count < Chunk.pieceLimit {
            let piece = waiting[head]
            // Never beyond what a chunk takes.
            if !result.isEmpty, byteCount + Int(piece.byteCount) > Chunk.plainByteCountLimit { break }
            result.append(piece)
            byteCount += Int(piece.byteCount)
            head += 1
            if byteCount >= target { break }
        }
        if head > 4096, head > waiting.count / 2 {
            waiting.removeFirst(head)
            head = 0
        }
        underWay += result.count
        waitingByteCount -= byteCount
        return result
    }

    mutating func done(_ pieces: [Piece]) { underWay -= pieces.count }

    mutating func failed(_ pieces: [Piece]) {
        underWay -= pieces.count
        waitingByteCount += pieces.reduce(0) { $0 + Int($1.byteCount) }
        if head >= pieces.count {
            head -= pieces.count
            waiting.replaceSubrange(head..<head + pieces.count, with: pieces)
        } else {
            waiting.replaceSubrange(0..<head, with: pieces)
            head = 0
        }
    }
}
