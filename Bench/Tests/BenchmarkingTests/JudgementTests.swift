import Testing

@testable import Benchmarking

private let third = RatioGoal.ratio(to: .orthancTuned, 1, 3)

private func result(_ contestant: Contestant, _ values: [Double]) -> LaneResult {
    LaneResult(
        label: contestant.label, samples: values.enumerated().map { Sample(round: $0.offset, value: $0.element) })
}

@Test func aGoalIsMetAtItsBound() {
    let judgement = [result(.huizhen, [1]), result(.orthancTuned, [3])].judge([third])[0]
    #expect(judgement.verdict == .met)
    #expect(judgement.subject == "Huizhen / Orthanc, tuned")
}

@Test func aGoalIsMissedJustBeyondItsBound() {
    let judgements = [result(.huizhen, [1.0001]), result(.orthancTuned, [3])].judge([third])
    #expect(judgements[0].verdict == .missed)
}

@Test func theMedianOfTheRatiosIsJudgedAndNotTheRatioOfTheMedians() {
    // Medians 2 and 3 would miss a third; round by round the middle ratio is a quarter.
    let judgements = [result(.huizhen, [1, 2, 9]), result(.orthancTuned, [4, 8, 3])].judge([third])
    #expect(judgements[0].summary?.median == 0.25)
    #expect(judgements[0].verdict == .met)
}

@Test func withoutTheOtherSideAGoalIsNotMeasured() {
    #expect([result(.huizhen, [1])].judge([third])[0].verdict == .notMeasured)
}

@Test func workThatWasNotDoneToTheEndMissesItsGoal() {
    var mine = result(.huizhen, [0.1])
    mine.failure = .incomplete(work: "store", expected: 2, found: 1)
    #expect([mine, result(.orthancTuned, [3])].judge([third])[0].verdict == .missed)
}

@Test func goalsReadAsTheTableWritesThem() {
    #expect(third.goal?.text == "≤ 1/3")
    #expect(RatioGoal.ratio(to: .storescpTuned, 2, 1).goal?.text == "≤ 2 ×")
    #expect(RatioGoal.information(on: .storescpTuned).goal == nil)
}

@Test func rowsAreChosenByTheBeginningOfTheirNames() throws {
    #expect(try RowID.matching(["store-small", "get"]) == [.storeSmall1, .storeSmall4, .getCT])
    #expect(try RowID.matching([]) == RowID.allCases.filter { !$0.isNamedOnly })
    #expect(throws: BenchError.self) { try RowID.matching(["stow"]) }
}

@Test func refusesRoundsOutOfRange() {
    for rounds in [0, 101] {
        #expect(throws: BenchError.self) {
            try Options(
                rows: [], rounds: rounds, quick: false, directory: "", keep: false, huizhen: nil, seed: 1, series: nil,
                settles: true)
        }
    }
}
