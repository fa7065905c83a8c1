import DICOM
import Foundation
import Glibc
import Testing

@testable import Media

struct FileSetWriterTests {
    private func writer(_ path: String, id: String = "TEST") throws -> FileSetWriter {
        try FileSetWriter(output: FolderOutput(path: path), fileSetID: id)
    }

    @Test func writesADirectoryThatListsEveryObjectOnce() throws {
        let path = try Fixture.folder() + "/medium"
        let writer = try writer(path)
        for number in 1...3 { try Fixture.write(Fixture.header(number), to: writer) }
        try Fixture.write(Fixture.header(4, series: "1.2.1.2"), to: writer)
        try Fixture.write(Fixture.header(5, study: "1.2.2", series: "1.2.2.1", patient: "P2"), to: writer)
        // A study comes back after others.
        try Fixture.write(Fixture.header(6), to: writer)
        let summary = try writer.finish()
        #expect(summary.objects == 6 && summary.patients == 2 && summary.studies == 2 && summary.series == 3)
        #expect(summary.madeUp.isEmpty)
        let directory = try Fixture.directory(at: path + "/DICOMDIR")
        #expect(directory.fault == nil)
        #expect(directory.recordCount == 6 + 2 + 2 + 3)
        #expect(directory.files.count == 6)
        for file in directory.files.values { #expect(FileManager.default.fileExists(atPath: path + "/" + file)) }
        #expect(directory.files["DICOM/ST000001/SE000001/IM000004"] != nil)
    }

    @Test func writesObjectsBitForBitAfterTheirFileMeta() throws {
        let path = try Fixture.folder() + "/medium"
        let writer = try writer(path)
        let header = Fixture.header(1)
        try Fixture.write(header, to: writer)
        _ = try writer.finish()
        let bytes = [UInt8](
            try #require(FileManager.default.contents(atPath: path + "/DICOM/ST000001/SE000001/IM000001")))
        let meta = try #require(try Part10.parseMeta(bytes))
        #expect(meta.meta.string(.mediaStorageSOPInstanceUID) == "1.2.9.1")
        #expect(Array(bytes[meta.datasetOffset...]) == header.encoded(transferSyntax: .explicitVRLittleEndian))
    }

    @Test func beginsANewFolderOnceOneIsFull() throws {
        let path = try Fixture.folder() + "/medium"
        let writer = try writer(path)
        for number in 0...FileSetWriter.folderFileLimit { try Fixture.write(Fixture.header(number), to: writer) }
        #expect(try writer.finish().series == 1)
        let series = path + "/DICOM/ST000001"
        #expect(try FileManager.default.contentsOfDirectory(atPath: series + "/SE000001").count == 1000)
        #expect(try FileManager.default.contentsOfDirectory(atPath: series + "/SE000002") == ["IM000001"])
        #expect(try Fixture.directory(at: path + "/DICOMDIR").fault == nil)
    }

    @Test func listsAStudyUnderEachPatientItComesWith() throws {
        let path = try Fixture.folder() + "/medium"
        let writer = try writer(path)
        try Fixture.write(Fixture.header(1, patient: "P1"), to: writer)
        try Fixture.write(Fixture.header(2, patient: "P2"), to: writer)
        let summary = try writer.finish()
        #expect(summary.patients == 2 && summary.studies == 2 && summary.series == 2)
    }

    @Test func keepsPatientsWithoutIdentifierApart() throws {
        let path = try Fixture.folder() + "/medium"
        let writer = try writer(path)
        try Fixture.write(Fixture.header(1, patient: ""), to: writer)
        try Fixture.write(Fixture.header(2, study: "1.2.2", series: "1.2.2.1", patient: ""), to: writer)
        let summary = try writer.finish()
        #expect(summary.patients == 2 && summary.madeUp == ["PatientID": 2])
    }

    @Test func putsWhatBelongsToNoPatientAtTheRoot() throws {
        let path = try Fixture.folder() + "/medium"
        let writer = try writer(path)
        try Fixture.write(Fixture.header(1), to: writer)
        for number in 2...3 {
            try Fixture.write(Fixture.header(number, sopClass: "1.2.840.10008.5.1.4.39.1"), to: writer)
        }
        let summary = try writer.finish()
        #expect(summary.records["PALETTE"] == 2 && summary.series == 1)
        #expect(try Fixture.directory(at: path + "/DICOMDIR").fault == nil)
    }

    @Test func takesAnInstanceOnceAndLeavesOutWhatCannotBeRead() throws {
        let path = try Fixture.folder() + "/medium"
        let writer = try writer(path)
        #expect(try Fixture.write(Fixture.header(1), to: writer) == nil)
        #expect(try Fixture.write(Fixture.header(1, study: "1.2.2"), to: writer) == .sameInstance)
        #expect(try Fixture.write(Dataset(), to: writer) == .unreadable)
        try writer.begin(Fixture.object(Fixture.header(2)))
        writer.discard()
        #expect(try writer.finish().objects == 1)
        let files = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
        #expect(files.filter { $0.hasPrefix("DICOM/") && $0.contains("/IM") } == ["DICOM/ST000001/SE000001/IM000001"])
    }

    @Test func showsNothingBeforeItIsWholeAndLeavesNothingWhenAbandoned() throws {
        let folder = try Fixture.folder()
        for isZip in [false, true] {
            let path = folder + "/medium"
            let output: any MediaOutput = isZip ? try ZipOutput(path: path) : try FolderOutput(path: path)
            let writer = try FileSetWriter(output: output, fileSetID: "")
            try Fixture.write(Fixture.header(1), to: writer)
            try writer.begin(Fixture.object(Fixture.header(2)))
            #expect(!FileManager.default.fileExists(atPath: path))
            writer.abandon()
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
        }
    }

    @Test func takesThePlaceOfAnEmptyFolderAndOfNothingElse() throws {
        let folder = try Fixture.folder()
        let writer = try writer(folder)
        try Fixture.write(Fixture.header(1), to: writer)
        _ = try writer.finish()
        #expect(throws: MediaError.occupied(path: folder)) { try FolderOutput(path: folder) }
        let file = folder + "/DICOMDIR"
        #expect(throws: MediaError.occupied(path: file)) { try FolderOutput(path: file) }
        #expect(throws: MediaError.occupied(path: file)) { try ZipOutput(path: file) }
        let nowhere = folder + "/none/medium"
        #expect(throws: MediaError.cannotWrite(path: nowhere, errno: ENOENT)) { try FolderOutput(path: nowhere) }
    }

    @Test func doesNotOverwriteWhatCameMeanwhile() throws {
        let folder = try Fixture.folder()
        for isZip in [false, true] {
            let path = folder + "/medium\(isZip)"
            let output: any MediaOutput = isZip ? try ZipOutput(path: path) : try FolderOutput(path: path)
            let writer = try FileSetWriter(output: output, fileSetID: "")
            try Fixture.write(Fixture.header(1), to: writer)
            try "mine".write(toFile: path, atomically: true, encoding: .utf8)
            #expect(throws: MediaError.occupied(path: path)) { try writer.finish() }
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "mine")
            writer.abandon()
        }
    }

    @Test func saysThatTheDiskIsFull() throws {
        guard geteuid() == 0 else { return }
        let folder = try Fixture.folder()
        guard mount("huizhen", folder, "tmpfs", 0, "size=256k") == 0 else { return }
        defer { umount2(folder, Int32(2)) }
        let path = folder + "/medium"
        let writer = try writer(path)
        try writer.begin(Fixture.object(Fixture.header(1)))
        let noise = [UInt8](repeating: 1, count: 1 << 20)
        #expect(throws: MediaError.full(path: path)) { try noise.withUnsafeBytes { try writer.append($0) } }
        writer.abandon()
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    }

    @Test func writesNoDirectoryBeyondWhatOffsetsReach() throws {
        let spool = try SpoolFile(beside: Fixture.folder() + "/x")
        var directory = DirectoryWriter(spool: spool, limit: 4096 + 300)
        let patient = try directory.addPatient([UInt8](repeating: 0, count: 100))
        _ = try directory.addStudy([UInt8](repeating: 0, count: 200), patient: patient)
        #expect(throws: MediaError.directoryTooLarge(limit: 4396)) {
            try directory.addObject([0], series: nil)
        }
    }

