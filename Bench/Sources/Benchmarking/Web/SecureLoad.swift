import Foundation

/// h2load of Debian's nghttp2-client: the same requests by HTTP/1.1 in clear and over TLS, and by HTTP/2 over TLS.
struct SecureLoad {
    enum Way: String, CaseIterable {
        case clear = "HTTP/1.1 in clear"
        case secure = "HTTP/1.1 over TLS"
        case multiplexed = "HTTP/2 over TLS"
    }

    /// Where a contestant listens; a way that it has no port for it does not take part in.
    struct Place {
        var ports: [Way: Int]
        var token: String?
    }

    private static let program = "h2load"
    private static let bound: Duration = .seconds(300)
    private let executable: String
    private let folder: String

    /// - Throws: `.missing`.
    init(folder: String) throws(BenchError) {
        guard let executable = Tools.find(Self.program) else {
            throw .missing(tools: [Self.program], packages: ["nghttp2-client"])
        }
        self.executable = executable
        self.folder = folder
        try Files.makeFolder(folder)
    }

    /// Asks for every path once, shares of them at a time, each share over a connection of its own.
    ///
    /// - Parameter least: bytes that the bodies of a share have.
    /// - Returns: seconds from a connection's start to the end of its last answer, of the slowest connection.
    /// - Throws: `.incomplete` for any status but 200 and for fewer bytes.
    func run(
        _ shares: [[String]], accept: WebDoor.Accept, at place: Place, _ way: Way, atLeast least: [Int]
    ) throws(BenchError) -> Double {
        var commands: [Command] = []
        for (number, paths) in shares.enumerated() {
            let list = "\(folder)/\(number).txt"
            let scheme = way == .clear ? "http" : "https"
            let root = "\(scheme)://\(Clients.loopback):\(place.ports[way] ?? 0)\(WebDoor.root)"
            try Files.write(Data(paths.map { root + $0 }.joined(separator: "\n").utf8), to: list)
            var arguments = [
                "-n", "\(paths.count)", "-c", "1", "-m", "1", "-i", list, "-H", "Accept: \(accept.rawValue)",
            ]
            if let token = place.token { arguments += ["-H", "Authorization: Bearer " + token] }
            if way != .multiplexed { arguments.append("--h1") }
            commands.append(
                Command(
                    name: Self.program, executable: executable, arguments: arguments, workingDirectory: folder,
                    log: "\(folder)/\(number).log"))
        }
        try commands.runTogether(atMost: Self.bound)
        // By the clients' own clocks, which leave their start out; the longest one.
        var seconds = 0.0
        for (number, paths) in shares.enumerated() {
            let text = (try? String(contentsOfFile: "\(folder)/\(number).log", encoding: .utf8)) ?? ""
            guard let answered = text.firstMatch(of: /(\d+) 2xx/).flatMap({ Int($0.1) }), answered == paths.count else {
                throw .incomplete(work: "answers over TLS", expected: paths.count, found: 0)
            }
            let bytes = text.firstMatch(of: /\((\d+)\) data/).flatMap { Int($0.1) } ?? 0
            guard bytes >= least[number] else {
                throw .incomplete(work: "bytes of answers over TLS", expected: least[number], found: bytes)
            }
            guard let told = Self.seconds(text) else {
                throw .failed(process: Self.program, status: 0, lastWords: "no time")
            }
            seconds = max(seconds, told)
        }
        return seconds
    }

    /// What h2load says: "finished in 84.21ms".
    static func seconds(_ text: String) -> Double? {
        guard let found = text.firstMatch(of: /finished in ([0-9.]+)(us|ms|s)/), let value = Double(found.1) else {
            return nil
        }
        return value * (found.2 == "us" ? 1e-6 : found.2 == "ms" ? 1e-3 : 1)
    }
}
