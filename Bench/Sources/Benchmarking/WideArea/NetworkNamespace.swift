import CLinux
import Foundation
import Synchronization

/// A network of its own for one end of a line: ip-netns(8).
struct NetworkNamespace: Equatable, Sendable {
    /// Debian's iproute2.
    static let program = Tools.find("ip") ?? "/usr/sbin/ip"
    private static let prefix = "hzbench"
    private static let folder = "/run/netns/"

    let name: String

    /// Makes it, with the kernel's usual congestion control and nothing remembered from one connection to the next.
    ///
    /// - Parameter end: short; the name also has this process's id.
    /// - Throws: `.badOption` unless this runs as root; `.failed` or `.timedOut` of `ip`; `.system`.
    static func make(_ end: String, log: String) throws(BenchError) -> NetworkNamespace {
        guard geteuid() == 0 else { throw .badOption("network namespaces need root: run it as root, or with sudo") }
        removeAbandoned()
        let made = NetworkNamespace(name: "\(prefix)-\(getpid())-\(end)")
        try Command(
            name: "ip netns add", executable: program, arguments: ["netns", "add", made.name], workingDirectory: "/",
            log: log
        ).run(atMost: .seconds(10))
        NetworkNamespaces.add(made)
        try CongestionControl.allowCubic()
        try made.setDefault(.cubic)
        try made.perform { () throws(BenchError) in try CongestionControl.set("tcp_no_metrics_save", to: "1") }
        return made
    }

    /// Moves the calling thread into it, for the rest of the thread's life; its sockets belong there.
    ///
    /// - Throws: `.system`.
    func enter() throws(BenchError) {
        let file = open(Self.folder + name, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw .system(call: "open", on: "the network namespace", code: errno) }
        defer { close(file) }
        guard setns(file, Int32(NETWORK_NAMESPACE)) == 0 else {
            throw .system(call: "setns", on: "the network namespace", code: errno)
        }
    }

    /// Does something in it, on a thread of its own, and waits for that.
    ///
    /// - Throws: what the work throws; `.system`.
    func perform(_ work: @escaping @Sendable () throws(BenchError) -> Void) throws(BenchError) {
        let crew = Crew()
        crew.add { () throws(BenchError) in
            try enter()
            try work()
        }
        try crew.wait()
    }

    /// The congestion control of sockets that choose none.
    ///
    /// - Throws: `.system`.
    func setDefault(_ control: CongestionControl) throws(BenchError) {
        try perform { () throws(BenchError) in
            try CongestionControl.set("tcp_congestion_control", to: control.rawValue)
        }
    }

    /// Takes its name away; the kernel ends it when the last process has left it.
    fileprivate func remove() {
        umount2(Self.folder + name, Int32(MNT_DETACH))
        unlink(Self.folder + name)
    }

    /// Removes what a run that was killed has left.
    private static func removeAbandoned() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            let parts = name.split(separator: "-")
            guard parts.count == 3, parts[0] == prefix, let pid = pid_t(parts[1]), kill(pid, 0) != 0, errno == ESRCH
            else { continue }
            NetworkNamespace(name: name).remove()
        }
    }
}

/// Namespaces this process has made, so that an interrupted run leaves none.
public enum NetworkNamespaces {
    private static let made = Mutex([NetworkNamespace]())

    static func add(_ namespace: NetworkNamespace) {
        made.withLock { $0.append(namespace) }
    }

    /// Removes all of them, and takes back what they needed of the machine.
    public static func removeAll() {
        made.withLock { all in
            all.forEach { $0.remove() }
            all = []
        }
        CongestionControl.restoreAllowed()
    }
}
