import DICOM
import Foundation
import Testing

@testable import Phantoms

@Suite struct CollectionTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// Drawn once for all tests.
    private static let drawn: [(phantom: Phantom, file: [UInt8])] = {
        var drawn: [(Phantom, [UInt8])] = []
        PhantomCollection().forEach { drawn.append(($0, $0.part10())) }
        return drawn
    }()

    @Test func drawsWhatTheManifestAndTheFilesHold() throws {
        let held = try Manifest(contentsOf: Self.folder.appending(path: "manifest.json"))
        #expect(Self.drawn.map { Manifest.Entry($0.phantom, file: $0.file) } == held.files)
        for (entry, drawn) in zip(held.files, Self.drawn) {
            let isSame = try Data(contentsOf: Self.folder.appending(path: entry.path)) == Data(drawn.file)
            #expect(isSame, "\(entry.path)")
        }
    }

    @Test func keepsTheCommittedFilesSmall() throws {
        let held = try Manifest(contentsOf: Self.folder.appending(path: "manifest.json"))
        #expect(held.files.reduce(0) { $0 + $1.byteCount } < 12_000_000)
        #expect(Set(held.files.map(\.path)).count == held.files.count)
        #expect(Set(held.files.map(\.sopInstanceUID)).count == held.files.count)
    }

    @Test func declaresTheCharacterSetOfEachSubject() {
        for (phantom, _) in Self.drawn {
            let isASCII = phantom.declaredCharacterSet.isEmpty
            #expect(isASCII || phantom.declaredCharacterSet == phantom.characterSet, "\(phantom.name)")
        }
    }

    @Test func readsBackEveryFile() throws {
        for (phantom, file) in Self.drawn {
            let meta = try #require(try Part10.parseMeta(file))
            #expect(meta.transferSyntax == phantom.transferSyntax)
            let header = try Dataset.parse(Array(file[meta.datasetOffset...]), transferSyntax: meta.transferSyntax)
            #expect(header.string(.sopInstanceUID) == phantom.dataset.string(.sopInstanceUID))
            #expect(header.string(.patientName) == phantom.dataset.string(.patientName), "\(phantom.name)")
            #expect(header.string(.sopClassUID) == phantom.sopClassUID)
        }
    }

    @Test func derivesIdentifiersFromSeedAndName() {
        let seed = Seed(1)
        #expect(seed.uid("a") == Seed(1).uid("a"))
        #expect(seed.uid("a") != seed.uid("b"))
        #expect(seed.uid("a") != Seed(2).uid("a"))
        #expect(UIDs.isValid(seed.uid("a")))
        #expect(seed.uid("a").hasPrefix("2.25."))
    }
}
