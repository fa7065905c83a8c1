import DICOM
import Media
import Testing

struct FileSetDirectoryTests {
    @Test func listsFilesInWhateverPiecesItComes() {
        let (_, places) = Fixture.dicomdir([.init(), .init(fileID: "DIR\\OTHER")])
        let (bytes, _) = Fixture.dicomdir([.init(next: places[1]), .init(fileID: "DIR\\OTHER")])
        for pieceByteCount in [1, 7, 100, 1 << 20] {
            let directory = Fixture.directory(bytes, pieceByteCount: pieceByteCount)
            #expect(directory.fault == nil)
            #expect(directory.recordCount == 2)
            #expect(directory.files == ["DIR/FILE": "DIR/FILE", "DIR/OTHER": "DIR/OTHER"])
        }
    }

    @Test func followsNoOffsetsThatLeadInACircle() {
        let (_, places) = Fixture.dicomdir([.init(), .init(fileID: "B")])
        let (bytes, _) = Fixture.dicomdir([.init(next: places[1]), .init(fileID: "B", lower: places[0])])
        let directory = Fixture.directory(bytes)
        #expect(directory.fault == .cycle)
        #expect(directory.files.count == 2)
        let (own, _) = Fixture.dicomdir([.init(next: places[0])])
        #expect(Fixture.directory(own).fault == .cycle)
    }

    @Test func saysWhenOffsetsLeadNowhereOrRecordsHangLoose() {
        #expect(Fixture.directory(Fixture.dicomdir([.init(next: 77)]).bytes).fault == .danglingOffset)
        #expect(Fixture.directory(Fixture.dicomdir([.init(), .init()]).bytes).fault == .unreachableRecords)
        #expect(Fixture.directory(Fixture.dicomdir([.init()], first: 0).bytes).fault == .unreachableRecords)
        #expect(Fixture.directory(Fixture.dicomdir([.init(), .init(isInUse: false)]).bytes).fault == nil)
        #expect(Fixture.directory(Fixture.dicomdir([]).bytes).fault == nil)
    }

    @Test func passesOverRecordsThatAreNotInUse() {
        let (bytes, _) = Fixture.dicomdir([.init(isInUse: false)], first: 0)
        #expect(Fixture.directory(bytes).files.isEmpty)
    }

    @Test func countsNamesThatLeadOutAndForgetsThem() {
        let (bytes, _) = Fixture.dicomdir([
            .init(fileID: "..\\..\\ETC\\PASSWD"), .init(fileID: "/ETC/PASSWD"), .init(fileID: "A\\\\B"),
            .init(fileID: nil),
        ])
        let directory = Fixture.directory(bytes)
        #expect(directory.unusableFileIDs == 3)
        #expect(directory.files.isEmpty)
    }

    @Test func readsWhatCameBeforeACut() {
        let (bytes, places) = Fixture.dicomdir([.init(), .init(fileID: "B"), .init(fileID: "C")])
        for end in [Int(places[1]) + 1, Int(places[1]) + 30, bytes.count - 1] {
            let directory = Fixture.directory(Array(bytes[..<end]))
            #expect(directory.fault == .truncated, "\(end)")
            #expect(directory.files["DIR/FILE"] != nil)
        }
        #expect(Fixture.directory(bytes + [UInt8](repeating: 0, count: 500)).fault != .truncated)
    }

    @Test func knowsWhatIsNoDirectory() {
        for bytes in [[], Array("hello".utf8), [UInt8](repeating: 0, count: 4000)] {
            #expect(Fixture.directory(bytes).fault == .notADirectory)
        }
        let image = Fixture.header(1)
        let file =
            Part10.header(
                sopClassUID: Fixture.ct, sopInstanceUID: "1.2.9.1", transferSyntax: .explicitVRLittleEndian)
            + image.encoded(transferSyntax: .explicitVRLittleEndian)
        #expect(Fixture.directory(file).fault == .notADirectory)
    }

    @Test func holdsAsManyRecordsAsItsBoundAndNotOneMore() {
        let records = [Fixture.Record](repeating: .init(), count: 10_000)
        let (bytes, _) = Fixture.dicomdir(records)
        let directory = Fixture.directory(bytes, pieceByteCount: 1 << 18, recordLimit: 10_000)
        #expect(directory.recordCount == 10_000)
        #expect(directory.fault == .unreachableRecords)
        let bounded = Fixture.directory(bytes, pieceByteCount: 1 << 18, recordLimit: 9_999)
        #expect(bounded.fault == .tooManyRecords(limit: 9_999))
    }

    @Test func survivesBytesChangedAnywhere() {
        let (bytes, _) = Fixture.dicomdir((0..<20).map { .init(fileID: "D\\F\($0)") })
        var generator = Seeded(state: 20_260_101)
        for _ in 0..<500 {
            var changed = bytes
            for _ in 0..<4 { changed[Int.random(in: 0..<changed.count, using: &generator)] = .random(in: 0...255) }
            let directory = Fixture.directory(changed)
            #expect(directory.files.values.allSatisfy { !$0.split(separator: "/").contains("..") })
        }
    }
}

/// The same numbers in every run.
private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 33)
    }
}
