import CLinux
import Foundation
import Glibc

/// A long line between two networks of its own, carried by the program `wanline` beside the benchmark.
final class WideLine {
    /// Addresses of RFC 2544, for benchmarks.
    static let nearAddress = "198.18.0.1"
    static let farAddress = "198.18.0.2"
    private static let answerSeconds = 10
    private static let answerByteCountLimit = 16 << 20

    let kind: LineKind
    let near: NetworkNamespace
    let far: NetworkNamespace
    private let child: Child
    private let input: Int32
    private let output: Int32
    private var pending: [UInt8] = []

    /// Makes both networks and the line; it carries from here on.
    ///
    /// - Throws: `.badOption` unless this runs as root; `.missing` without `wanline`; `.failed`; `.system`.
    init(_ kind: LineKind, seed: UInt64, logFolder: String) throws(BenchError) {
        self.kind = kind
        let log = logFolder + "/ip.log"
        near = try .make("near", log: log)
        far = try .make("far", log: log)
        let (childInput, input) = try Self.pipe()
        let (output, childOutput) = try Self.pipe()
        defer {
            Self.close(childInput)
            Self.close(childOutput)
        }
        self.input = input
        self.output = output
        let ends = ["\(near.name)=\(Self.nearAddress)/24", "\(far.name)=\(Self.farAddress)/24"]
        let command = Command(
            name: "wanline", executable: try Self.program(), arguments: ends + kind.arguments(seed: seed),
            workingDirectory: logFolder, log: logFolder + "/wanline.log")
        child = try Child.start(command, pipes: (childInput, childOutput))
        _ = try answer()
    }

    /// Nothing passes any more, and what is on its way is lost.
    func cut() throws(BenchError) { _ = try ask("cut") }

    func restore() throws(BenchError) { _ = try ask("restore") }

    /// Begins counting anew.
    func mark() throws(BenchError) { _ = try ask("mark") }

    /// What has left the line since the mark.
    func traffic() throws(BenchError) -> Traffic {
        var traffic = Traffic()
        for line in try ask("report") {
            let words = line.split(separator: " ")
            if words.first == "carried", words.count == 3 {
                traffic.there.append(Int(words[1]) ?? 0)
                traffic.back.append(Int(words[2]) ?? 0)
            } else if words.first == "lost", words.count == 6 {
                traffic.lost += Int(words[1]) ?? 0
                traffic.overflowed += Int(words[3]) ?? 0
            }
        }
        return traffic
    }

    /// Ends the line and removes both networks.
    func close() {
        child.stop(within: .seconds(2))
        NetworkNamespaces.removeAll()
    }

    deinit {
        Self.close(input)
        Self.close(output)
    }

    // MARK: Words to the program

    private func ask(_ command: String) throws(BenchError) -> [Substring] {
        let bytes = Array((command + "\n").utf8)
        guard write(input, bytes, bytes.count) == bytes.count else {
            throw .system(call: "write", on: "wanline", code: errno)
        }
        return try answer()
    }

    /// The lines up to "done".
    private func answer() throws(BenchError) -> [Substring] {
        let end = Array("done\n".utf8)
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while pending.suffix(end.count) != end[...] {
            var polled = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
            guard poll(&polled, 1, Int32(Self.answerSeconds * 1000)) == 1 else {
                throw .timedOut(process: "wanline", seconds: Self.answerSeconds)
            }
            let count = read(output, &buffer, buffer.count)
            guard count > 0, pending.count < Self.answerByteCountLimit else {
                throw .failed(process: "wanline", status: -1, lastWords: child.command.lastWords)
            }
            pending += buffer[..<count]
        }
        let text = String(decoding: pending.dropLast(end.count), as: UTF8.self)
        pending = []
        return text.split(separator: "\n")
    }

    /// Lies beside the benchmark's own program.
    private static func program() throws(BenchError) -> String {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let path = (own as NSString).deletingLastPathComponent + "/wanline"
        guard access(path, X_OK) == 0 else {
            throw .notBuilt(program: "wanline", how: "swift build -c release --package-path Bench --product wanline")
        }
        return path
    }

    private static func pipe() throws(BenchError) -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [-1, -1]
        guard pipe2(&ends, Int32(O_CLOEXEC)) == 0 else { throw .system(call: "pipe2", on: "wanline", code: errno) }
        return (ends[0], ends[1])
    }

    private static func close(_ file: Int32) { _ = Glibc.close(file) }
}

/// What a line has carried, in tenths of a second.
struct Traffic: Sendable {
    static let binSeconds = 0.1

    /// IP bytes that left the line at the far end, and at the near end.
    var there: [Int] = []
    var back: [Int] = []
    /// Packets lost on the way, both ways.
    var lost = 0
    /// Packets the queue before the line had no room for.
    var overflowed = 0
}
