import HTTP
import Hummingbird
import NIOCore
import Synchronization
import Testing

@testable import DICOMweb

/// Pieces made ahead of who sends them.
struct PieceRunTests {
    struct Lost: Error {}

    /// Counts up to a number; one number is lost.
    private final class Numbers: PieceSource, @unchecked Sendable {
        // Asked by one thread at a time, which is what is tested.
        private let isAsked = Atomic(false)
        private let count: Int
        private let lost: Int?
        private let readyCount: Int
        private(set) var number = 0
        private(set) var range: Range<Int>?

        init(_ count: Int, lost: Int? = nil, ready: Int = 0) {
            self.count = count
            self.lost = lost
            readyCount = ready
        }

        func next(upTo _: Int) throws -> ByteBuffer? {
            let wasAsked = isAsked.exchange(true, ordering: .acquiringAndReleasing)
            #expect(!wasAsked)
            defer { isAsked.store(false, ordering: .releasing) }
            guard number < range?.upperBound ?? count else { return nil }
            if number == lost { throw Lost() }
            defer { number += 1 }
            return ByteBuffer(integer: UInt8(truncatingIfNeeded: number))
        }

        func ready(upTo byteCount: Int) -> ReadyPiece {
            guard number < readyCount, let piece = try? next(upTo: byteCount) else { return .unknown }
            return .piece(piece)
        }

        func narrow(to range: Range<Int>) -> Int {
            self.range = range
            number = range.lowerBound
            return number
        }
    }

    private func numbers(_ source: Numbers, lead: Int) async throws -> [UInt8] {
        let pool = BlockingPool(threadCount: 4)
        let run = PieceRun(source, pool: pool)
        var result: [UInt8] = []
        do {
            while let piece = try await run.next(upTo: 1, lead: lead) { result += piece.readableBytesView }
            #expect(try await run.next(upTo: 1, lead: lead) == nil)
        } catch is Lost { result.append(255) }
        await pool.stop()
        return result
    }

    @Test(arguments: [0, 1, 2, 7]) func givesEveryPieceOnceAndInOrder(_ lead: Int) async throws {
        #expect(try await numbers(Numbers(200), lead: lead) == Array(0..<200))
        #expect(try await numbers(Numbers(0), lead: lead) == [])
        #expect(try await numbers(Numbers(50, ready: 20), lead: lead) == Array(0..<50))
    }

    @Test(arguments: [0, 2]) func givesWhatCameBeforeAFailureAndThenTheFailure(_ lead: Int) async throws {
        #expect(try await numbers(Numbers(9, lost: 5), lead: lead) == [0, 1, 2, 3, 4, 255])
        #expect(try await numbers(Numbers(9, lost: 0), lead: lead) == [255])
    }

    @Test(arguments: [0, 3]) func makesNoMoreThanIsWanted(_ lead: Int) async throws {
        let pool = BlockingPool(threadCount: 4)
        let source = Numbers(100)
        let run = PieceRun(source, pool: pool)
        for _ in 0..<10 { _ = try await run.next(upTo: 1, lead: lead) }
        await pool.stop()
        #expect((10...(10 + lead)).contains(source.number))
    }

    @Test func endsNoBodyWhoseThreadsAreGone() async throws {
        let pool = BlockingPool(threadCount: 1)
        await pool.stop()
        let run = PieceRun(Numbers(3), pool: pool)
        await #expect(throws: (any Error).self) { try await run.next(upTo: 1, lead: 0) }
    }

    /// Keeps what lies in a range, as who answers a part does.
    private struct Part: PartWriter {
        let range: Range<Int>
        private let kept: KeptBytes
        private var position = 0

        init(_ range: Range<Int>, _ kept: KeptBytes) {
            self.range = range
            self.kept = kept
        }

        mutating func begin(at position: Int) { self.position = position }

        mutating func write(_ buffer: ByteBuffer) async throws {
            for byte in buffer.readableBytesView {
                let isWanted = range.contains(position)
                kept.mutex.withLock { if isWanted { $0.append(byte) } }
                position += 1
            }
        }

        consuming func finish(_: HTTPFields?) async throws {}
    }

    @Test func beginsWhereAPartBegins() async throws {
        let pool = BlockingPool(threadCount: 2)
        let source = Numbers(200)
        let kept = KeptBytes()
        try await PulledBody(source, pool: pool).body(contentLength: 200).write(Part(120..<130, kept))
        await pool.stop()
        #expect(kept.mutex.withLock { $0 } == Array(120..<130))
        #expect(source.number == 130)
    }
}

private final class KeptBytes: Sendable {
    let mutex = Mutex<[UInt8]>([])
}
