import Foundation
import Synchronization
import Testing

@testable import Access

/// Which passwords of peers are tried, and who waits for that.
struct PasswordMemoryTests {
    private static let right: [UInt8] = Array("correct horse".utf8)

    private func hash(_ password: [UInt8] = right) throws -> PasswordHash {
        try PasswordHash(password, cost: PasswordHash.Cost(exponent: 4))
    }

    @Test func letsInWhoIsRememberedWhileWrongOnesAreTried() throws {
        let isTrying = DispatchSemaphore(value: 0)
        let goOn = DispatchSemaphore(value: 0)
        let memory = PasswordMemory { password, hash in
            if password == [0] {
                isTrying.signal()
                goOn.wait()
            }
            return hash.matches(password)
        }
        let hash = try hash()
        #expect(memory.matches(Self.right, hash, peer: "B"))
        let isDone = DispatchSemaphore(value: 0)
        let thread = Thread {
            _ = memory.matches([0], hash, peer: "A")
            isDone.signal()
        }
        thread.start()
        isTrying.wait()
        let wasLetIn = DispatchSemaphore(value: 0)
        let other = Thread {
            if memory.matches(Self.right, hash, peer: "B") { wasLetIn.signal() }
        }
        other.start()
        #expect(wasLetIn.wait(timeout: .now() + 30) == .success)
        goOn.signal()
        isDone.wait()
    }

    @Test func refusesUnseenWhatIsMoreThanMayWait() throws {
        let isTrying = DispatchSemaphore(value: 0)
        let goOn = DispatchSemaphore(value: 0)
        let hash = try hash()
        let seen = Seen()
        let memory = PasswordMemory { password, hash in
            seen.note()
            isTrying.signal()
            goOn.wait()
            return hash.matches(password)
        }
        let ended = DispatchSemaphore(value: 0)
        let guesses = PasswordMemory.guessLimit + 5
        let counted = Results()
        for _ in 0..<guesses {
            let thread = Thread {
                counted.add(memory.matches([1], hash, peer: "A"))
                ended.signal()
            }
            thread.start()
        }
        // Those beyond the bound end while the first is still being tried.
        for _ in 0..<5 { ended.wait() }
        isTrying.wait()
        #expect(seen.count == 1 && counted.all == [false, false, false, false, false])
        for _ in 0..<PasswordMemory.guessLimit { goOn.signal() }
        for _ in 0..<PasswordMemory.guessLimit { ended.wait() }
        #expect(seen.count == PasswordMemory.guessLimit)
        // Then another may be tried.
        goOn.signal()
        #expect(memory.matches(Self.right, hash, peer: "A"))
    }

    @Test func doesNotTakeAFormerPasswordForTheNext() throws {
        let memory = PasswordMemory()
        let former = try hash()
        let next = try hash(Array("another one".utf8))
        #expect(memory.matches(Self.right, former, peer: "A"))
        #expect(!memory.matches(Self.right, next, peer: "A"))
        memory.forget(peer: "A")
        // One who was looking at the former while it was changed.
        #expect(memory.matches(Self.right, former, peer: "A"))
        #expect(!memory.matches(Self.right, next, peer: "A"))
    }
}

private final class Seen: Sendable {
    private let value = Atomic<Int>(0)

    var count: Int { value.load(ordering: .acquiring) }

    func note() { value.add(1, ordering: .acquiringAndReleasing) }
}

private final class Results: Sendable {
    private let values = Mutex<[Bool]>([])

    var all: [Bool] { values.withLock { $0 } }

    func add(_ result: Bool) { values.withLock { $0.append(result) } }
}
