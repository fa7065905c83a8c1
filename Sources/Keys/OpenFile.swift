import COpenSSL
import Glibc

/// A system call that failed.
package struct SystemFailure: Error {
    package let operation: String
    package let errno: Int32

    package init(_ operation: String) {
        self.operation = operation
        errno = Glibc.errno
    }

    package init(operation: String, errno: Int32) {
        self.operation = operation
        self.errno = errno
    }
}

/// A file descriptor that is closed once. Positioned calls only, so any thread may use it.
package final class OpenFile: Sendable {
    package let descriptor: Int32

    package init(_ path: String, flags: Int32, mode: mode_t = 0o600) throws(SystemFailure) {
        descriptor = Glibc.open(path, flags | O_CLOEXEC, mode)
        if descriptor < 0 { throw SystemFailure("open") }
    }

    deinit { Glibc.close(descriptor) }

    package func byteCount() throws(SystemFailure) -> UInt64 {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw SystemFailure("fstat") }
        return UInt64(status.st_size)
    }

    package func status() throws(SystemFailure) -> stat {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw SystemFailure("fstat") }
        return status
    }

    /// Reads until `buffer` is full or the file ends.
    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(SystemFailure) -> Int {
        guard let base = buffer.baseAddress else { return 0 }
        var done = 0
        while done < buffer.count {
            let count = pread(descriptor, base + done, buffer.count - done, off_t(offset) + off_t(done))
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                throw SystemFailure("read")
            }
            done += count
        }
        return done
    }

    package func read(count: Int, at offset: UInt64) throws(SystemFailure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let done = try bytes.withMutableRawBytes { (buffer) throws(SystemFailure) in
            try read(into: buffer, at: offset)
        }
        bytes.removeLast(count - done)
        return bytes
    }

    package func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemFailure) {
        guard let base = bytes.baseAddress else { return }
        var done = 0
        while done < bytes.count {
            let count = pwrite(descriptor, base + done, bytes.count - done, off_t(offset) + off_t(done))
            if count < 0 {
                if errno == EINTR { continue }
                throw SystemFailure("write")
            }
            if count == 0 { throw SystemFailure(operation: "write", errno: ENOSPC) }
            done += count
        }
    }

    package func write(_ bytes: [UInt8], at offset: UInt64) throws(SystemFailure) {
        try bytes.withRawBytes { (buffer) throws(SystemFailure) in try write(buffer, at: offset) }
    }

    /// Returns when everything written so far survives a power cut (fdatasync).
    package func syncData() throws(SystemFailure) {
        guard fdatasync(descriptor) == 0 else { throw SystemFailure("fdatasync") }
    }

    /// As `syncData`, with all that is known of the file (fsync).
    package func sync() throws(SystemFailure) {
        guard fsync(descriptor) == 0 else { throw SystemFailure("fsync") }
    }

    package func truncate(to byteCount: UInt64) throws(SystemFailure) {
        guard ftruncate(descriptor, off_t(byteCount)) == 0 else { throw SystemFailure("ftruncate") }
    }

    package func punchHole(at offset: UInt64, byteCount: UInt64) throws(SystemFailure) {
        guard huizhen_punch_hole(descriptor, Int64(offset), Int64(byteCount)) == 0 else {
            throw SystemFailure("fallocate")
        }
    }

    /// Puts a file of these bytes in the place of what is at `path`; returns once that survives a power cut.
    ///
    /// It is written under another name first: whenever this ends, the old file or the new one is there, and whole.
    package static func replace(
        _ path: String, with bytes: UnsafeRawBufferPointer, mode: mode_t = 0o600
    ) throws(SystemFailure) {
        let unfinished = path + ".new"
        unlink(unfinished)
        do throws(SystemFailure) {
            let file = try OpenFile(unfinished, flags: O_WRONLY | O_CREAT | O_EXCL, mode: mode)
            try file.write(bytes, at: 0)
            try file.sync()
            guard rename(unfinished, path) == 0 else { throw SystemFailure("rename") }
        } catch {
            unlink(unfinished)
            throw error
        }
        try syncDirectory(directory(of: path))
    }

    package static func replace(
        _ path: String, with bytes: [UInt8], mode: mode_t = 0o600
    ) throws(SystemFailure) {
        try bytes.withRawBytes { (buffer) throws(SystemFailure) in try replace(path, with: buffer, mode: mode) }
    }

    /// Makes the names in a directory survive a power cut.
    package static func syncDirectory(_ path: String) throws(SystemFailure) {
        let directory = try OpenFile(path, flags: O_RDONLY | O_DIRECTORY)
        try directory.sync()
    }

    /// The directory a path names something in.
    package static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Creates a directory only its owner can enter, unless it is there.
    package static func makeDirectory(_ path: String) throws(SystemFailure) {
        if mkdir(path, 0o700) != 0, errno != EEXIST { throw SystemFailure("mkdir") }
    }
}

extension SystemFailure {
    /// What a write fails with when the disk, a quota or a file size limit leaves no room.
    package static let noRoom: Set<Int32> = [ENOSPC, EDQUOT, EFBIG]
}
