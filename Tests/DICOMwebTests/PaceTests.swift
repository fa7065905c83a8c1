import Testing

@testable import DICOMweb

@Suite struct PaceTests {
    private let budget = Pace.Budget(byteCount: 1 << 20)
    private let growth = 2 * Pace.smallByteCount * Pace.patience

    @Test func staysSmallUntilMuchIsTaken() {
        var pace = Pace(budget: budget)
        pace.took(growth - 1, in: .zero)
        #expect(pace.byteCount == Pace.smallByteCount)
        #expect(pace.lead == 0)
        pace.took(1, in: .zero)
        #expect(pace.byteCount == 2 * Pace.smallByteCount)
        #expect(pace.lead > 0)
    }

    @Test func growsNoFurtherThanTheLargestPiece() {
        var pace = Pace(budget: Pace.Budget(byteCount: Pace.pieceCount * Pace.largeByteCount))
        for _ in 0..<20 { pace.took(1 << 30, in: .zero) }
        #expect(pace.byteCount == Pace.largeByteCount)
    }

    @Test func becomesSmallForAClientThatStalls() {
        var pace = Pace(budget: budget)
        pace.took(growth, in: .zero)
        pace.took(1, in: .seconds(1))
        #expect(pace.byteCount == Pace.smallByteCount)
        #expect(budget.freeByteCount == 1 << 20)
    }

    @Test func largePiecesOfAllAnswersAreBounded() {
        let one = 2 * Pace.smallByteCount * Pace.pieceCount
        let budget = Pace.Budget(byteCount: 2 * one)
        var paces = [Pace(budget: budget), Pace(budget: budget), Pace(budget: budget)]
        for index in paces.indices { paces[index].took(growth, in: .zero) }
        #expect(paces.map { $0.lead > 0 } == [true, true, false])
        #expect(budget.freeByteCount == 0)
        // An answer that has ended leaves its room to others.
        paces.removeFirst()
        #expect(budget.freeByteCount == one)
        paces[1].took(growth, in: .zero)
        #expect(paces[1].lead > 0)
    }

    @Test func givesBackExactlyWhatItHeld() {
        var pace: Pace? = Pace(budget: budget)
        for _ in 0..<20 { pace?.took(1 << 30, in: .zero) }
        #expect(budget.freeByteCount >= 0)
        pace = nil
        #expect(budget.freeByteCount == 1 << 20)
    }
}
