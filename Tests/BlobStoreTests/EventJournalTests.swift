import Foundation
import Keys
import Testing

@testable import BlobStore

/// The log of removals, holds and other events.
@Suite struct EventJournalTests {
    private func events(_ store: BlobStore) throws -> ([StoredEvent], EventReport) {
        var events: [StoredEvent] = []
        let report = try store.scanEvents { events.append($0) }
        return (events, report)
    }

    private func path(_ fixture: StoreFixture, _ number: UInt32 = 1) -> String {
        fixture.directory + "/blobs/" + PackName.journal(number)
    }

    @Test func givesEventsBackInOrderAcrossRestarts() throws {
        let fixture = try StoreFixture()
        let written = (0..<50).map { StoredEvent(sequence: $0, bytes: noise(Int($0) * 10, seed: $0)) }
        for event in written[..<20] { try fixture.store.appendEvent(event.bytes, sequence: event.sequence) }
        try fixture.reopen()
        try fixture.store.appendEvents(Array(written[20...]))
        try fixture.store.appendEvents([])
        #expect(try events(fixture.store).0 == written)
        try fixture.reopen()
        let (found, report) = try events(fixture.store)
        #expect(found == written && report == EventReport(eventCount: 50, tornByteCount: 0, damaged: []))
        #expect(!FileManager.default.fileExists(atPath: path(fixture, 2)))
    }

    /// A file that was made and whose directory could not be synced, say.
    @Test func goesOnInAnotherFileWhereTheNextCannotBeMade() throws {
        let fixture = try StoreFixture()
        try FileManager.default.createDirectory(atPath: path(fixture), withIntermediateDirectories: false)
        #expect(throws: BlobError.self) { try fixture.store.appendEvent([1], sequence: 1) }
        try fixture.store.appendEvent([2], sequence: 2)
        try FileManager.default.removeItem(atPath: path(fixture))
        #expect(try events(fixture.store).0.map(\.sequence) == [2])
        try fixture.reopen()
        #expect(try events(fixture.store).0.map(\.sequence) == [2])
    }

    @Test func takesAnEventAtItsLimitAndRefusesOneByteMore() throws {
        let fixture = try StoreFixture()
        try fixture.store.appendEvent(noise(EventJournal.eventLimit), sequence: 1)
        #expect(throws: BlobError.tooLarge(part: .event, limit: UInt64(EventJournal.eventLimit))) {
            try fixture.store.appendEvent(noise(EventJournal.eventLimit + 1), sequence: 2)
        }
        #expect(try events(fixture.store).0.map(\.sequence) == [1])
    }

    @Test func dropsAnUnfinishedLastEventWhereverItWasCut() throws {
        let fixture = try StoreFixture()
        try fixture.store.appendEvent([1], sequence: 1)
        let first = try OpenFile(path(fixture), flags: O_RDONLY).byteCount()
        try fixture.store.appendEvent(noise(200), sequence: 2)
        let end = try OpenFile(path(fixture), flags: O_RDONLY).byteCount()
        let whole = try OpenFile(path(fixture), flags: O_RDONLY).read(count: Int(end), at: 0)
        for cut in first..<end {
            let file = try OpenFile(path(fixture), flags: O_RDWR)
            try file.truncate(to: 0)
            try file.write(whole, at: 0)
            try file.truncate(to: cut)
            #expect(try events(fixture.store).0.count == 1)
        }
        try fixture.reopen()
        try fixture.store.appendEvent([3], sequence: 3)
        let (found, report) = try events(fixture.store)
        #expect(found.map(\.sequence) == [1, 3] && report.tornByteCount == 0 && report.damaged.isEmpty)
    }

    @Test func namesTheOffsetOfDamageAndReadsOnBehindIt() throws {
        let fixture = try StoreFixture()
        var starts: [UInt64] = []
        for sequence in 1...4 {
            starts.append((try? OpenFile(path(fixture), flags: O_RDONLY).byteCount()) ?? 0)
            try fixture.store.appendEvent(noise(100), sequence: UInt64(sequence))
        }
        let whole = try OpenFile(path(fixture), flags: O_RDONLY).read(count: 10_000, at: 0)
        for byte in starts[1]..<starts[2] {
            let file = try OpenFile(path(fixture), flags: O_RDWR)
            try file.write([whole[Int(byte)] ^ 4], at: byte)
            let (found, report) = try events(fixture.store)
            #expect(found.map(\.sequence) == [1, 3, 4])
            #expect(report.damaged == [BlobLocation(pack: 1, offset: starts[1])])
            try file.write([whole[Int(byte)]], at: byte)
        }
        try OpenFile(path(fixture), flags: O_RDWR).write([0], at: starts[1])
        try fixture.reopen()
        try fixture.store.appendEvent([5], sequence: 5)
        let (found, report) = try events(fixture.store)
        #expect(found.map(\.sequence) == [1, 3, 4, 5])
        #expect(report.damaged == [BlobLocation(pack: 1, offset: starts[1])])
    }

    @Test func refusesAnEventMovedToAnotherPlace() throws {
        let fixture = try StoreFixture()
        for sequence in 1...3 { try fixture.store.appendEvent([9], sequence: UInt64(sequence)) }
        let byteCount = Int(try OpenFile(path(fixture), flags: O_RDONLY).byteCount()) / 3
        let file = try OpenFile(path(fixture), flags: O_RDWR)
        try file.write(try file.read(count: byteCount, at: 0), at: UInt64(byteCount))
        let (found, report) = try events(fixture.store)
        #expect(found.map(\.sequence) == [1, 3] && report.damaged.count == 1)
    }
}
