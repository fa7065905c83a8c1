import DICOM
import HTTP
import Testing

@testable import DICOMweb

/// What is tried for an object, as the field Accept tells it.
struct ObjectChoicesTests {
    private static let multipart = "multipart/related; type=\"application/dicom\""
    private static let video = "1.2.840.10008.1.2.4.102"

    /// `form syntax` of what is tried for an object that is stored as explicit VR little endian.
    private func tried(_ accept: String) throws -> [String] {
        let choices = ObjectChoices(accepting: try #require(MediaRange.accepted(accept)))
        return choices.ordered(for: TransferSyntax.explicitVRLittleEndian.uid)
            .map { "\($0.form) \($0.syntax?.name ?? "*")" }
    }

    @Test func triesEveryTransferSyntaxThatIsNamed() throws {
        let named = "\(Self.multipart); transfer-syntax="
        #expect(
            try tried(named + Self.video + ", " + named + TransferSyntax.implicitVRLittleEndian.uid)
                == [
                    "multipart \(TransferSyntax(uid: Self.video).name)",
                    "multipart \(TransferSyntax.implicitVRLittleEndian.name)",
                ])
        #expect(try tried(named + "1.2.3") == ["multipart Unknown"])
    }

    @Test func takesWhatIsStoredAtItsOwnRank() throws {
        let coded = "\(Self.multipart); transfer-syntax=\(TransferSyntax.jpegLSLossless.uid)"
        let name = TransferSyntax.jpegLSLossless.name
        #expect(try tried(coded + ", */*;q=0.1") == ["multipart \(name)", "multipart *"])
        #expect(try tried("*/*;q=0.1, " + coded) == ["multipart \(name)", "multipart *"])
        #expect(try tried(coded + ";q=0.1, */*") == ["multipart *", "multipart \(name)"])
        #expect(try tried(Self.multipart + "; transfer-syntax=*, " + coded) == ["multipart *", "multipart \(name)"])
    }

    @Test func codesNothingAnewThatIsWantedAsMuch() throws {
        let named = "\(Self.multipart); transfer-syntax="
        let (own, other) = (TransferSyntax.explicitVRLittleEndian, TransferSyntax.jpegLSLossless)
        #expect(
            try tried(named + other.uid + ", " + named + own.uid)
                == ["multipart \(own.name)", "multipart \(other.name)"])
        #expect(
            try tried(named + other.uid + ", " + named + own.uid + "; q=0.9")
                == ["multipart \(other.name)", "multipart \(own.name)"])
    }

    @Test func weighsTheForms() throws {
        #expect(try tried("application/dicom;q=0.9, \(Self.multipart);q=0.1") == ["file *", "multipart *"])
        #expect(try tried("application/dicom;q=0.1, \(Self.multipart)") == ["multipart *", "file *"])
        #expect(try tried("application/zip, application/dicom;q=0.5") == ["zip *", "file *"])
        #expect(try tried("application/*") == ["file *", "zip *"])
        #expect(try tried("image/jpeg, application/dicom+json, multipart/related; type=\"image/jpeg\"") == [])
        #expect(ObjectChoices(accepting: []).all == [.init(form: .multipart)])
    }

    @Test func saysWhatCanBeHad() {
        #expect(
            ObjectChoices.refusal(["*", "1.2"], isOne: true).available
                == [
                    "\(Self.multipart); transfer-syntax=*", "\(Self.multipart); transfer-syntax=1.2",
                    "application/dicom; transfer-syntax=*", "application/dicom; transfer-syntax=1.2", "application/zip",
                ])
        #expect(
            ObjectChoices.refusal(isOne: false).available
                == ["\(Self.multipart); transfer-syntax=*", "application/zip"])
    }
}
