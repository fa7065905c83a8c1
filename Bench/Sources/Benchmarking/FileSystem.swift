import CLinux
import Foundation
import Glibc

/// What a directory lies on.
public struct FileSystem: Codable, Equatable, Sendable {
    public let type: String
    public let options: String
    /// A caveat about the directory, if there is one.
    public let remark: String?

    /// `f_type` of statfs(2) for file systems that keep nothing on a disk.
    static let memoryTypes: [Int: String] = [0x0102_1994: "tmpfs", 0x8584_58F6: "ramfs"]
    static let overlayType = 0x794C_7630

    /// Looks at the file system under a directory and refuses memory, also below an overlay.
    ///
    /// - Throws: `.notOnDisk`; `.system`.
    public init(under path: String) throws(BenchError) {
        let type = try Self.type(of: path)
        if let name = Self.memoryTypes[type] { throw .notOnDisk(path: path, fileSystem: name) }
        let mount = Self.mount(of: path)
        self.type = mount?.type ?? "0x" + String(type, radix: 16)
        options = mount?.options ?? ""
        guard type == Self.overlayType else {
            remark = nil
            return
        }
        let upper = mount?.superOptions.split(separator: ",").first { $0.hasPrefix("upperdir=") }?.dropFirst(9)
        guard let upper, let below = try? Self.type(of: String(upper)) else {
            remark = "the directory under this overlay cannot be seen from here: that it is on a disk is not checked"
            return
        }
        if let name = Self.memoryTypes[below] { throw .notOnDisk(path: path, fileSystem: "an overlay on \(name)") }
        remark = nil
    }

    /// Bytes an ordinary user may still write under a path.
    static func freeByteCount(under path: String) throws(BenchError) -> Int {
        let information = try Self.statistics(of: path)
        return Int(information.f_bavail) * Int(information.f_bsize)
    }

    private static func type(of path: String) throws(BenchError) -> Int {
        Int(try statistics(of: path).f_type)
    }

    private static func statistics(of path: String) throws(BenchError) -> statfs {
        var information = statfs()
        guard statfs(path, &information) == 0 else { throw .system(call: "statfs", on: path, code: errno) }
        return information
    }

    private struct Mount {
        let point: String
        let type: String
        let options: String
        let superOptions: String
    }

    /// The mount with the longest point that is a prefix of the path, from `/proc/self/mountinfo` (proc(5)).
    private static func mount(of path: String) -> Mount? {
        let text = (try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)) ?? ""
        let mounts = text.split(separator: "\n").compactMap { line -> Mount? in
            let halves = line.split(separator: " - ", maxSplits: 1)
            guard halves.count == 2 else { return nil }
            let front = halves[0].split(separator: " ")
            let back = halves[1].split(separator: " ")
            guard front.count > 5, back.count > 2 else { return nil }
            return Mount(
                point: String(front[4]), type: String(back[0]), options: String(front[5]), superOptions: String(back[2])
            )
        }
        let covering = mounts.filter { path == $0.point || path.hasPrefix($0.point == "/" ? "/" : $0.point + "/") }
        return covering.max { $0.point.count <= $1.point.count }
    }
}
