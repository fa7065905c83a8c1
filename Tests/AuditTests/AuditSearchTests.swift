import Foundation
import Testing

@testable import Audit

/// Searching gives what a reading of everything gives.
@Suite struct AuditSearchTests {
    @Test func findsTheSameWithAndWithoutIndexes() throws {
        let fixture = try LogFixture(segmentByteCount: 64 << 10)
        try fixture.fill(1500)
        let everything = try fixture.all()
        #expect(everything.count == 1500)
        for isIndexed in [false, true] {
            if isIndexed { try fixture.log.makeIndexes() }
            for name in ["P3", "1.2.3.777", "1.2.3.1", "SCANNER5", "none"] {
                var query = AuditQuery(limit: 100_000, isNewestFirst: false)
                query.object = name
                let expected = everything.filter { $0.entry.objects.contains { $0.name == name } }
                #expect(try fixture.all(query) == expected)
                query.isNewestFirst = true
                #expect(try fixture.all(query) == expected.reversed())
                query.limit = 2
                #expect(try fixture.all(query) == Array(expected.reversed().prefix(2)))
                query = AuditQuery(limit: 100_000, isNewestFirst: false)
                query.actor = name
                #expect(try fixture.all(query) == everything.filter { $0.entry.actor.name == name })
            }
        }
        let indexes = try FileManager.default.contentsOfDirectory(atPath: fixture.directory)
            .filter { $0.hasSuffix(".hzx") }
        #expect(indexes.count >= 3)
    }

    @Test func findsWhatIsWrittenBetweenSearches() throws {
        let fixture = try LogFixture(segmentByteCount: 256 << 10)
        var query = AuditQuery(limit: 100_000, isNewestFirst: false)
        query.object = "P3"
        var written = 0
        // One record, fewer and more than are put in order at a time, and a new segment.
        for count in [1, 20, 1700, 3, 900, 1] {
            try fixture.fill(count, from: written + 1)
            written += count
            let expected = (1...written).filter { $0 % 10 == 3 }.map { UInt64($0) }
            #expect(try fixture.all(query).map(\.sequence) == expected)
        }
        #expect(try Segment.numbers(in: fixture.directory).count > 1)
        try fixture.reopen()
        #expect(try fixture.all(query).count == (1...written).count { $0 % 10 == 3 })
        try fixture.fill(10, from: written + 1)
        try fixture.log.makeIndexes()
        #expect(try fixture.all(query).count == (1...(written + 10)).count { $0 % 10 == 3 })
        query.limit = 1
        query.isNewestFirst = true
        #expect(try fixture.all(query).map(\.entry.objects[1].name) == ["P3"])
    }

    @Test func saysWhereTheSegmentThatIsWrittenIsDamagedEachTime() throws {
        let fixture = try LogFixture()
        try fixture.fill(100)
        let place = try fixture.frames(1)[50].lowerBound
        var bytes = try fixture.bytes(1)
        bytes[place + 50] ^= 1
        try fixture.write(bytes, 1)
        var query = AuditQuery(limit: 10)
        query.object = "1.2.3.5"
        for _ in 0..<2 {
            #expect(throws: AuditError.damaged(segment: 1, byteOffset: UInt64(place))) { try fixture.all(query) }
        }
    }

    @Test func narrowsByTimeEventOutcomeAndNumber() throws {
        let fixture = try LogFixture()
        for number in 0..<100 {
            var entry = fixture.entry(number, number % 10 == 0 ? .removed : .accessed)
            entry.outcome = number % 20 == 0 ? .seriousFailure : .success
            try fixture.log.append([entry], at: Date(timeIntervalSince1970: Double(number)))
        }
        var query = AuditQuery(isNewestFirst: false)
        query.from = 10_000
        query.until = 29_999
        #expect(try fixture.all(query).map(\.sequence) == Array(11...30))
        query.event = "removed"
        #expect(try fixture.all(query).map(\.sequence) == [11, 21])
        query.outcome = 8
        #expect(try fixture.all(query).map(\.sequence) == [21])
        query = AuditQuery(isNewestFirst: false)
        query.sequence = 99
        #expect(try fixture.all(query).map(\.sequence) == [99, 100])
        query.institution = "海口"
        #expect(try fixture.all(query).isEmpty)
    }

    @Test func passesOverAnIndexOfAnotherSegmentOrAnOlderState() throws {
        let fixture = try LogFixture(segmentByteCount: 64 << 10)
        try fixture.fill(800)
        try fixture.log.makeIndexes()
        let first = fixture.directory + "/0000000001.hzx"
        let second = fixture.directory + "/0000000002.hzx"
        try FileManager.default.removeItem(atPath: first)
        try FileManager.default.copyItem(atPath: second, toPath: first)
        var query = AuditQuery(limit: 10)
        query.object = "1.2.3.5"
        #expect(try fixture.all(query).map(\.sequence) == [5])
    }

    @Test func saysWhereTheLogIsDamaged() throws {
        let fixture = try LogFixture(segmentByteCount: 64 << 10)
        try fixture.fill(800)
        try fixture.log.makeIndexes()
        var query = AuditQuery(limit: 10)
        query.object = "1.2.3.5"
        let place = try fixture.frames(1)[4].lowerBound
        var bytes = try fixture.bytes(1)
        bytes[place + 50] ^= 1
        try fixture.write(bytes, 1)
        #expect(throws: AuditError.damaged(segment: 1, byteOffset: UInt64(place))) { try fixture.all(query) }
    }
}
