import Archive
import DICOM
import Testing

@testable import DIMSE

/// What the archive says, as a C-STORE response says it. PS3.4 §B.2.3.
struct StatusMappingTests {
    @Test(arguments: StoreOutcome.allCases)
    func answersSuccessForWhatIsKeptAndTheDuplicateStatusForWhatIsNot(_ outcome: StoreOutcome) {
        let (status, comment) = StatusMapping.status(of: outcome)
        #expect(status == (outcome == .differs ? .duplicateSOPInstance : .success))
        #expect((comment == nil) == status.isSuccess)
    }

    private static let failures: [(ArchiveError, UInt16)] = [
        (.full, 0xA700), (.closed, 0xA700), (.unidentified, 0xA900), (.unreadable, 0xC000),
        (.bound(.tooDeep(limit: 64, byteOffset: 9)), 0xC000), (.damaged, 0x0110), (.notFound, 0xC001),
        (.catalog(.damagedRecord), 0x0110), (.blobs(.notFound), 0x0110), (.keys(.unknown), 0x0110),
    ]

    @Test(arguments: failures)
    func answersFailuresWithACommentThatFits(_ error: ArchiveError, _ expected: UInt16) {
        let (status, comment) = StatusMapping.status(of: error)
        #expect(status.rawValue == expected)
        #expect((1...64).contains(comment.count))
    }
}
