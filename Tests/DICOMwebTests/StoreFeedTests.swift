import HTTP
import NIOCore
import Synchronization
import Testing

@testable import DICOMweb

/// A store request's body read beside its coming in.
struct StoreFeedTests {
    struct Bad: Error {}

    private final class Reader: StoreBody {
        let bytes = Mutex<[UInt8]>([])
        private let isFed = Atomic(false)

        var report: StoreReport { StoreReport(base: "") }

        func feed(_ piece: UnsafeRawBufferPointer) throws {
            let wasFed = isFed.exchange(true, ordering: .acquiringAndReleasing)
            #expect(!wasFed)
            defer { isFed.store(false, ordering: .releasing) }
            if piece.contains(99) { throw Bad() }
            bytes.withLock { $0 += piece }
        }

        func finish() {}

        func abandon(_: Int) {}
    }

    @Test func readsEverythingInItsOrder() async throws {
        let pool = BlockingPool(threadCount: 4)
        let reader = Reader()
        let feed = StoreFeed(reader, pool: pool)
        var sent: [UInt8] = []
        for index in 0..<300 {
            let piece = [UInt8](repeating: UInt8(index % 90), count: index * 40)
            sent += piece
            try await feed.take(ByteBuffer(bytes: piece))
        }
        try await feed.drain()
        #expect(reader.bytes.withLock { $0 } == sent)
        await pool.stop()
    }

    @Test func tellsWhatTheReaderThrewAndReadsNoFurther() async throws {
        let pool = BlockingPool(threadCount: 4)
        let reader = Reader()
        let feed = StoreFeed(reader, pool: pool)
        try await feed.take(ByteBuffer(bytes: [1, 2]))
        try await feed.drain()
        await #expect(throws: Bad.self) {
            try await feed.take(ByteBuffer(bytes: [99]))
            try await feed.drain()
        }
        await #expect(throws: Bad.self) {
            try await feed.take(ByteBuffer(bytes: [3]))
            try await feed.drain()
        }
        await feed.stop()
        #expect(reader.bytes.withLock { $0 } == [1, 2])
        await pool.stop()
    }

    @Test func leavesTheReaderAloneOnceStopped() async throws {
        let pool = BlockingPool(threadCount: 4)
        let reader = Reader()
        let feed = StoreFeed(reader, pool: pool)
        for _ in 0..<50 { try await feed.take(ByteBuffer(bytes: [UInt8](repeating: 7, count: 1000))) }
        await feed.stop()
        let count = reader.bytes.withLock { $0.count }
        await #expect(throws: (any Error).self) { try await feed.take(ByteBuffer(bytes: [1])) }
        await pool.stop()
        #expect(reader.bytes.withLock { $0.count } == count)
    }
}
