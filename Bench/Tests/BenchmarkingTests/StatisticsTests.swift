import Testing

@testable import Benchmarking

@Test func medianOfAnOddCountIsTheMiddleSample() {
    let summary = Summary(of: [9, 1, 4])
    #expect(summary?.median == 4)
    #expect(summary?.minimum == 1)
    #expect(summary?.maximum == 9)
    #expect(summary?.count == 3)
}

@Test func medianOfAnEvenCountLiesBetweenTheMiddleTwo() {
    #expect(Summary(of: [4, 1, 2, 9])?.median == 3)
}

@Test func nothingHasNoSummary() {
    #expect(Summary(of: []) == nil)
}

@Test func ratiosPairRoundsAndLeaveOutThoseOnlyOneSideRan() {
    let ours = [Sample(round: 0, value: 1), Sample(round: 1, value: 2), Sample(round: 2, value: 5)]
    let theirs = [Sample(round: 2, value: 10), Sample(round: 0, value: 4), Sample(round: 3, value: 1)]
    #expect(ratios(of: ours, to: theirs) == [0.25, 0.5])
}

@Test func aDivisorOfZeroGivesNoRatio() {
    #expect(ratios(of: [Sample(round: 0, value: 1)], to: [Sample(round: 0, value: 0)]).isEmpty)
}

@Test func aQuantileIsTheLeastValueThatEnoughSamplesDoNotExceed() {
    let samples = (1...20).map(Double.init).shuffled()
    #expect(quantile(0.95, of: samples) == 19)
    #expect(quantile(1, of: samples) == 20)
    #expect(quantile(0.05, of: samples) == 1)
    #expect(quantile(0.95, of: [7]) == 7)
    #expect(quantile(0.95, of: []) == 0)
}
