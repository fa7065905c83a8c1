import CLinux
import Foundation
import Synchronization

/// How a sender decides how much to have on its way: tcp(7), `TCP_CONGESTION`.
enum CongestionControl: String, CaseIterable, Sendable {
    case cubic
    case bbr

    /// Makes it that of a socket.
    ///
    /// - Throws: `.system` where the kernel does not have it.
    func apply(to socket: Int32) throws(BenchError) {
        let set = setsockopt(socket, Int32(IPPROTO_TCP), TCP_CONGESTION, rawValue, socklen_t(rawValue.utf8.count))
        guard set == 0 else { throw .system(call: "TCP_CONGESTION \(rawValue)", on: "a socket", code: errno) }
    }

    /// Whether this kernel has it; it may load a module for that.
    var isThere: Bool {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { return false }
        defer { close(socket) }
        return (try? apply(to: socket)) != nil
    }

    // MARK: The machine

    private static let folder = "/proc/sys/net/ipv4/"
    private static let allowed = "tcp_allowed_congestion_control"
    /// What was allowed before; nil while nothing is changed.
    private static let allowedBefore = Mutex(String?.none)

    /// A namespace can only have a default that every user of the machine may choose. Where an administrator has made
    /// something else the default, cubic is added to these for as long as the benchmark runs.
    ///
    /// - Throws: `.system`.
    static func allowCubic() throws(BenchError) {
        let text = (try? String(contentsOfFile: folder + allowed, encoding: .utf8)) ?? ""
        let names = text.split(whereSeparator: \.isWhitespace)
        guard !names.contains(where: { $0 == cubic.rawValue }) else { return }
        try set(allowed, to: (names + [cubic.rawValue[...]]).joined(separator: " "))
        allowedBefore.withLock { $0 = names.joined(separator: " ") }
    }

    static func restoreAllowed() {
        allowedBefore.withLock { before in
            if let before { try? set(allowed, to: before) }
            before = nil
        }
    }

    /// Of the namespace the calling thread is in.
    static func set(_ name: String, to value: String) throws(BenchError) {
        let file = open(folder + name, O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { throw .system(call: "open", on: name, code: errno) }
        defer { close(file) }
        guard write(file, value, value.utf8.count) == value.utf8.count else {
            throw .system(call: "write", on: name, code: errno)
        }
    }
}
