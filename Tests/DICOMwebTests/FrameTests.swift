import DICOM
import HTTP
import Testing

@testable import DICOMweb

struct FrameTests {
    @Test func readsListsAndRanges() throws {
        #expect(try FrameAnswer.numbers("1", frameCount: 1) == [1])
        #expect(try FrameAnswer.numbers("3,1,2-4", frameCount: 4) == [3, 1, 2, 3, 4])
    }

    @Test(arguments: ["", "0", "-1", "1-", "2-1", "1,,2", "a", "1-2-3", "5", "1-5", "99999999999999999999"])
    func refusesWhatIsNoListOrNotThere(_ list: String) {
        #expect(throws: Problem.self) { try FrameAnswer.numbers(list, frameCount: 4) }
    }

    private func choice(_ accept: String, stored: TransferSyntax) throws -> TransferSyntax? {
        let range = try #require(MediaRange(accept))
        return FrameMediaType.choice(range, stored: stored)?.syntax
    }

    @Test func givesFramesAsTheyAreStoredWhereThatIsAccepted() throws {
        for accept in ["*/*", "multipart/related; type=*/*", "multipart/related; type=\"image/jls\"", "image/jls"] {
            #expect(try choice(accept, stored: .jpegLSLossless) == .jpegLSLossless)
        }
        let anything = "multipart/related; type=\"application/octet-stream\"; transfer-syntax=*"
        #expect(try choice(anything, stored: .explicitVRBigEndian) == .explicitVRBigEndian)
        // As OHIF 3 asks for every frame.
        #expect(try choice(anything, stored: .rleLossless) == .rleLossless)
        #expect(
            try choice("multipart/related; type=\"application/octet-stream\"", stored: .implicitVRLittleEndian)
                == .implicitVRLittleEndian)
    }

    @Test func codesFramesAnewOnlyWhenAskedTo() throws {
        let bytes = "multipart/related; type=\"application/octet-stream\""
        #expect(try choice(bytes, stored: .jpeg2000Lossless) == .explicitVRLittleEndian)
        #expect(try choice(bytes, stored: .explicitVRBigEndian) == .explicitVRLittleEndian)
        #expect(try choice("image/jphc", stored: .explicitVRLittleEndian) == .htj2kLossless)
        #expect(
            try choice(
                "multipart/related; type=\"image/jpeg\"; transfer-syntax=1.2.840.10008.1.2.4.50", stored: .rleLossless)
                == .jpegBaseline)
        #expect(try choice("image/png", stored: .explicitVRLittleEndian) == nil)
        #expect(
            try choice(
                "multipart/related; type=\"image/jls\"; transfer-syntax=1.2.840.10008.1.2.4.50", stored: .rleLossless)
                == nil)
    }
}