    @Test(arguments: [("", true), ("ABCDEFGHIJ 12_45", true), ("ABCDEFGHIJ 12_456", false), ("small", false)])
    func takesAFileSetIdentifierOfTheStandard(_ id: String, _ isGood: Bool) throws {
        let output = try FolderOutput(path: Fixture.folder())
        defer { output.abandon() }
        let writer = try? FileSetWriter(output: output, fileSetID: id)
        #expect((writer != nil) == isGood)
    }
}

struct MediaProfileTests {
    private let native = TransferSyntax.explicitVRLittleEndian.uid

    @Test func choosesTheProfileThatLeavesMostAsItIs() {
        let (jpeg, j2k) = (TransferSyntax.jpegBaseline.uid, TransferSyntax.jpeg2000Lossless.uid)
        #expect(MediaProfile.suiting([native: 3]) == .uncompressed)
        #expect(MediaProfile.suiting([native: 3, jpeg: 1]) == .jpeg)
        #expect(MediaProfile.suiting([native: 3, jpeg: 1, j2k: 2]) == .jpeg2000)
        #expect(MediaProfile.suiting([TransferSyntax.jpegLSLossless.uid: 3]) == .uncompressed)
    }

    @Test func claimsOnlyProfilesThatAllowEverything() {
        #expect(MediaProfile.allowing([native]) == [.uncompressed, .jpeg, .jpeg2000])
        #expect(MediaProfile.allowing([native, TransferSyntax.jpegLosslessSV1.uid]) == [.jpeg])
        #expect(MediaProfile.allowing([TransferSyntax.implicitVRLittleEndian.uid]).isEmpty)
        #expect(MediaProfile.jpeg.identifiers.contains("STD-GEN-USB-JPEG"))
    }
}
