import Testing

@testable import Benchmarking

private final class Journal {
    var entries: [String] = []
}

private func lane(_ label: String, _ journal: Journal, roundLimit: Int = .max, failsIn: Int? = nil) -> Lane {
    Lane(label: label, roundLimit: roundLimit) { (round) throws(BenchError) -> Double in
        journal.entries.append("\(label)\(round)")
        if round == failsIn { throw .badOption("broken") }
        return Double(round)
    }
}

@Test func everyRoundBeginsWithAnotherLane() throws {
    let journal = Journal()
    let results = try interleave([lane("A", journal), lane("B", journal)], rounds: 3)
    #expect(journal.entries == ["A0", "B0", "B1", "A1", "A2", "B2"])
    #expect(results.map(\.samples.count) == [3, 3])
}

@Test func aSlowLaneSitsOutTheRoundsBeyondItsLimit() throws {
    let journal = Journal()
    let results = try interleave([lane("A", journal), lane("B", journal, roundLimit: 1)], rounds: 3)
    #expect(results[0].samples.count == 3)
    #expect(results[1].samples.map(\.round) == [0])
}

@Test func aBrokenLaneIsGivenUpAndTheOthersGoOn() throws {
    let journal = Journal()
    let results = try interleave([lane("A", journal, failsIn: 1), lane("B", journal)], rounds: 4)
    #expect(results[0].samples.map(\.round) == [0])
    #expect(results[0].failure == .badOption("broken"))
    #expect(results[1].samples.count == 4)
    #expect(!journal.entries.contains("A2"))
}

@Test func restComesBeforeEveryMeasurementAndOnceAtTheEnd() throws {
    let journal = Journal()
    var rests = 0
    _ = try interleave([lane("A", journal), lane("B", journal)], rounds: 2, settle: { rests += 1 })
    #expect(rests == 5)
}
