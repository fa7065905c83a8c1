import Glibc

/// What the file system has left for this user.
package enum FreeSpace {
    package static func byteCount(_ path: String) throws(SystemFailure) -> UInt64 {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { throw SystemFailure("statvfs") }
        return UInt64(status.f_bavail) * UInt64(status.f_frsize)
    }
}
