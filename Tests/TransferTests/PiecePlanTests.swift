import Testing

@testable import Transfer

/// What goes when.
struct PiecePlanTests {
    @Test func packsSmallObjectsUntilTheTargetIsReached() {
        var plan = PiecePlan()
        plan.want((0..<10).map { Piece(object: $0, offset: 0, byteCount: 100) })
        #expect(plan.next(target: 250).map(\.object) == [0, 1, 2])
        #expect(plan.underWayCount == 3 && plan.waitingCount == 7 && !plan.isDone)
        #expect(plan.next(target: 1).map(\.object) == [3])
        #expect(plan.next(target: 10_000).count == 6)
        #expect(plan.next(target: 1).isEmpty)
    }

    @Test func sendsWhatFailedBeforeEverythingElse() {
        var plan = PiecePlan()
        plan.want((0..<6).map { Piece(object: $0, offset: 0, byteCount: 100) })
        let first = plan.next(target: 200)
        let second = plan.next(target: 200)
        plan.failed(second)
        plan.done(first)
        #expect(plan.next(target: 200).map(\.object) == [2, 3])
        plan.failed([Piece(object: 2, offset: 0, byteCount: 100), Piece(object: 3, offset: 0, byteCount: 100)])
        #expect(plan.next(target: 1000).map(\.object) == [2, 3, 4, 5])
        plan.done((2...5).map { Piece(object: $0, offset: 0, byteCount: 100) })
        #expect(plan.isDone)
    }

    private func piece(_ object: Int, _ offset: UInt64 = 0, _ byteCount: UInt32 = 100) -> Piece {
        Piece(object: object, offset: offset, byteCount: byteCount)
    }

    @Test func sendsWhatIsLateASecondTimeAndCountsItOnce() {
        var plan = PiecePlan()
        plan.want((0..<4).map { piece($0) })
        let first = plan.next(target: 200)
        let early = plan.lastChunk
        let second = plan.next(target: 200)
        #expect(plan.again(chunks: [early]) == true)
        #expect(plan.waitingCount == 2 && plan.waitingByteCount == 200)
        #expect(plan.next(target: 200) == first)
        // Neither a third time, nor what is not late.
        #expect(plan.again(chunks: [early, plan.lastChunk]) == false)
        #expect(plan.done(first) == .init(pieces: first, objectCount: 2))
        // The slower copy changes nothing, come it or fail it.
        plan.failed(first)
        #expect(plan.done(first) == .init())
        #expect(plan.waitingCount == 0 && plan.underWayCount == 2 && !plan.isDone)
        #expect(plan.done(second) == .init(pieces: second, objectCount: 2))
        #expect(plan.isDone)
    }

    @Test func sendsAgainWhatFailsByBothWays() {
        var plan = PiecePlan()
        plan.want([piece(0)])
        let first = plan.next(target: 100)
        #expect(plan.again(chunks: [plan.lastChunk]) == true)
        #expect(plan.next(target: 100) == first)
        plan.failed(first)
        #expect(plan.waitingCount == 0 && !plan.isDone)
        plan.failed(first)
        #expect(plan.waitingCount == 1 && plan.waitingByteCount == 100)
        plan.done(plan.next(target: 1))
        #expect(plan.isDone)
    }

    @Test func cutsAtTheEndAndNowhereElse() {
        let range = UInt32(Piece.wholeRangeByteCount)
        var plan = PiecePlan()
        plan.want([piece(0, 0, 8 * range + 5), piece(1, 0, 8 * range)]) { $0 == 0 ? UInt64(range) : nil }
        let first = plan.next(target: Int(range) + 1, mayCut: true)
        #expect(first == [piece(0, 0, 2 * range)])
        // What is left of a chunk is of the next object; what would be less than a range goes along.
        #expect(plan.next(target: 5 * Int(range), mayCut: true) == [piece(0, UInt64(2 * range), 5 * range)])
        let rest = plan.next(target: Int(range), mayCut: true)
        #expect(rest == [piece(0, UInt64(7 * range), range + 5)])
        #expect(plan.next(target: Int(range), mayCut: true) == [piece(1, 0, 8 * range)])
        #expect(plan.waitingByteCount == 0 && plan.waitingCount == 0)
        // An object is there with its last piece.
        #expect(plan.done(first).objectCount == 0)
        #expect(plan.done(rest).objectCount == 0)
        #expect(plan.done([piece(0, UInt64(2 * range), 5 * range), piece(1, 0, 8 * range)]).objectCount == 2)
        #expect(plan.isDone)
    }

    @Test func takesALatePieceByWholeOrByParts() {
        let range = UInt32(Piece.wholeRangeByteCount)
        let whole = piece(0, 0, 4 * range)
        func begun() -> (PiecePlan, [Piece]) {
            var plan = PiecePlan()
            plan.want([whole]) { _ in UInt64(range) }
            _ = plan.next(target: 1)
            _ = plan.again(chunks: [plan.lastChunk])
            let parts = plan.next(target: Int(range), mayCut: true) + plan.next(target: Int(range), mayCut: true)
            return (plan, parts)
        }
        var (plan, parts) = begun()
        #expect(parts == [piece(0, 0, range), piece(0, UInt64(range), range)])
        #expect(plan.done([parts[0]]) == .init(pieces: [parts[0]], objectCount: 0))
        // The whole comes after all: the rest of it is there, and nothing waits or is waited for.
        let rest = plan.done([whole])
        #expect(rest.pieces.reduce(0) { $0 + $1.byteCount } == 3 * range && rest.objectCount == 1)
        #expect(!rest.pieces.contains(parts[0]))
        #expect(plan.isDone && plan.waitingByteCount == 0)
        #expect(plan.done([parts[1]]) == .init())
        (plan, parts) = begun()
        let others = plan.next(target: 2 * Int(range))
        #expect(plan.done(parts + others).objectCount == 1)
        #expect(plan.isDone)
        #expect(plan.done([whole]) == .init())
        // It fails: the parts go on.
        (plan, parts) = begun()
        plan.failed([whole])
        plan.failed([parts[0]])
        #expect(plan.waitingByteCount == 3 * Int(range))
        #expect(plan.done([whole]) == .init())
    }

    @Test func neverPlansMoreThanAChunkTakes() {
        var plan = PiecePlan()
        plan.want((0..<8).map { Piece(object: $0, offset: 0, byteCount: 3 << 20) })
        #expect(plan.next(target: 100 << 20).count == 2)
        plan.want((8..<Chunk.pieceLimit + 20).map { Piece(object: $0, offset: 0, byteCount: 1) })
        while plan.next(target: 6 << 20).first?.byteCount == 3 << 20 {}
        #expect(plan.waitingCount <= 20)
    }
}
