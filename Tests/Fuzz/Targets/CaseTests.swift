import Foundation
import Testing

/// What fuzzing has found stays mended: every kept case goes to its target again.
@Suite struct CaseTests {
    private static let cases = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Cases")

    private static let images: SeedImages = {
        let root = cases.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return SeedImages(folder: root.appendingPathComponent("TestImages/phantoms").path)
    }()

    private static func files(_ target: String) -> [URL] {
        let folder = cases.appendingPathComponent(target)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.sorted().map { folder.appendingPathComponent($0) }
    }

    @Test(arguments: FuzzTarget.all.map(\.name))
    func readsEveryKeptCase(_ name: String) throws {
        let target = try #require(FuzzTarget.all.first { $0.name == name })
        for file in Self.files(name) {
            let input = try Array(Data(contentsOf: file))
            #expect(throws: Never.self, "\(name)/\(file.lastPathComponent)") { try target.run(input) }
        }
    }

    @Test(arguments: FuzzTarget.all.map(\.name))
    func readsEverySeed(_ name: String) throws {
        let target = try #require(FuzzTarget.all.first { $0.name == name })
        let seeds = target.seeds(Self.images)
        #expect(!seeds.isEmpty)
        for seed in seeds {
            #expect(seed.count <= target.byteCountLimit)
            #expect(throws: Never.self) { try target.run(seed) }
        }
    }

    /// A case in a folder that no target reads would prove nothing.
    @Test func keepsCasesOnlyOfTargets() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: Self.cases.path)
        #expect(Set(folders).subtracting(FuzzTarget.all.map(\.name)) == [])
    }

    @Test func tellsABrokenProperty() {
        #expect(throws: BrokenProperty.self) { try require(false, "nothing holds") }
    }
}
