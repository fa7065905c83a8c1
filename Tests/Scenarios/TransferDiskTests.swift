import Foundation
import Testing

/// Disks that fill while a study is under way.
@Suite(.scenario, .timeLimit(.minutes(30))) struct TransferDiskTests {
    private static let settings = ["--set", "transfer.compress=false"]

    /// Leaves nothing of a disk.
    private func fill(_ disk: SmallDisk) throws -> String {
        let filler = disk.path + "/filler"
        _ = try Tool.run("/bin/sh", ["-c", "dd if=/dev/zero of='\(filler)' bs=64k 2>/dev/null; sync"])
        return filler
    }

    private func storeLarge(_ sites: TwoSites, _ megabytes: Int) throws {
        let stored: [String: [Int]] = try Python.ask(
            "large.py", ["--port", "\(sites.a.port)", "--megabytes", "\(megabytes)", "--associations", "1"])
        #expect(stored["statuses"] == [0])
    }

    @Test(.enabled(if: SmallDisk.canBeMade, SmallDisk.need))
    func saysOnBothSidesThatTheReceiversDiskIsFullAndGoesOnOnceItIsNot() throws {
        let disk = try #require(SmallDisk(megabytes: 160))
        let sites = try TwoSites(
            settings: Self.settings, site: ["--rate", "6000000"], directories: (nil, disk.path + "/data"))
        defer { _ = sites.b.stop() }
        try storeLarge(sites, 24)
        try sites.store(seed: 21, count: 50)
        let id = try sites.a.begin("push", study: "2.25.81", site: "B")
        try sites.b.wait("some megabytes to be there") {
            ((try? sites.b.transfer(id))?.figures?.lineByteCount ?? 0) > 4 << 20
        }
        let filler = try fill(disk)
        let small = try sites.a.begin("push", study: "2.25.21.0", site: "B")
        for name in [id, small] {
            try sites.a.wait("the sender to say so") {
                try sites.a.transfer(name).job?.reason.contains("disk is full") == true
            }
        }
        try sites.b.wait("the receiver to say so") { try sites.b.transfer(id).record.note.contains("disk is full") }
        // It serves what it has.
        #expect(try sites.b.status()["instances"] as? Int == 0)
        #expect(try sites.b.studies(as: "STORM") == [])
        try FileManager.default.removeItem(atPath: filler)
        for name in [id, small] { try sites.a.waitUntilComplete(name) }
        #expect(try sites.b.status()["instances"] as? Int == 11)
        #expect(try !sites.b.transfer(id).record.note.contains("disk"))
        #expect(try sites.b.tool(["verify"]).code == 0)
    }

    @Test(.enabled(if: SmallDisk.canBeMade, SmallDisk.need))
    func waitsAtTheSenderUntilItsDiskHasRoom() throws {
        let disk = try #require(SmallDisk(megabytes: 160))
        let sites = try TwoSites(
            settings: Self.settings, site: ["--rate", "3000000"], directories: (disk.path + "/data", nil))
        defer { _ = sites.a.stop() }
        try storeLarge(sites, 16)
        try sites.store(seed: 22, count: 50)
        let id = try sites.a.begin("push", study: "2.25.81", site: "B")
        try sites.a.wait("the transfer to begin") { (try sites.a.transfer(id).figures?.lineByteCount ?? 0) > 0 }
        let filler = try fill(disk)
        // It may be that there is room to write down one more order, and it is kept then.
        let ordered = try sites.a.tool(["transfer", "push", "--study", "2.25.22.1", "B", "--background"])
        #expect(ordered.code == 0 || ordered.error.contains("full"), "\(ordered)")
        // What cannot be written down as complete is not, for the time being.
        try sites.b.wait("everything to be there") { try sites.b.status()["instances"] as? Int ?? 0 > 0 }
        #expect(try sites.a.status()["instances"] as? Int == 51)
        try FileManager.default.removeItem(atPath: filler)
        try sites.a.waitUntilComplete(id)
        #expect(try sites.a.transfer(id).record.hasReceipt)
        // Nor is one given up that cannot even begin.
        let later = try sites.a.begin("push", study: "2.25.22.2", site: "B", ["--after", "1"])
        let again = try fill(disk)
        #expect(try sites.a.transfers().allSatisfy { $0.job?.state != "dead" })
        try FileManager.default.removeItem(atPath: again)
        try sites.a.waitUntilComplete(later)
        // An order that could be written down by half only is none; at the latest a restart finds that.
        sites.a.kill()
        try sites.a.start()
        try sites.a.wait("everything to end") { try sites.a.transfers().allSatisfy { $0.record.state != "open" } }
        for transfer in try sites.a.transfers() {
            #expect(transfer.record.hasReceipt || (ordered.code != 0 && transfer.record.note.contains("the queue")))
        }
        // Whose disk it is.
        #expect(!sites.a.logText().contains("the receiver cannot take it"))
        #expect(try sites.a.tool(["verify"]).code == 0)
    }
}
