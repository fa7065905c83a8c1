import Foundation
import Testing

/// A small file system of its own; nil without the right to mount one.
final class SmallDisk {
    static let need: Comment = "needs the right to mount a small disk (root)"
    static let canBeMade = SmallDisk(megabytes: 8) != nil

    let path: String

    init?(megabytes: Int) {
        path = TemporaryFolder.make()
        let image = path + ".image"
        // A real file system where loop devices are allowed, else one in memory. With blocks of 1 KiB a page of SQLite's shared memory may
        // have a hole that a full disk cannot fill, which ends the process.
        let script = """
            truncate -s \(megabytes)M '\(image)' && mkfs.ext4 -q -b 4096 -m 0 '\(image)' && mount -o loop '\(image)' '\(path)' \
            || mount -t tmpfs -o size=\(megabytes)m none '\(path)'
            """
        guard getuid() == 0, let result = try? Tool.run("/bin/sh", ["-c", script]), result.code == 0 else {
            return nil
        }
    }

    deinit { _ = try? Tool.run("/bin/umount", ["-l", path]) }
}
