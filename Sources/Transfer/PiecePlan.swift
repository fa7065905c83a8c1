/// What is still to go, in order; what was under way and failed goes first. A value: it does nothing by itself.
struct PiecePlan: Sendable {
    /// What is known of an object that is not there.
    private struct Wanted {
        /// What is not there.
        var byteCount: UInt64 = 0
        /// Where pieces may be cut again; nil: nowhere.
        var range: UInt64?
    }

    /// What is there and was not before.
    struct Arrival: Equatable, Sendable {
        var pieces: [Piece] = []
        /// Objects that are there with them.
        var objectCount = 0
    }

    private var wanted: [Int: Wanted] = [:]
    private var waiting: [Piece] = []
    private var head = 0
    /// The pieces on their way, with the number of their chunk.
    private var underWay: [Piece: Int] = [:]
    /// Pieces on their way that are late, and go a second time by others.
    private var late: Set<Piece> = []
    /// The number of the chunk that began last.
    private(set) var lastChunk = 0
    /// Of the pieces that wait.
    private(set) var waitingByteCount = 0

    var waitingCount: Int { waiting.count - head }
    var underWayCount: Int { underWay.count }
    var isDone: Bool { waitingCount == 0 && underWay.isEmpty }

    /// - Parameter ranges: at which multiples an object's pieces may be cut again; nil for nowhere.
    mutating func want(_ pieces: [Piece], ranges: (_ object: Int) -> UInt64? = { _ in nil }) {
        for piece in pieces {
            wanted[piece.object, default: Wanted(range: ranges(piece.object))].byteCount += UInt64(piece.byteCount)
        }
        append(pieces)
    }

    private mutating func append(_ pieces: [Piece]) {
        waiting += pieces
        waitingByteCount += pieces.byteCount
    }

    /// The next chunk's pieces: until `target` bytes are reached.
    ///
    /// - Parameter mayCut: whether of a piece that is much larger only the beginning is taken.
    mutating func next(target: Int, mayCut: Bool = false) -> [Piece] {
        var result: [Piece] = []
        var byteCount = 0
        while head < waiting.count, result.count < Chunk.pieceLimit {
            if mayCut { cutNext(to: target - byteCount) }
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
        lastChunk += 1
        for piece in result { underWay[piece] = lastChunk }
        return result
    }

    private mutating func cutNext(to target: Int) {
        let piece = waiting[head]
        guard let range = wanted[piece.object]?.range else { return }
        let count = (UInt64(max(target, 1)) + range - 1) / range * range
        // What would hardly be worth a chunk of its own goes along.
        guard UInt64(piece.byteCount) >= count + Piece.wholeRangeByteCount else { return }
        waiting[head] = Piece(object: piece.object, offset: piece.offset, byteCount: UInt32(count))
        waiting.insert(
            Piece(object: piece.object, offset: piece.offset + count, byteCount: piece.byteCount - UInt32(count)),
            at: head + 1)
    }

    /// Has the pieces of late chunks wait to go a second time, the oldest first; none goes a third time while both are under way.
    ///
    /// - Returns: whether there are any.
    mutating func again(chunks: Set<Int>) -> Bool {
        let pieces = underWay.filter { one in chunks.contains(one.value) && !late.contains { $0.holds(one.key) } }
            .sorted { ($0.value, $0.key.object, $0.key.offset) < ($1.value, $1.key.object, $1.key.offset) }.map(\.key)
        for piece in pieces { underWay[piece] = nil }
        late.formUnion(pieces)
        append(pieces)
        return !pieces.isEmpty
    }

    /// They are there, by whichever way they went.
    @discardableResult
    mutating func done(_ pieces: [Piece]) -> Arrival {
        var result = Arrival()
        for piece in pieces {
            if late.remove(piece) != nil {
                result.pieces += takeAll(within: piece)
            } else if underWay.removeValue(forKey: piece) != nil {
                result.pieces.append(piece)
            }
        }
        for piece in result.pieces {
            guard let left = wanted[piece.object]?.byteCount else { continue }
            if left > UInt64(piece.byteCount) {
                wanted[piece.object]?.byteCount = left - UInt64(piece.byteCount)
            } else {
                wanted[piece.object] = nil
                result.objectCount += 1
            }
        }
        return result
    }

    /// Nothing of a piece is wanted any more.
    private mutating func takeAll(within piece: Piece) -> [Piece] {
        let moving = underWay.keys.filter(piece.holds)
        for one in moving { underWay[one] = nil }
        let resting = waiting[head...].filter(piece.holds)
        waiting = waiting[head...].filter { !piece.holds($0) }
        head = 0
        waitingByteCount -= resting.byteCount
        return moving + resting
    }

    mutating func failed(_ pieces: [Piece]) {
        var lost: [Piece] = []
        for piece in pieces {
            // Of what goes twice the other is left.
            if late.remove(piece) == nil, underWay.removeValue(forKey: piece) != nil { lost.append(piece) }
        }
        waitingByteCount += lost.byteCount
        if head >= lost.count {
            head -= lost.count
            waiting.replaceSubrange(head..<head + lost.count, with: lost)
        } else {
            waiting.replaceSubrange(0..<head, with: lost)
            head = 0
        }
    }
}
