import Loading
import Testing

@testable import Benchmarking

@Test(arguments: ScaleQueries.allCases)
func everyTurnAsksForSomethingElseUntilAllFamiliesHadTheirs(_ query: ScaleQueries) {
    let asked = Set((0..<Base.familyCount / 2).map { query.identifier($0) })
    #expect(asked.count == Base.familyCount / 2)
}

@Test func theFamiliesOfTheLoaderBearNamesOfTheirOwn() {
    let names = (0..<Base.studyCount).map(Base.name)
    #expect(Set(names).count == Base.studyCount)
    #expect(Set(Base.surnames).count == Base.familyCount / 2 && Set(Base.generation).count == Base.familyCount / 2)
    #expect(Set(Base.latin).count == Base.familyCount / 2)
}

@Test func anObjectOfAStudyIsTheSameEachTimeItIsMade() {
    let maker = StudyMaker(seed: 1)
    let object = maker.object(2000, number: 1, pixelByteCount: 64)
    #expect(object.dataset == StudyMaker(seed: 1).object(2000, number: 1, pixelByteCount: 64).dataset)
    #expect(object.dataset.suffix(64).count == 64 && object.dataset.count.isMultiple(of: 2))
    #expect(object.instance != maker.object(2000, number: 0, pixelByteCount: 64).instance)
}
