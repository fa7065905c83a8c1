import Foundation

/// Memory and processor time of a server and everything it forked, from `/proc`.
struct ProcessTree {
    let root: pid_t

    /// Resident bytes of the whole tree now; pages shared by forked processes count once for each.
    var residentByteCount: Int {
        members.reduce(0) { $0 + Self.residentByteCount(of: $1) }
    }

    /// The most the root process itself has held since `forgetPeak()`.
    var peakByteCount: Int {
        let status = (try? String(contentsOfFile: "/proc/\(root)/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        let kibibytes = line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
        return (kibibytes ?? 0) << 10
    }

    /// Resets the kernel's high-water mark of the root process (proc(5), `clear_refs`).
    func forgetPeak() {
        guard let file = fopen("/proc/\(root)/clear_refs", "w") else { return }
        fputs("5", file)
        fclose(file)
    }

    /// Clock ticks (10 ms) of processor time used so far by the tree, and by what the root forked and waited for.
    var processorTicks: Int {
        members.reduce(0) { total, pid in
            guard let fields = Self.statistics(of: pid), fields.count > 14 else { return total }
            return total + fields[pid == root ? 11...14 : 11...12].reduce(0) { $0 + (Int($1) ?? 0) }
        }
    }

    /// Bytes the processes now in the tree have sent towards the disk so far.
    var writtenByteCount: Int {
        members.reduce(0) { total, pid in
            let text = (try? String(contentsOfFile: "/proc/\(pid)/io", encoding: .utf8)) ?? ""
            let line = text.split(separator: "\n").first { $0.hasPrefix("write_bytes:") }
            return total + (line?.split(separator: " ").last.flatMap { Int($0) } ?? 0)
        }
    }

    private var members: [pid_t] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        var children: [pid_t: [pid_t]] = [:]
        for pid in entries.compactMap({ pid_t($0) }) {
            guard let fields = Self.statistics(of: pid), fields.count > 1, let parent = pid_t(fields[1]) else {
                continue
            }
            children[parent, default: []].append(pid)
        }
        var found = [root]
        var next = 0
        while next < found.count {
            found += children[found[next]] ?? []
            next += 1
        }
        return found
    }

    /// Fields of `/proc/<pid>/stat` after the command name: state, parent, ...
    private static func statistics(of pid: pid_t) -> [Substring]? {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            let close = text.lastIndex(of: ")")
        else { return nil }
        return text[text.index(after: close)...].split(separator: " ")
    }

    private static func residentByteCount(of pid: pid_t) -> Int {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/statm", encoding: .utf8) else { return 0 }
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * Int(getpagesize())
    }
}
