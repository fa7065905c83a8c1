import Keys
import NIOCore
import Testing

@testable import Transfer

/// How objects are cut and packed.
struct PieceTests {
    @Test func sendsObjectsWholeUpToABound() {
        #expect(Piece.pieces(object: 3, byteCount: Piece.wholeLimit).count == 1)
        let cut = Piece.pieces(object: 3, byteCount: Piece.wholeLimit + 1)
        #expect(cut.count == 3)
        #expect(cut.map(\.offset) == [0, Piece.cutByteCount, 2 * Piece.cutByteCount])
        #expect(cut.reduce(0) { $0 + UInt64($1.byteCount) } == Piece.wholeLimit + 1)
    }

    @Test func cutsARangeWherePiecesBegin() {
        let cut = Piece.cut(object: 0, (1 << 20)..<(5 << 20))
        #expect(cut.map(\.offset) == [1 << 20, 2 << 20, 4 << 20])
        #expect(cut.map(\.byteCount) == [1 << 20, 2 << 20, 1 << 20])
        #expect(Piece.cut(object: 0, 5..<5).isEmpty)
    }

    @Test func compressesOnlyWhileTheLineIsWhatIsWaitedFor() {
        let start = ContinuousClock.now
        func choice(_ chunks: Int, of time: Duration, every interval: Duration) -> CompressionChoice {
            let choice = CompressionChoice(processorCount: 2)
            for number in 0..<chunks {
                _ = choice.pays(at: start + interval * number)
                choice.note(made: time, at: start + interval * (number + 1))
            }
            return choice
        }
        // However many are made at a time: a line that takes 25 MB a second of what one processor makes 200 of.
        #expect(choice(200, of: .milliseconds(10), every: .milliseconds(80)).pays())
        #expect(choice(CompressionChoice.leastCount - 1, of: .milliseconds(10), every: .milliseconds(10)).pays())
        let fast = choice(CompressionChoice.leastCount, of: .milliseconds(10), every: .milliseconds(10))
        #expect(!fast.pays())
        // It is decided once.
        for number in 0..<20 { fast.note(made: .zero, at: start + .seconds(number + 1)) }
        #expect(!fast.pays())
    }

    @Test func readsWhatWasWritten() throws {
        var writer = Chunk.Writer(pieceCount: 2, byteCount: 10)
        try writer.append(Piece(object: 4, offset: 0, byteCount: 3)) { buffer throws(TransferError) in
            buffer.writeBytes([1, 2, 3])
            return (.plain, Chunk.noDigest)
        }
        try writer.append(Piece(object: 9, offset: 1 << 40, byteCount: 100)) { buffer throws(TransferError) in
            buffer.writeBytes([4, 5])
            return (.zstandard, [UInt8](repeating: 8, count: 32))
        }
        var bytes = writer.buffer
        let heads = try Chunk.heads(&bytes)
        #expect(heads.map(\.piece.object) == [4, 9] && heads.map(\.piece.offset) == [0, 1 << 40])
        #expect(heads.map(\.coding) == [.plain, .zstandard] && heads.map(\.codedByteCount) == [3, 2])
        #expect(heads[1].digest == [UInt8](repeating: 8, count: 32))
        #expect(Array(bytes.readableBytesView) == [1, 2, 3, 4, 5])
    }

