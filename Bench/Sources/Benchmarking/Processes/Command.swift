import Foundation

/// A program to run: what, with which arguments, where, and where its words go.
public struct Command: Sendable {
    public var name: String
    public var executable: String
    public var arguments: [String]
    /// Added to the inherited environment, from which DCMTK's own switches are removed first.
    public var environment: [String: String]
    public var workingDirectory: String
    /// Receives standard output and standard error; emptied at start.
    public var log: String
    /// The network namespace it runs in; the benchmark's own if there is none.
    var namespace: NetworkNamespace?

    public init(
        name: String, executable: String, arguments: [String], environment: [String: String] = [:],
        workingDirectory: String, log: String
    ) {
        self.name = name
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.log = log
    }

    /// Variables that change how DCMTK's network code behaves: only a contestant's own settings may set them.
    static let contestantVariables = ["TCP_NODELAY", "TCP_BUFFER_LENGTH"]

    /// The environment the program gets, as `NAME=value`.
    var environmentStrings: [String] {
        var merged = ProcessInfo.processInfo.environment
        for name in Self.contestantVariables { merged[name] = nil }
        merged.merge(environment) { _, mine in mine }
        return merged.map { "\($0.key)=\($0.value)" }.sorted()
    }

    func inside(_ namespace: NetworkNamespace?) -> Command {
        var command = self
        command.namespace = namespace
        return command
    }

    /// What the kernel is asked to run: `ip` puts itself into the namespace and becomes the program.
    var launched: [String] {
        let plain = [executable] + arguments
        return namespace.map { [NetworkNamespace.program, "netns", "exec", $0.name] + plain } ?? plain
    }

    /// The command as a reader would type it, without the machine's paths.
    public var displayed: String {
        let variables = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let shown = arguments.map { $0.hasPrefix("/") ? ($0 as NSString).lastPathComponent : $0 }
        return (variables + [name] + shown).joined(separator: " ")
    }

    /// The most of a log that is read back.
    static let lastWordsByteCount = 4096

    /// The last lines of the log, with anything that looks like a UID masked.
    var lastWords: String {
        guard let data = FileManager.default.contents(atPath: log) else { return "" }
        let text = String(decoding: data.suffix(Self.lastWordsByteCount), as: UTF8.self)
        let lines = text.split(whereSeparator: \.isNewline).suffix(3).joined(separator: " | ")
        return lines.replacing(/[0-9]+(\.[0-9]+){3,}/, with: "(uid)")
    }
}
