import Foundation
import Glibc
import Synchronization
import Testing

@testable import Catalog

/// What is answered, and what is shown, on a disk that is short of room.
@Suite(.serialized) struct ShortOfRoomTests {
    static let need: Comment = "needs the right to mount a small disk (root)"

    /// A file system of its own in memory.
    private func withSmallDisk(_ body: (String) throws -> Void) throws {
        let point = FileManager.default.temporaryDirectory.path + "/huizhen-disk-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: point, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: point) }
        try #require(mount("huizhen", point, "tmpfs", 0, "size=8m") == 0)
        defer { umount2(point, Int32(2)) }
        try body(point)
    }

    /// Leaves no byte free; gives the path of what takes them.
    private func fill(_ point: String) throws -> String {
        let path = point + "/filler"
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        let zeros = [UInt8](repeating: 0, count: 4096)
        while write(descriptor, zeros, zeros.count) > 0 {}
        #expect(errno == ENOSPC)
        return path
    }

    @Test(.enabled(if: geteuid() == 0, need)) func acknowledgesNothingThatItCannotCommit() throws {
        try withSmallDisk { point in
            let fixture = try CatalogFixture(under: point)
            try fixture.put(record(1))
            let filler = try fill(point)
            #expect(throws: CatalogError.database(.full)) { try fixture.put(record(2)) }
            #expect(fixture.catalog.behindCount == 1)
            #expect(try fixture.found(.instance) == ["1.2.9.1"])
            // Its bytes are safe: who sends it again gets no second beside it.
            #expect(throws: CatalogError.database(.full)) {
                try fixture.catalog.held(sopInstanceUID: "1.2.9.2", institution: "North")
            }
            #expect(try fixture.catalog.held(sopInstanceUID: "1.2.9.1", institution: "North").count == 1)
            try FileManager.default.removeItem(atPath: filler)
            #expect(try fixture.catalog.held(sopInstanceUID: "1.2.9.2", institution: "North").count == 1)
            #expect(fixture.catalog.behindCount == 0)
            #expect(try fixture.found(.instance) == ["1.2.9.1", "1.2.9.2"])
        }
    }

    @Test(.enabled(if: geteuid() == 0, need)) func showsWhatItAcknowledgedAsSoonAsThereIsRoom() throws {
        try withSmallDisk { point in
            let fixture = try CatalogFixture(under: point, ampleByteCount: 0)
            try fixture.put(record(1))
            try fixture.catalog.settle()
            let filler = try fill(point)
            try fixture.put(record(2))
            try fixture.put(record(3))
            #expect(try fixture.found(.instance) == ["1.2.9.1"])
            #expect(fixture.catalog.behindCount == 2)
            let before = try fixture.catalog.positions()
            try FileManager.default.removeItem(atPath: filler)
            // No store, no restart: a question is enough.
            #expect(try fixture.found(.instance) == ["1.2.9.1", "1.2.9.2", "1.2.9.3"])
            #expect(fixture.catalog.behindCount == 0)
            #expect(before == [1: 4096])
            #expect(try fixture.catalog.positions() == [1: 3 * 4096])
        }
    }

    @Test(.enabled(if: geteuid() == 0, need)) func triesAgainForWhoAsksWhileABatchIsOpen() throws {
        try withSmallDisk { point in
            let fixture = try CatalogFixture(under: point, ampleByteCount: 0)
            try fixture.put(record(1))
            try fixture.catalog.settle()
            let filler = try fill(point)
            try fixture.put(record(2))
            try fixture.catalog.settle()
            #expect(fixture.catalog.behindCount == 1)
            // Its transaction waits for its bytes.
            let pending = fixture.catalog.submit(record(3), pack: 1, byteOffset: 3 * 4096, studyKey: [1])
            _ = try fixture.catalog.outcome(of: pending)
            try FileManager.default.removeItem(atPath: filler)
            let held = Mutex<Result<Int, any Error>?>(nil)
            let asks = DispatchSemaphore(value: 0)
            let thread = Thread {
                let result = Result { try fixture.catalog.held(sopInstanceUID: "1.2.9.2", institution: "North").count }
                held.withLock { $0 = result }
                asks.signal()
            }
            thread.start()
            while !fixture.catalog.isSettling { usleep(1000) }
            fixture.catalog.confirm(pending)
            asks.wait()
            #expect(try held.withLock { try $0?.get() } == 1)
            #expect(fixture.catalog.behindCount == 0)
        }
    }

    @Test func answersOnceItIsCommitted() throws {
        let fixture = try CatalogFixture(ampleByteCount: .max)
        for number in 1...20 {
            #expect(try fixture.put(record(UInt64(number))) == .stored)
            // Committed rows only: this does not wait.
            #expect(try fixture.catalog.isKnown(sequence: UInt64(number)))
        }
        #expect(fixture.catalog.behindCount == 0)
    }

    @Test func answersTogetherWhatIsCommittedTogether() throws {
        let fixture = try CatalogFixture(ampleByteCount: .max)
        let tickets = (1...100).map { number in
            fixture.catalog.submit(record(UInt64(number)), pack: 1, byteOffset: UInt64(number), studyKey: [1])
        }
        for (index, ticket) in tickets.enumerated() {
            if index == 40 { fixture.catalog.revoke(ticket) } else { fixture.catalog.confirm(ticket) }
        }
        for (index, ticket) in tickets.enumerated() {
            if index == 40 {
                #expect(throws: CatalogError.revoked) { try fixture.catalog.outcome(of: ticket) }
            } else {
                #expect(try fixture.catalog.outcome(of: ticket) == .stored)
                #expect(try fixture.catalog.isKnown(sequence: UInt64(index + 1)))
            }
        }
        #expect(try fixture.found(.instance).count == 99)
    }
}
