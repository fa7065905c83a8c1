/// A range of an object's bytes.
struct Piece: Hashable, Sendable {
    /// Objects up to this many bytes go whole.
    static let wholeLimit: UInt64 = 4 << 20
    /// What larger ones are cut at.
    static let cutByteCount: UInt64 = 2 << 20
    /// Where ranges of them begin and end, but for the object's end.
    static let rangeByteCount: UInt64 = 1 << 20

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
    /// How often each piece is on its way, and since which chunk.
    private var underWay: [Piece: (copies: Int, chunk: Int)] = [:]
    private var chunkCount = 0
    /// Of the pieces that wait.
    private(set) var waitingByteCount = 0

    var waitingCount: Int { waiting.count - head }
    var underWayCount: Int { underWay.count }
    var isDone: Bool { waitingCount == 0 && underWay.isEmpty }

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
        waitingByteCount -= byteCount
        chunkCount += 1
        for piece in result { underWay[piece, default: (0, chunkCount)].copies += 1 }
        return result
    }

    /// Pieces that are on their way once and began before a chunk, to be sent a second time; the oldest first.
    mutating func again(target: Int, begunUpTo chunk: Int) -> [Piece] {
        let late = underWay.filter { $0.value.copies == 1 && $0.value.chunk <= chunk }
            .sorted { ($0.value.chunk, $0.key.object, $0.key.offset) < ($1.value.chunk, $1.key.object, $1.key.offset) }
        var result: [Piece] = []
        var byteCount = 0
        for (piece, _) in late where byteCount < target {
            if !result.isEmpty, byteCount + Int(piece.byteCount) > Chunk.plainByteCountLimit { break }
            result.append(piece)
            byteCount += Int(piece.byteCount)
            underWay[piece]?.copies += 1
        }
        if !result.isEmpty { chunkCount += 1 }
        return result
    }

    /// The number of the chunk that began last.
    var lastChunk: Int { chunkCount }

    /// They are there, by whichever of their copies.
    ///
    /// - Returns: those that were not before.
    @discardableResult
    mutating func done(_ pieces: [Piece]) -> [Piece] {
        pieces.filter { underWay.removeValue(forKey: $0) != nil }
    }

    mutating func failed(_ pieces: [Piece]) {
        var lost: [Piece] = []
        for piece in pieces {
            guard let held = underWay[piece] else { continue }
            if held.copies > 1 {
                underWay[piece]?.copies -= 1
            } else {
                underWay[piece] = nil
                lost.append(piece)
            }
        }
        waitingByteCount += lost.reduce(0) { $0 + Int($1.byteCount) }
        if head >= lost.count {
            head -= lost.count
            waiting.replaceSubrange(head..<head + lost.count, with: lost)
        } else {
            waiting.replaceSubrange(0..<head, with: lost)
            head = 0
        }
    }
}