    @Test func refusesAChunkThatIsNotWhatItSays() throws {
        var writer = Chunk.Writer(pieceCount: 1, byteCount: 10)
        try writer.append(Piece(object: 1, offset: 0, byteCount: 3)) { buffer throws(TransferError) in
            buffer.writeBytes([1, 2, 3])
            return (.plain, Chunk.noDigest)
        }
        let good = Array(writer.buffer.readableBytesView)
        func refuses(_ bytes: [UInt8]) -> Bool {
            var buffer = ByteBuffer(bytes: bytes)
            return (try? Chunk.heads(&buffer)) == nil
        }
        #expect(!refuses(good))
        for count in 0..<good.count { #expect(refuses(Array(good.prefix(count)))) }
        #expect(refuses(good + [0]))
        // Magic, number of pieces, coding, zeros, offset beyond all bounds, more bytes than follow, another plain length.
        for (place, value) in [(0, UInt8(0)), (8, 2), (8, 0), (11, 1), (16, 2), (17, 1), (27, 0x40), (32, 4), (28, 4)] {
            var bad = good
            bad[place] = value
            #expect(refuses(bad), "byte \(place)")
        }
    }

    @Test func takesAsManyPiecesAsTheBoundAndNoneMore() throws {
        func chunk(_ count: Int) throws -> ByteBuffer {
            var writer = Chunk.Writer(pieceCount: count, byteCount: count)
            for number in 0..<count {
                try writer.append(Piece(object: number, offset: 0, byteCount: 1)) { buffer throws(TransferError) in
                    buffer.writeInteger(UInt8(1))
                    return (.plain, Chunk.noDigest)
                }
            }
            return writer.buffer
        }
        var most = try chunk(Chunk.pieceLimit)
        #expect(try Chunk.heads(&most).count == Chunk.pieceLimit)
        var tooMany = try chunk(Chunk.pieceLimit + 1)
        #expect(throws: TransferError.self) { try Chunk.heads(&tooMany) }
    }

    @Test func saysWhatIsLackingInRuns() throws {
        var lacking = Lacking()
        for number in [0, 1, 2, 5, 7, 8] { lacking.append(whole: number) }
        #expect(lacking.whole == [[0, 2], [5, 5], [7, 8]])
        #expect(lacking.wholeNumbers(below: 9) == [0, 1, 2, 5, 7, 8])
        #expect(lacking.wholeNumbers(below: 8) == nil)
        for broken in [[[2, 1]], [[-1, 0]], [[1]], [[0, Int.max]]] {
            #expect(Lacking(whole: broken).wholeNumbers(below: 100) == nil)
        }
    }

    @Test func lacksNothingTwiceAndNothingThatCannotBe() throws {
        let offer = { (number: Int, byteCount: UInt64) in
            Offer(
                number: number, sha256: "", byteCount: byteCount, sopInstanceUID: "", sopClassUID: "",
                transferSyntaxUID: "")
        }
        let announced = [0: offer(0, 10), 1: offer(1, (5 << 20) + 9), 3: offer(3, 200_000)]
        func pieces(_ whole: [[Int]], _ ranges: [[UInt64]]..., number: Int = 1) -> [Piece]? {
            var lacking = Lacking(whole: whole)
            for one in ranges {
                lacking.parts.append(.init(announced[1] ?? offer(1, 1), []))
                lacking.parts[lacking.parts.count - 1].number = number
                lacking.parts[lacking.parts.count - 1].ranges = one
            }
            return try? lacking.pieces(of: announced)
        }
        #expect(pieces([[0, 1]])?.count == 4)
        #expect(
            pieces([[0, 0]], [[1 << 20, 1 << 20], [4 << 20, (1 << 20) + 9]])?.map(\.offset) == [0, 1 << 20, 4 << 20])
        #expect(pieces([], [[5 << 20, 9]])?.count == 1)
        // Twice, over each other, backwards, not where ranges begin and end, of nothing, beyond the end, of none.
        #expect(pieces([[0, 0], [0, 0]]) == nil && pieces([[1, 1]], [[0, 1 << 20]]) == nil)
        #expect(pieces([], [[0, 1 << 20]], [[1 << 20, 1 << 20]]) == nil)
        #expect(
            pieces([], [[0, 2 << 20], [1 << 20, 2 << 20]]) == nil
                && pieces([], [[1 << 20, 1 << 20], [0, 1 << 20]]) == nil)
        #expect(pieces([], [[1, 1 << 20]]) == nil && pieces([], [[0, 1]]) == nil && pieces([], [[0, 0]]) == nil)
        #expect(pieces([], [[5 << 20, 10]]) == nil && pieces([], [[UInt64.max - 5, 9]]) == nil)
        #expect(pieces([[2, 2]]) == nil && pieces([], [[0, 1 << 20]], number: 2) == nil)
        // Of an object that may go whole at finer multiples.
        #expect(pieces([], [[65536, 65536], [131_072, 68_928]], number: 3)?.map(\.end) == [131_072, 200_000])
        #expect(pieces([], [[1000, 64536]], number: 3) == nil && pieces([], [[65536, 1]], number: 3) == nil)
    }

    @Test func cutsOnlyWhereTheReceiverTakesIt() {
        let offer = { (byteCount: UInt64) in
            Offer(
                number: 0, sha256: "", byteCount: byteCount, sopInstanceUID: "", sopClassUID: "", transferSyntaxUID: "")
        }
        #expect(Lacking(cut: Piece.wholeRangeByteCount).range(of: offer(500_000)) == 65536)
        #expect(Lacking(cut: 4096).range(of: offer(Piece.wholeLimit)) == 65536)
        for cut in [nil, 0, 65537, 1 << 20] as [UInt64?] {
            #expect(Lacking(cut: cut).range(of: offer(500_000)) == nil)
            #expect(Lacking(cut: cut).range(of: offer(Piece.wholeLimit + 1)) == 1 << 20)
        }
        #expect(Lacking(cut: Piece.wholeRangeByteCount).range(of: nil) == nil)
    }

    @Test func sendsEarlyWhatIsOfferedFirstAndNothingTwice() {
        let offers = (0..<20).map {
            Offer(
                number: $0, sha256: "", byteCount: 1 << 20, sopInstanceUID: "", sopClassUID: "", transferSyntaxUID: "")
        }
        let pieces = offers.flatMap { Piece.pieces(object: $0.number, byteCount: $0.byteCount) }
        let early = EarlyPieces(isWanted: true)
        let first = early.begin(offers)
        #expect(first == Array(pieces.prefix(5)))
        #expect(early.isPending)
        // The receiver had one of them, and one of the others.
        let (rest, needless) = early.answered(Array(pieces[1..<12]))
        #expect(rest == Array(pieces[5..<12]) && needless == [pieces[0]])
        #expect(!early.isPending && early.wait())
        #expect(early.begin(offers).isEmpty)
        #expect(early.answered(pieces).rest == pieces)
    }

    @Test func sendsNothingEarlyThatIsNotWanted() {
        let early = EarlyPieces(isWanted: false)
        #expect(!early.isPending && early.wait())
        let ended = EarlyPieces(isWanted: true)
        ended.end()
        #expect(!ended.wait())
    }

    @Test func compressesAndTakesApartWithinItsBounds() throws {
        let coder = try Zstandard()
        let text = [UInt8](repeating: 65, count: 100_000)
        let coded = try coder.compressed(text)
        #expect(coded.count < 1000)
        func read(_ count: Int, limit: Int) throws -> [UInt8] {
            try coded.withRawBytes { bytes throws(TransferError) in
                try coder.message(UnsafeRawBufferPointer(rebasing: bytes[..<count]), limit: limit)
            }
        }
        #expect(try read(coded.count, limit: 100_000) == text)
        #expect(throws: TransferError.self) { try read(coded.count, limit: 99_999) }
        #expect(throws: TransferError.self) { try read(coded.count - 1, limit: 100_000) }
    }

    @Test func namesATransferByThirtyTwoDigits() throws {
        let id = try TransferID()
        #expect(TransferID(id.description) == id)
        for text in [
            "", "..", String(id.description.dropLast()), id.description + "0", id.description.uppercased() + "",
            "../../../../../../../../etc/passw", String(repeating: "g", count: 32),
        ]
        where text != id.description { #expect(TransferID(text) == nil) }
    }
}
