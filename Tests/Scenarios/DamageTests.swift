import Foundation
import Testing

/// What the operator's tools say of objects that rotted on the disk.
@Suite(.scenario, .timeLimit(.minutes(30))) struct DamageTests {
    private struct Verified: Decodable {
        struct Object: Decodable, Equatable { var sopInstanceUID: String }
        var objects: Int
        var damaged: [Object]
        var unlisted: Int
    }

    private struct Exported: Decodable {
        var objects: Int
        var leftOut: Int
        var leftOutObjects: [Verified.Object]
    }

    private func decoded<T: Decodable>(_ result: Tool.Result, _ type: T.Type) throws -> T {
        try JSONDecoder().decode(type, from: Data(result.output.utf8))
    }

    /// A service that holds a CT, whose bytes differ from what was written from `offset` on, and an MR behind it.
    private func damaged(at offset: Int, count: Int) throws -> HuizhenProcess {
        let huizhen = try HuizhenProcess()
        #expect(try huizhen.tool(["import", Images.smallCT()]).code == 0)
        #expect(huizhen.stop() == 0)
        let folder = huizhen.directory + "/blobs"
        let packs = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".hzp") }
        let whole = try packs.filter { try Data(contentsOf: URL(fileURLWithPath: folder + "/" + $0)).count > 20_000 }
        let path = folder + "/" + (try #require(whole.first))
        try huizhen.start()
        #expect(try huizhen.tool(["import", Images.smallMR()]).code == 0)
        #expect(huizhen.stop() == 0)
        let file = try #require(FileHandle(forUpdatingAtPath: path))
        try file.seek(toOffset: UInt64(offset))
        try file.write(contentsOf: Data(repeating: 0, count: count))
        try file.close()
        try huizhen.start()
        return huizhen
    }

    /// Damaged objects and those in no list, as `status` has them and as the metrics do.
    private func told(_ huizhen: HuizhenProcess) throws -> [Int] {
        let status = try huizhen.status()
        return [status["damagedObjects"] as? Int ?? -1, status["unlistedObjects"] as? Int ?? -1]
            + (try ["huizhen_damaged_objects", "huizhen_unlisted_objects"].map { try huizhen.metric($0) })
    }

    @Test func namesADamagedObjectAndExportsTheOthers() throws {
        let huizhen = try damaged(at: 10_000, count: 16)
        #expect(try told(huizhen) == [0, 0, 0, 0])
        let verified = try huizhen.tool(["verify", "--json"])
        #expect(verified.code == 3, "\(verified.output)")
        let found = try decoded(verified, Verified.self)
        #expect(found.objects == 2 && found.unlisted == 0)
        let damaged = try #require(found.damaged.first)
        #expect(found.damaged.count == 1)
        #expect(try huizhen.tool(["verify"]).output.contains(damaged.sopInstanceUID))
        #expect(try told(huizhen) == [1, 0, 1, 0], "\(String(describing: try? told(huizhen)))")
        #expect(try huizhen.tool(["status"]).checked().contains("1 objects found DAMAGED"))
        for more in [[], ["--original"]] {
            let into = TemporaryFolder.make() + "/out"
            let exported = try huizhen.tool(["export", "--all", "--into", into, "--json"] + more)
            #expect(exported.code == 3, "\(exported.error)")
            let result = try decoded(exported, Exported.self)
            #expect(result.objects == 1 && result.leftOut == 1 && result.leftOutObjects == [damaged])
            let names = try FileManager.default.contentsOfDirectory(atPath: into)
            #expect(names.count == 1 && names.allSatisfy { $0.hasSuffix(".dcm") }, "\(names)")
        }
        let medium = try huizhen.tool(["export", "--all", "--media", "--into", TemporaryFolder.make() + "/medium"])
        #expect(medium.code == 3 && medium.output.contains(damaged.sopInstanceUID), "\(medium.error)")
        // Sent again from where it came, it is whole.
        #expect(try huizhen.tool(["import", Images.smallCT()]).code == 0)
        #expect(try told(huizhen) == [0, 0, 0, 0])
        let healed = try huizhen.tool(["verify"])
        #expect(healed.code == 0, "\(healed.output)")
        #expect(try huizhen.tool(["export", "--all", "--into", TemporaryFolder.make() + "/out"]).code == 0)
    }

    /// A catalogue that is built anew has no row for it: it must not be forgotten with that.
    @Test func goesOnTellingOfWhatCannotBeListed() throws {
        let huizhen = try damaged(at: 0, count: 4096)
        #expect(try huizhen.tool(["verify"]).code == 3)
        #expect(try told(huizhen) == [1, 0, 1, 0], "\(String(describing: try? told(huizhen)))")
        #expect(try huizhen.tool(["reindex"]).code == 3)
        #expect(try told(huizhen) == [0, 1, 0, 1])
        for _ in 0..<2 {
            let verified = try huizhen.tool(["verify", "--json"])
            #expect(verified.code == 3, "\(verified.output)")
            let found = try decoded(verified, Verified.self)
            #expect(found.objects == 1 && found.damaged.isEmpty && found.unlisted == 1)
            #expect(try told(huizhen) == [0, 1, 0, 1])
            #expect(try huizhen.tool(["status"]).checked().contains("1 more in no list"))
            #expect(huizhen.stop() == 0)
            try huizhen.start()
        }
    }
}
