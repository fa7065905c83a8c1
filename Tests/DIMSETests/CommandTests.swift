import DICOM
import Testing

@testable import DIMSE

/// Swift Testing has tags of its own.
typealias Tag = DICOM.Tag

/// Command sets on the wire. PS3.7 §6.3 and §9.3.
struct CommandTests {
    @Test func writesAnEchoRequestToTheByte() {
        let request = Command(.echoRequest, messageID: 7, sopClassUID: SOPClass.verification, hasDataSet: false)
        let expected: [UInt8] =
            [0, 0, 0, 0, 4, 0, 0, 0, 56, 0, 0, 0]
            + [0, 0, 2, 0, 18, 0, 0, 0] + Array("1.2.840.10008.1.1\0".utf8)
            + [0, 0, 0, 1, 2, 0, 0, 0, 0x30, 0]
            + [0, 0, 0x10, 1, 2, 0, 0, 0, 7, 0]
            + [0, 0, 0, 8, 2, 0, 0, 0, 1, 1]
        #expect(request.encoded() == expected)
    }

    @Test func writesAStoreResponseThatNamesItsRequestsObject() throws {
        var request = Command(.storeRequest, messageID: 0x0102, sopClassUID: "1.2", hasDataSet: true)
        request.affectedSOPInstanceUID = "1.2.3"
        let response = Command(answering: request, status: .duplicateSOPInstance)
        let expected: [UInt8] =
            [0, 0, 0, 0, 4, 0, 0, 0, 66, 0, 0, 0]
            + [0, 0, 2, 0, 4, 0, 0, 0] + Array("1.2\0".utf8)
            + [0, 0, 0, 1, 2, 0, 0, 0, 0x01, 0x80]
            + [0, 0, 0x20, 1, 2, 0, 0, 0, 0x02, 0x01]
            + [0, 0, 0, 8, 2, 0, 0, 0, 1, 1]
            + [0, 0, 0, 9, 2, 0, 0, 0, 0x11, 0x01]
            + [0, 0, 0, 0x10, 6, 0, 0, 0] + Array("1.2.3\0".utf8)
        #expect(response.encoded() == expected)
        let read = try Command(bytes: expected)
        #expect(read.field == .storeResponse && read.messageIDBeingRespondedTo == 0x0102)
        #expect(read.status == .duplicateSOPInstance && !read.hasDataSet)
        #expect(read.affectedSOPInstanceUID == "1.2.3")
        #expect(!read.attributes.contains(Tag(0x0000, 0x0000)))
    }

    @Test func readsWhatItWroteOfAMove() throws {
        var request = Command(.moveRequest, messageID: .max, sopClassUID: SOPClass.studyRootMove, hasDataSet: true)
        request.moveDestination = "SIXTEENLETTERS12"
        request.setPriority()
        request.setMoveOriginator(aeTitle: "PACS", messageID: 9)
        let read = try Command(bytes: request.encoded())
        #expect(read.field == .moveRequest && read.messageID == .max && read.hasDataSet)
        #expect(read.moveDestination == "SIXTEENLETTERS12")
        #expect(read.attributes.int(Tag(0x0000, 0x0700)) == 0)
        #expect(read.attributes.string(Tag(0x0000, 0x1030)) == "PACS")
        #expect(read.attributes.int(Tag(0x0000, 0x1031)) == 9)
    }

    @Test func countsSubOperationsUpToWhatTheFieldHolds() throws {
        let request = Command(.moveRequest, messageID: 1, sopClassUID: SOPClass.studyRootMove, hasDataSet: true)
        let counts = SubOperationCounts(remaining: 65_535, completed: 65_536, failed: 2, warning: 0)
        var pending = Command(answering: request, status: .pending)
        pending.set(counts, withRemaining: true)
        #expect(
            try Command(bytes: pending.encoded()).subOperationCounts
                == SubOperationCounts(remaining: 65_535, completed: 65_535, failed: 2, warning: 0))
        var last = Command(answering: request, status: .success)
        last.set(counts, withRemaining: false)
        #expect(!(try Command(bytes: last.encoded()).attributes.contains(Tag(0x0000, 0x1020))))
    }

    @Test func cutsACommentToTheLengthOfItsVR() throws {
        let request = Command(.echoRequest, messageID: 1, sopClassUID: SOPClass.verification, hasDataSet: false)
        var response = Command(answering: request, status: .processingFailure)
        response.setErrorComment(String(repeating: "x", count: 65))
        #expect(try Command(bytes: response.encoded()).attributes.string(Tag(0x0000, 0x0902))?.count == 64)
    }

    @Test func readsAnUnknownCommandWithoutTakingItForAnother() throws {
        var request = Command(.echoRequest, messageID: 1, sopClassUID: SOPClass.verification, hasDataSet: false)
        request.attributes.set(Tag(0x0000, 0x0100), .US, ints: [0x0140])
        #expect(try Command(bytes: request.encoded()).field == nil)
        let empty = try Command(bytes: [])
        #expect(empty.field == nil && empty.status == nil && empty.messageID == 0)
    }
}

struct StatusTests {
    @Test(arguments: [
        (Status.success, "success"), (.pending, "pending"), (.pendingWithUnsupportedKeys, "pending"),
        (.cancelled, "cancelled"), (.subOperationsWithFailures, "warning"), (Status(0xB007), "warning"),
        (Status(0xBFFF), "warning"), (Status(0x0001), "warning"), (Status(0x0107), "warning"),
        (.duplicateSOPInstance, "failure"), (.outOfResources, "failure"), (.cannotUnderstand, "failure"),
        (Status(0xAFFF), "failure"), (Status(0xC000), "failure"), (Status(0xFF02), "failure"), (Status(2), "failure"),
    ])
    func sortsIntoClasses(_ status: Status, _ label: String) {
        #expect(status.label == label)
    }

    @Test func writesFourHexadecimalDigits() {
        #expect("\(Status.success)" == "0x0000")
        #expect("\(Status.duplicateSOPInstance)" == "0x0111")
        #expect("\(Status.outOfResources)" == "0xA700")
    }
}
