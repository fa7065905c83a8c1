import Foundation
import Testing

/// Compression at rest in the real service, killed while it is at it.
@Suite(.scenario, .timeLimit(.minutes(30))) struct CompressionAtRestTests {
    /// The files of one run, all different instances.
    private struct Source {
        let folder = TemporaryFolder.make()
        var count = 0

        /// Every sixth slice of a real CT series, a real CT and MR, phantoms, and a CT with padding beyond its stored bits.
        init() throws {
            let series = (try? Images.real.get()).map { $0 + "/series/ct-philips-141" } ?? ""
            let slices = ((try? FileManager.default.contentsOfDirectory(atPath: series)) ?? []).sorted()
            for name in slices.enumerated().filter({ $0.offset % 6 == 3 }).map(\.element) {
                try add(series + "/" + name)
            }
            try add(try Images.smallCT())
            try add(try Images.smallMR())
            for name in ["cr", "ct-01", "ct-02", "ct-enhanced", "dx", "mg", "mr-01", "mr-02"] {
                try add("\(Images.phantoms)/\(name).dcm")
            }
            try addPadded()
        }

        private mutating func add(_ path: String) throws {
            count += 1
            try FileManager.default.copyItem(atPath: path, toPath: folder + "/\(count).dcm")
        }

        /// The small CT under another UID, with samples that the bits it declares as stored do not hold.
        private mutating func addPadded() throws {
            try add(try Images.smallCT())
            let path = folder + "/\(count).dcm"
            _ = try Tool.dcmtk(
                "dcmodify", ["-nb", "-gin", "-m", "0028,0101=12", "-m", "0028,0102=11", path]
            ).checked()
            var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            // 128 x 128 samples of two bytes, somewhere before the trailing padding element.
            for index in stride(from: bytes.count - 20_000, to: bytes.count - 19_000, by: 2) {
                (bytes[index], bytes[index + 1]) = (0x30, 0x80)
            }
            try bytes.write(to: URL(fileURLWithPath: path))
        }
    }

    /// Part 10 files of a folder: SOP Instance UID to what stands behind the file meta information. PS3.10 §7.1.
    private func datasets(_ folder: String) throws -> [String: Data] {
        var result: [String: Data] = [:]
        let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        for name in names {
            guard let file = FileManager.default.contents(atPath: folder + "/" + name), file.count > 144,
                file[128..<132] == Data("DICM".utf8)
            else { continue }
            func number(_ offset: Int, _ count: Int) -> Int {
                (0..<count).reduce(0) { $0 | Int(file[offset + $1]) << (8 * $1) }
            }
            let end = 144 + number(140, 4)
            var offset = 144
            while offset + 8 <= end {
                let isLong = file[offset + 4..<offset + 6] == Data("OB".utf8)
                let length = isLong ? number(offset + 8, 4) : number(offset + 6, 2)
                let start = offset + (isLong ? 12 : 8)
                if number(offset, 4) == 0x0003_0002 {
                    let uid = String(decoding: file[start..<start + length], as: UTF8.self)
                    result[uid.trimmingCharacters(in: ["\0"])] = file[end...]
                }
                offset = start + length
            }
        }
        return result
    }

    /// What storescp writes of the same files, bit for bit as they come.
    private func asSent(_ source: Source) throws -> [String: Data] {
        let (folder, port) = (TemporaryFolder.make(), freePort())
        let receiver = try RunningPeer("/usr/bin/storescp", ["+B", "+xe", "-od", folder, "\(port)"])
        defer { receiver.end() }
        for _ in 0..<100 where try Tool.dcmtk("echoscu", ["localhost", "\(port)"]).code != 0 { usleep(50_000) }
        try send(source, port)
        let result = try datasets(folder)
        #expect(result.count == source.count)
        return result
    }

    private func send(_ source: Source, _ port: Int) throws {
        _ = try Tool.dcmtk("storescu", ["-xe", "+sd", "-aec", "HUIZHEN", "localhost", "\(port)", source.folder])
            .checked()
    }

    private func compression(_ huizhen: HuizhenProcess) throws -> [String: Int] {
        let status = try huizhen.status()
        var result = status["compression"] as? [String: Int] ?? [:]
        result["instances"] = status["instances"] as? Int ?? 0
        return result
    }

    /// Asks until the answer is as wanted.
    private func wait(
        _ huizhen: HuizhenProcess, until isWanted: ([String: Int]) -> Bool
    ) throws -> [String: Int] {
        for _ in 0..<2000 {
            let now = try compression(huizhen)
            if isWanted(now) { return now }
            usleep(20_000)
        }
        throw ToolFailure(text: "never came so far: \(try compression(huizhen))\n\(huizhen.logText())")
    }

    private func expectEverything(_ huizhen: HuizhenProcess, _ sent: [String: Data]) throws {
        let fetched = TemporaryFolder.make()
        for study in try studies(sent) {
            _ = try Tool.dcmtk(
                "getscu",
                [
                    "+B", "-aec", "HUIZHEN", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID=" + study, "-od",
                    fetched, "localhost", "\(huizhen.port)",
                ]
            ).checked()
        }
        let got = try datasets(fetched)
        #expect(Set(got.keys) == Set(sent.keys))
        for (uid, data) in sent { #expect(got[uid] == data, "not as sent by getscu") }
        let exported = TemporaryFolder.make() + "/out"
        #expect(try huizhen.tool(["export", "--all", "--into", exported]).code == 0)
        let written = try datasets(exported)
        #expect(Set(written.keys) == Set(sent.keys))
        for (uid, data) in sent { #expect(written[uid] == data, "not as sent by export") }
        let verified = try huizhen.tool(["verify"])
        #expect(verified.code == 0, "\(verified.output)\(verified.error)")
    }

    /// Study Instance UIDs (0020,000D), found as they are encoded in explicit VR little endian.
    private func studies(_ sent: [String: Data]) throws -> Set<String> {
        let mark = Data([0x20, 0x00, 0x0D, 0x00]) + Data("UI".utf8)
        return Set(
            sent.values.compactMap { data -> String? in
                guard let range = data.range(of: mark) else { return nil }
                let length = Int(data[range.upperBound]) | Int(data[range.upperBound + 1]) << 8
                let value = data[range.upperBound + 2..<range.upperBound + 2 + length]
                return String(decoding: value, as: UTF8.self).trimmingCharacters(in: ["\0"])
            })
    }

    @Test(arguments: ["jpeg-ls", "htj2k"])
    func givesBackEveryBitThroughKillsWhileItCompresses(_ form: String) throws {
        let source = try Source()
        let sent = try asSent(source)
        let huizhen = try HuizhenProcess(arguments: [
            "--open-to-unknown-peers", "--set", "storage.compression=" + form,
        ])
        try send(source, huizhen.port)
        var compressed = 0
        for goal in 1...4 {
            let now = try wait(huizhen) {
                $0["objects"] ?? 0 >= goal || ($0["waiting"] == 0 && $0["instances"] == source.count)
            }
            compressed += now["objects"] ?? 0
            huizhen.kill()
            try huizhen.start()
        }
        let last = try wait(huizhen) { $0["waiting"] == 0 && $0["instances"] == source.count }
        compressed += last["objects"] ?? 0
        #expect(compressed > 0)
        try expectEverything(huizhen, sent)
        let reindexed = try huizhen.tool(["reindex"])
        #expect(reindexed.code == 0, "\(reindexed.error)\(huizhen.logText().suffix(2000))")
        #expect(try compression(huizhen)["instances"] == source.count)
        try expectEverything(huizhen, sent)
        #expect(huizhen.stop() == 0)
    }
}
