import Archive
import DICOM
import Testing

@testable import DIMSE

/// What the archive says, as a C-STORE response says it. PS3.4 §B.2.3.
struct StatusMappingTests {
    @Test(arguments: StoreOutcome.allCases)
    func answersSuccessForWhatIsKeptAndTheDuplicateStatusForWhatIsNot(_ outcome: StoreOutcome) {
        let answer = StatusMapping.answer(to: outcome)
        #expect(answer.status == (outcome == .differs ? .duplicateSOPInstance : .success))
        #expect((answer.comment == nil) == answer.status.isSuccess)
        #expect(answer.services.contains(.store))
    }

    private static let failures: [(ArchiveError, UInt16)] = [
        (.full, 0xA700), (.closed, 0xA700), (.unidentified, 0xA900), (.unreadable, 0xC000),
        (.bound(.tooDeep(limit: 64, byteOffset: 9)), 0xC000), (.damaged, 0x0110), (.notFound, 0xC001),
        (.catalog(.damagedRecord), 0x0110), (.blobs(.notFound), 0x0110), (.keys(.unknown), 0x0110),
    ]

    @Test(arguments: failures)
    func answersFailuresWithACommentThatFits(_ error: ArchiveError, _ expected: UInt16) {
        let answer = StatusMapping.answer(to: error)
        #expect(answer.status.rawValue == expected && answer.services.contains(.store))
        #expect(answer.comment != nil)
        let question = StatusMapping.answer(toQuestion: error)
        #expect(question.services.isSuperset(of: [.find, .move, .get]))
        #expect(question == (expected == 0xA700 ? answer : .storageFailed))
    }

    /// (0000,0902) has 64 characters.
    @Test(arguments: ServiceAnswer.allCases)
    func saysWhatEveryAnswerMeansWithinAnErrorComment(_ answer: ServiceAnswer) {
        #expect((1...64).contains(answer.about.count) && !answer.services.isEmpty)
        let isFailure = !answer.status.isSuccess && !answer.status.isPending && answer.status != .cancelled
        #expect(answer.comment == nil || isFailure)
    }
}
