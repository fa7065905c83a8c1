import Foundation
import Testing

@testable import Benchmarking

private let tiny = Workload(name: "tiny", objectCount: 6, rows: 4, columns: 4, frameCount: 1)

private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.path + "/bench-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
}

/// Every UID of ours in a file, in its order.
private func uids(in path: String) throws -> [String] {
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
    var scan = ElementScan(bytes: bytes, offset: 132)
    var found: [String] = []
    while let element = try scan.next() {
        if [0x0002_0003, 0x0008_0018, 0x0020_000D, 0x0020_000E].contains(element.tag) {
            found.append(element.text(in: bytes))
        }
    }
    return found
}

@Test func everyUIDHasTheLengthThatLetsItBeExchangedInPlace() {
    let identity = StudyIdentity(seed: 7, name: "ct", generation: 3)
    let all = [identity.study, identity.series, identity.instance(0), identity.instance(9_999_999)]
    #expect(all.allSatisfy { $0.utf8.count == StudyIdentity.uidByteCount })
    #expect(Set(all).count == 4)
}

@Test func theSameSeedMakesTheSameUIDsAndAnotherRenewalDoesNot() {
    let identity = StudyIdentity(seed: 7, name: "ct", generation: 3)
    #expect(identity == StudyIdentity(seed: 7, name: "ct", generation: 3))
    #expect(identity.study != StudyIdentity(seed: 7, name: "ct", generation: 4).study)
    #expect(identity.study != StudyIdentity(seed: 8, name: "ct", generation: 3).study)
    #expect(identity.study != StudyIdentity(seed: 7, name: "small", generation: 3).study)
}

@Test func renewingChangesTheUIDsOfEveryFileAndNothingElse() throws {
    try withFolder { folder in
        let study = try TestStudy(tiny, seed: 1, folder: folder, series: nil)
        let path = study.parts[1] + "/5.dcm"
        let before = try Data(contentsOf: URL(filePath: path))
        try study.renew()
        let after = try Data(contentsOf: URL(filePath: path))
        let identity = study.identity
        #expect(
            try uids(in: path) == [identity.instance(5), identity.instance(5), identity.study, identity.series])
        #expect(before.count == after.count)
        let changed = zip(before, after).count { $0 != $1 }
        #expect(changed > 0 && changed <= 4 * StudyIdentity.uidByteCount)
    }
}

@Test func filesAreDealtIntoQuartersAndEachClientGetsItsShare() throws {
    try withFolder { folder in
        let study = try TestStudy(tiny, seed: 1, folder: folder, series: nil)
        #expect(study.parts.map(Files.count) == [2, 2, 1, 1])
        #expect(study.shares(associations: 1) == [study.parts])
        #expect(study.shares(associations: 4) == study.parts.map { [$0] })
    }
}

@Test func slicesDiffer() {
    let phantom = Phantom(workload: Workload(name: "x", objectCount: 2, rows: 16, columns: 16, frameCount: 1), seed: 1)
    #expect(phantom.pixels(of: 0).count == 512)
    #expect(phantom.pixels(of: 0) != phantom.pixels(of: 1))
}

@Test func multiFrameObjectsAreHolesOfTheirFullLength() throws {
    try withFolder { folder in
        let workload = Workload(name: "sparse", objectCount: 1, rows: 64, columns: 64, frameCount: 64)
        let study = try TestStudy(workload, seed: 1, folder: folder, series: nil)
        let size = try FileManager.default.attributesOfItem(atPath: study.parts[0] + "/0.dcm")[.size] as? Int
        #expect(size == study.objectByteCount)
        #expect((size ?? 0) > workload.pixelByteCount)
    }
}

@Test func aSeriesOfOtherFilesTakesOurUIDsAndKeepsItsPixels() throws {
    try withFolder { folder in
        let original = try TestStudy(tiny, seed: 1, folder: folder + "/original", series: nil)
        let series = try RealSeries(folder: original.parts[0])
        let copy = try TestStudy(tiny, seed: 2, folder: folder + "/copy", series: series)
        let first = try Data(contentsOf: URL(filePath: original.parts[0] + "/0.dcm"))
        let copied = try Data(contentsOf: URL(filePath: copy.parts[0] + "/0.dcm"))
        #expect(first.suffix(32) == copied.suffix(32))
        try copy.renew()
        let identity = copy.identity
        #expect(
            try uids(in: copy.parts[0] + "/0.dcm")
                == [identity.instance(0), identity.instance(0), identity.study, identity.series])
    }
}

@Test func refusesASeriesThatIsNoDICOM() throws {
    try withFolder { folder in
        try Data("hello".utf8).write(to: URL(filePath: folder + "/a.dcm"))
        #expect(throws: BenchError.self) { try RealSeries(folder: folder) }
    }
}

@Test func aLengthThatLeavesTheFileIsRefused() {
    var scan = ElementScan(bytes: [0x08, 0, 0x18, 0, 0x55, 0x49, 0xFF, 0], offset: 0)
    #expect(throws: BenchError.self) { try scan.next() }
}
