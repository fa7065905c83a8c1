import Testing

@testable import Audit

/// Bytes that are no records are taken for none.
@Suite struct AuditCodingTests {
    private var bytes: [UInt8] {
        var bytes: [UInt8] = []
        let actor = AuditActor(kind: .person, name: "li", user: "", institution: "三亚", address: "10.0.0.1")
        let entry = AuditEntry(
            .signedIn, by: actor, door: "pages", objects: [AuditObject(.account, "li")], reason: "totp")
        for number in 1...2 {
            AuditCoding.append(AuditRecord(sequence: UInt64(number), time: 5, entry: entry), to: &bytes)
        }
        return bytes
    }

    @Test func refusesEveryCutAndEveryLengthThatLies() throws {
        let whole = bytes
        let records = try #require(AuditCoding.records(whole))
        #expect(records.map(\.sequence) == [1, 2])
        let first = whole.count / 2
        for length in 1..<whole.count where length != first {
            #expect(AuditCoding.records(Array(whole[..<length])) == nil, "\(length)")
        }
        for index in whole.indices {
            for value: UInt8 in [0, 0x7F, 0xFF] where value != whole[index] {
                var altered = whole
                altered[index] = value
                // It may be other text; it may not be another number of records, or a crash.
                if let read = AuditCoding.records(altered) { #expect(read.count == 2) }
            }
        }
    }

    @Test func keepsTheNumberOfEveryEvent() {
        let expected: [UInt16] = [
            1, 2, 10, 11, 12, 13, 14, 20, 21, 22, 23, 30, 31, 32, 40, 41, 42, 43, 50, 51, 52, 53, 54, 60, 61, 62, 63,
        ]
        #expect(AuditEvent.allCases.map(\.rawValue) == expected)
        #expect(AuditEvent.allCases.allSatisfy { AuditEvent(name: $0.name) == $0 })
        #expect(AuditEvent(name: "nothing") == nil)
    }
}
