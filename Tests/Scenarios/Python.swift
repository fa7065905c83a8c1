import Foundation

/// Peers written in Python, and where this package lies.
enum Python {
    /// The package's own folder.
    static let root: String = {
        let here = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        return here.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
    }()

    /// The interpreter with pydicom and pynetdicom, made at first use.
    static let interpreter: Result<String, ToolFailure> = {
        if let named = ProcessInfo.processInfo.environment["HUIZHEN_PYTHON"] { return .success(named) }
        do {
            let path = try Tool.run(root + "/Tests/Scripts/python-environment", [], timeout: 300).checked()
            return .success(path.trimmingCharacters(in: .whitespacesAndNewlines))
        } catch { return .failure(ToolFailure(text: "no Python environment: \(error)")) }
    }()

    static func script(_ peer: String) -> String { root + "/Tests/Scenarios/Peers/" + peer }

    /// Runs a peer to its end and reads its last line as JSON.
    static func ask<Report: Decodable>(
        _ peer: String, _ arguments: [String], environment: [String: String] = [:], timeout: TimeInterval = 240,
        as type: Report.Type = Report.self
    ) throws -> Report {
        let result = try Tool.run(
            interpreter.get(), ["-B", script(peer)] + arguments,
            environment: ["PYTHONDONTWRITEBYTECODE": "1"].merging(environment) { $1 },
            timeout: timeout)
        guard result.code == 0, let line = result.output.split(separator: "\n").last else {
            throw ToolFailure(text: "\(peer) \(arguments): exit code \(result.code)\n\(result.output)\n\(result.error)")
        }
        do { return try JSONDecoder().decode(type, from: Data(line.utf8)) } catch {
            throw ToolFailure(text: "\(peer) said \(line): \(error)")
        }
    }

    /// Starts a peer that writes a line when it is ready, and waits for that line.
    static func start(_ peer: String, _ arguments: [String]) throws -> RunningPeer {
        try RunningPeer(interpreter.get(), ["-B", "-u", script(peer)] + arguments)
    }
}

/// A peer that runs beside a test; ended with the value.
final class RunningPeer {
    private let child: Child
    private let outputPath = TemporaryFolder.make() + "/output"

    init(_ path: String, _ arguments: [String], environment: [String: String] = [:]) throws {
        child = try Child(path, arguments, environment: environment, output: outputPath, error: outputPath)
    }

    var output: String { String(decoding: FileManager.default.contents(atPath: outputPath) ?? Data(), as: UTF8.self) }

    /// Waits until the peer has written a line that begins so, and gives the rest of that line.
    func waitForLine(_ beginning: String, seconds: Int = 60) throws -> String {
        for _ in 0..<(seconds * 50) {
            // Only whole lines.
            for line in output.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            where line.hasPrefix(beginning) {
                return line.dropFirst(beginning.count).trimmingCharacters(in: .whitespaces)
            }
            if !child.isRunning { break }
            usleep(20_000)
        }
        throw ToolFailure(text: "the peer did not say \(beginning):\n\(output)")
    }

    func end() { child.end() }
}

/// A port that was free a moment ago, for programs that must be told one.
///
/// Below the range the system takes ports from by itself: otherwise a test that runs beside this one is given the same
/// port before the program opens it.
func freePort() -> Int {
    while true {
        let port = UInt16.random(in: 10_000..<32_000)
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let isFree = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        if isFree { return Int(port) }
    }
}
