import Foundation

/// Two services that know each other as sites, A and B, on ports that stay theirs through restarts.
final class TwoSites {
    let a: HuizhenProcess
    let b: HuizhenProcess
    let ports = (a: freePort(), b: freePort())
    /// Between A and B's door, where it was asked for.
    let line: FailingLine?

    /// - Parameters:
    ///   - approved: whether A's operator lets studies go to B, and B's to A.
    ///   - site: more of how A knows B.
    ///   - isFailing: whether A reaches B over a line that can be cut.
    ///   - directories: of A and of B; nil: new ones.
    init(
        approved: Bool = true, settings: [String] = [], site: [String] = [], isFailing: Bool = false,
        directories: (a: String?, b: String?) = (nil, nil)
    ) throws {
        line = isFailing ? try FailingLine(to: ports.b) : nil
        a = try Self.start("A", ports.a, settings, directory: directories.a)
        b = try Self.start("B", ports.b, settings, directory: directories.b)
        try Self.introduce(b, as: "B", to: a, port: line?.port ?? ports.b, site)
        try Self.introduce(a, as: "A", to: b, port: ports.a)
        // Who asks there about what came from A.
        try b.addPeer("STORM", ["--institution", "A"])
        guard approved else { return }
        try a.tool(["destination", "approve", "B", "--because", "a test"]).checked()
        try b.tool(["destination", "approve", "A", "--because", "a test"]).checked()
    }

    static func start(
        _ name: String, _ port: Int, _ settings: [String] = [], directory: String? = nil
    ) throws -> HuizhenProcess {
        try HuizhenProcess(
            directory: directory,
            arguments: [
                "--open-to-unknown-peers", "--set", "transfer.name=\(name)", "--set", "institution=\(name)",
                "--set", "transfer.port=\(port)", "--set", "transfer.longest-retry=1", "--set", "study.quiet=1",
            ] + settings)
    }

    /// Makes a site known to another by its certificate.
    static func introduce(
        _ site: HuizhenProcess, as name: String, to other: HuizhenProcess, port: Int, _ more: [String] = []
    ) throws {
        let file = other.directory + ".\(name).pem"
        try site.tool(["site", "identity"]).checked().write(toFile: file, atomically: true, encoding: .utf8)
        try other.tool(
            ["site", "add", name, "--at", "127.0.0.1:\(port)", "--certificate", file, "--institution", name] + more
        ).checked()
    }

    /// Stores objects of `storm.py` at A: studies `2.25.SEED.0` to `.4`.
    func store(seed: Int, count: Int) throws {
        let peer = try Python.start(
            "storm.py",
            ["store", "--port", "\(a.port)", "--seed", "\(seed)", "--count", "\(count)"])
        _ = try peer.waitForLine("ready")
        let stored = try Stored(peer)
        guard stored.acknowledged.count == count else { throw ToolFailure(text: "not all were stored") }
    }
}

/// What `huizhen transfer status --json` says of one.
struct Transfer: Decodable {
    struct Record: Decodable {
        var id: String
        var direction: String
        var state: String
        var objects: Int
        var note: String
        var hasReceipt: Bool
        var byteCount: Int
        var study: String
        var site: String
        var resentByteCount: Int
    }

    struct Figures: Decodable {
        var objects: Int
        var objectsThere: Int
        var lineByteCount: Int
        var byteCount: Int
        var byteCountThere: Int
    }

    struct Job: Decodable {
        var state: String
        var reason: String
        var attempts: Int
    }

    var record: Record
    var figures: Figures?
    var job: Job?
    var isPaused: Bool
}

extension HuizhenProcess {
    /// The transfers it knows, the newest first.
    func transfers() throws -> [Transfer] {
        try JSONDecoder().decode(
            [Transfer].self, from: Data(try tool(["transfer", "status", "--json", "--limit", "1000"]).checked().utf8))
    }

    /// The sum of a metric over its labels, of those lines that hold `text`, which nothing is asked of where it is empty.
    func metric(_ name: String, _ text: String = "") throws -> Int {
        try Tool.run("/usr/bin/curl", ["-s", "http://127.0.0.1:\(httpPort)/metrics"]).output.split(separator: "\n")
            .filter { $0.hasPrefix(name) && (text.isEmpty || $0.contains(text)) }
            .compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }.reduce(0, +)
    }

    /// Descriptors that are open, but for the databases', and threads. Each database opens up to eight readers as they are wanted,
    /// for as long as it runs.
    var held: (descriptors: Int, threads: Int) {
        let threads = try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(processID)/task").count
        return (descriptorKinds.values.reduce(0, +), threads ?? -1)
    }

    /// What those descriptors are of, without numbers, with how many there are of each: said where there are too many.
    var descriptorKinds: [String: Int] {
        let folder = "/proc/\(processID)/fd/"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.reduce(into: [:]) { kinds, name in
            let target = (try? FileManager.default.destinationOfSymbolicLink(atPath: folder + name)) ?? "gone"
            let kind = (target as NSString).lastPathComponent.filter { !$0.isNumber }
            if !kind.contains(".sqlite") { kinds[kind, default: 0] += 1 }
        }
    }

    func transfer(_ id: String) throws -> Transfer {
        guard let found = try transfers().first(where: { $0.record.id == id }) else {
            throw ToolFailure(text: "there is no such transfer")
        }
        return found
    }

    /// Begins one and gives its name.
    func begin(_ verb: String, study: String, site: String, _ more: [String] = []) throws -> String {
        try tool(["transfer", verb, "--study", study, site, "--background"] + more).checked()
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Looks until it is so.
    func wait(_ what: String, seconds: Double = 120, _ isSo: () throws -> Bool) throws {
        let end = Date(timeIntervalSinceNow: seconds)
        while try !isSo() {
            guard Date() < end else { throw ToolFailure(text: "waited in vain: \(what)\n\(logText().suffix(2000))") }
            usleep(50_000)
        }
    }

    func waitUntilComplete(_ id: String) throws {
        try wait("a transfer to complete") { (try? transfer(id).record.state) == "complete" }
    }
}
