import Archive
import Catalog
import DICOM
import Foundation
import Testing

@testable import DICOMweb

/// A long list of objects, of which a page is in memory.
struct HoldingPageTests {
    private func archive(holding count: Int, in directory: String) throws -> Archive {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        var settings = Archive.Settings()
        settings.blobs.preparedLaneCount = 0
        settings.blobs.firstPrewriteByteCount = 0
        let archive = try Archive(
            directory: directory, masterKey: .file(path: directory + "/keys/master.key"), settings: settings)
        let sender = Sender(peer: "NORTH1", institution: "North", door: "dimse")
        for number in 1...count {
            var object = Dataset()
            object.set(.sopClassUID, .UI, string: "1.2.840.10008.5.1.4.1.1.7")
            object.set(.sopInstanceUID, .UI, string: "1.2.9.\(number)")
            object.set(.studyInstanceUID, .UI, string: "1.2.1")
            object.set(.seriesInstanceUID, .UI, string: "1.2.1.1")
            object.set(.instanceNumber, .IS, string: String(number))
            let incoming = try archive.receive(
                from: sender, by: archive.arrival(), defaultIssuer: "", transferSyntax: .explicitVRLittleEndian,
                expectedClass: nil, expectedUID: nil)
            try object.encoded(transferSyntax: .explicitVRLittleEndian).withUnsafeBytes { try incoming.append($0) }
            _ = try incoming.finish()
        }
        return archive
    }

    @Test func givesAllInTheirOrderAndLeavesOutWhatIsRemovedMeanwhile() throws {
        let directory = FileManager.default.temporaryDirectory.path + "/huizhen-pages-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let count = 2 * HoldingPages.pageCount + 1
        let archive = try archive(holding: count, in: directory)
        let all = try archive.holdings(
            patientID: nil, studyInstanceUIDs: ["1.2.1"], seriesInstanceUIDs: [], sopInstanceUIDs: [],
            visibility: .everything, limit: 1000)
        func numbers(_ list: ArraySlice<Holding>) throws -> [Int] {
            var pages = HoldingPages(Array(list), archive: archive)
            var result: [Int] = []
            while let holding = try pages.next() {
                result.append(Int(holding.sopInstanceUID.split(separator: ".").last ?? "") ?? 0)
            }
            return result
        }
        for length in [0, 1, HoldingPages.pageCount, HoldingPages.pageCount + 1, count] {
            #expect(try numbers(all[..<length]) == Array(0..<length).map { $0 + 1 })
        }
        // Not in the order of their numbers.
        #expect(try numbers(ArraySlice(all.reversed())) == Array(1...count).reversed())
        _ = try archive.remove(
            studyInstanceUID: "1.2.1", sopInstanceUID: "1.2.9.\(HoldingPages.pageCount + 1)")
        #expect(try numbers(all[...]) == Array(1...count).filter { $0 != HoldingPages.pageCount + 1 })
        try archive.close()
    }
}
