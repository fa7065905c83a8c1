import DICOM
import Foundation
import Testing

@testable import Phantoms

@Suite struct LargeTests {
    @Test func refusesSeriesBeyondItsBounds() throws {
        _ = try LargeSeries(seed: .committed, count: 1, size: 16)
        _ = try LargeSeries(seed: .committed, count: 100_000, size: 4096)
        for (count, size) in [(0, 16), (100_001, 16), (1, 15), (1, 4097)] {
            #expect(throws: GeneratorError.self) { try LargeSeries(seed: .committed, count: count, size: size) }
        }
    }

    @Test func refusesObjectsBeyondItsBounds() throws {
        #expect(try LargeMultiFrame(seed: .committed, byteCount: 512, size: 16).frameCount == 1)
        #expect(try LargeMultiFrame(seed: .committed, byteCount: 0xFFFF_FFFE, size: 16).frameCount == 8_388_607)
        for (byteCount, size) in [(511, 16), (0xFFFF_FFFF, 16), (1 << 20, 15), (1 << 30, 4097)] {
            #expect(throws: GeneratorError.self) {
                try LargeMultiFrame(seed: .committed, byteCount: byteCount, size: size)
            }
        }
    }

    @Test func writesTheSameSlicesFromTheSameSeed() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: folder) }
        try LargeSeries(seed: Seed(5), count: 3, size: 32).write(into: folder)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(names == ["large-ct-00001.dcm", "large-ct-00002.dcm", "large-ct-00003.dcm"])
        let again = try LargeSeries(seed: Seed(5), count: 3, size: 32).slice(2)
        #expect(try Data(contentsOf: folder.appending(path: names[1])) == Data(again.part10()))
        let other = try LargeSeries(seed: Seed(6), count: 3, size: 32).slice(2)
        #expect(other.dataset.string(.studyInstanceUID) != again.dataset.string(.studyInstanceUID))
    }

    @Test func writesAsManyFramesAsItSays() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: url) }
        let object = try LargeMultiFrame(seed: .committed, byteCount: 10_000, size: 32)
        #expect(object.frameCount == 4)
        try object.write(to: url)
        let bytes = [UInt8](try Data(contentsOf: url))
        let meta = try #require(try Part10.parseMeta(bytes))
        let dataset = try Dataset.parse(Array(bytes[meta.datasetOffset...]), transferSyntax: meta.transferSyntax)
        #expect(dataset.int(.numberOfFrames) == 4)
        guard case .bulk(let offset, let length) = dataset[.pixelData]?.value else {
            Issue.record("The object has no native pixel data")
            return
        }
        #expect(length == 4 * 32 * 32 * 2)
        #expect(UInt64(meta.datasetOffset) + offset + length == UInt64(bytes.count))
    }
}
