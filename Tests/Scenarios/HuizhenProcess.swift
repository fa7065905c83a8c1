import Foundation
import Glibc

/// The real service as a process of its own, with a directory and ports that are its own too; ended with the value.
final class HuizhenProcess {
    let directory: String
    private(set) var port = 0
    private(set) var httpPort = 0
    private(set) var webPort = 0
    private(set) var webTLSPort = 0
    /// 0 without TLS.
    private(set) var tlsPort = 0
    private var process: Child?
    private let arguments: [String]
    private let environment: [String: String]
    private let wrapper: [String]

    /// The binary beside the test bundle.
    static let binary: String = {
        if let named = ProcessInfo.processInfo.environment["HUIZHEN_BINARY"] { return named }
        let bundle = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return (bundle as NSString).deletingLastPathComponent + "/huizhen"
    }()

    /// Starts the service and returns once it answers.
    ///
    /// - Parameter wrapper: a program that starts it, strace for instance.
    init(
        directory: String? = nil, arguments: [String] = ["--open-to-unknown-peers"],
        environment: [String: String] = [:], wrapper: [String] = []
    ) throws {
        self.directory = directory ?? TemporaryFolder.make()
        self.arguments = arguments
        self.environment = environment
        self.wrapper = wrapper
        try start()
    }

    deinit {
        if process?.isRunning == true { kill() }
    }

    /// Starts it again in the same directory.
    func start() throws {
        let ports = [
            "--port", "0", "--http-port", "0", "--web-port", "0", "--set", "web.tls.port=0", "--set", "transfer.port=0",
        ]
        let command = [Self.binary, "serve", "--data", directory] + ports + arguments
        let whole = wrapper + command
        // No blank space ahead unless a test asks for it: it shall not write gigabytes.
        let small = ["HUIZHEN_STORAGE_PREWRITE": "0", "HUIZHEN_STORAGE_RESERVE": "1048576"]
        let process = try Child(
            whole[0], Array(whole.dropFirst()), environment: small.merging(environment) { $1 }, error: logPath)
        self.process = process
        processID = 0
        for _ in 0..<600 {
            if let status = try? self.status() {
                port = status["dimsePort"] as? Int ?? 0
                httpPort = status["httpPort"] as? Int ?? 0
                webPort = status["webPort"] as? Int ?? 0
                webTLSPort = status["webTLSPort"] as? Int ?? 0
                tlsPort = status["dimseTLSPort"] as? Int ?? 0
                processID = Int32(status["processID"] as? Int ?? 0)
                if port > 0, httpPort > 0, webPort > 0, webTLSPort > 0 { return }
            }
            if !process.isRunning { break }
            usleep(50_000)
        }
        throw ToolFailure(text: "the service did not start:\n" + logText())
    }

    /// The environment of a service that writes so many bytes of blanks ahead of its objects, as the shipped settings do.
    static func prewriting(_ byteCount: Int) -> [String: String] { ["HUIZHEN_STORAGE_PREWRITE": "\(byteCount)"] }

    /// Waits until a pack has grown to so many bytes of blanks, so that what is stored next overwrites them.
    func waitForBlanks(_ byteCount: Int) throws {
        guard byteCount > 0 else { return }
        let folder = directory + "/blobs"
        for _ in 0..<3000 {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            for name in names where name.hasSuffix(".hzp") {
                let size = try? FileManager.default.attributesOfItem(atPath: folder + "/" + name)[.size] as? Int
                if size ?? 0 >= byteCount { return }
            }
            usleep(20_000)
        }
        throw ToolFailure(text: "no blanks were written:\n" + logText())
    }

    /// Whether it ends by itself within so many seconds, because a test has something kill it.
    func ends(within seconds: TimeInterval) -> Bool { process?.waitForEnd(seconds: seconds) != nil }

    /// A token of the local operator for the web door.
    func webToken() throws -> String {
        try Tool.run(Self.binary, ["web", "token", "--data", directory]).checked()
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// What `huizhen status --json` says.
    func status() throws -> [String: Any] {
        let output = try Tool.run(Self.binary, ["status", "--json", "--data", directory]).checked()
        return try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any] ?? [:]
    }

    /// Runs a command of the tool against this service.
    @discardableResult
    func tool(_ arguments: [String]) throws -> Tool.Result {
        try Tool.run(Self.binary, arguments + ["--data", directory])
    }

    /// Beside the data directory.
    private var logPath: String { directory + ".log" }

    func logText() -> String {
        return (try? String(contentsOfFile: logPath, encoding: .utf8)) ?? ""
    }

    /// Whether the log says this, now or soon: a peer may learn of its refusal before the line is written.
    func logs(_ text: String) -> Bool {
        for _ in 0..<500 {
            if logText().contains(text) { return true }
            usleep(20_000)
        }
        return false
    }

    /// Of the service itself, also when a wrapper started it.
    private(set) var processID: Int32 = 0

    /// Sends a signal to the service itself.
    func signal(_ number: Int32) { _ = Glibc.kill(processID, number) }

    /// Bytes of memory in use.
    var residentByteCount: Int { memory("VmRSS:") }

    /// The most bytes of memory that were in use.
    var peakResidentByteCount: Int { memory("VmHWM:") }

    private func memory(_ field: String) -> Int {
        let text = (try? String(contentsOfFile: "/proc/\(processID)/status", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix(field) }
        return (line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0) * 1024
    }

    /// kill -9.
    func kill() {
        guard let process, process.isRunning else { return }
        Glibc.kill(processID > 0 ? processID : process.processID, SIGKILL)
        process.waitForEnd()
    }

    /// SIGTERM, and waits for the orderly end.
    ///
    /// - Returns: the exit code.
    @discardableResult
    func stop() -> Int32 {
        guard let process, process.isRunning else { return process?.exitCode ?? -1 }
        Glibc.kill(processID > 0 ? processID : process.processID, SIGTERM)
        if process.waitForEnd(seconds: 60) == nil { kill() }
        return process.exitCode ?? -1
    }
}

/// Folders that tests write to, removed at the end of the run.
enum TemporaryFolder {
    private static let root: String = {
        let path = NSTemporaryDirectory() + "huizhen-scenarios-\(getpid())"
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        atexit {
            try? FileManager.default.removeItem(atPath: NSTemporaryDirectory() + "huizhen-scenarios-\(getpid())")
        }
        return path
    }()

    static func make() -> String {
        let path = root + "/" + UUID().uuidString.prefix(8).lowercased()
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }
}

struct ToolFailure: Error, CustomStringConvertible {
    var text: String
    var description: String { text }
}

extension HuizhenProcess {
    /// A token of the web door for a program of an institution.
    func clientToken(of institution: String, named name: String = "viewer") throws -> String {
        struct Client: Decodable {
            var id: String
            var secret: String
        }
        struct Answer: Decodable { var access_token: String }
        let made = try tool([
            "token", "client", "add", name, "--institution", institution, "--days", "5", "--json",
        ]).checked()
        let client = try JSONDecoder().decode(Client.self, from: Data(made.utf8))
        let asked = try Tool.run(
            "/usr/bin/curl",
            [
                "-s", "-u", "\(client.id):\(client.secret)", "-d", "grant_type=client_credentials",
                "http://127.0.0.1:\(webPort)/oauth2/token",
            ]
        ).checked()
        return try JSONDecoder().decode(Answer.self, from: Data(asked.utf8)).access_token
    }
}
