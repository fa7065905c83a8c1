import Glibc

/// What tells a file from the one that was there before under its name.
package struct FileState: Equatable, Sendable {
    private var number: UInt64 = 0
    private var byteCount = 0
    /// Seconds and nanoseconds of the last change of content, and of the file.
    private var times: [Int] = []

    /// That of no file if there is none.
    package init(_ path: String) {
        var about = stat()
        guard stat(path, &about) == 0 else { return }
        number = UInt64(about.st_ino)
        byteCount = Int(about.st_size)
        times = [about.st_mtim.tv_sec, about.st_mtim.tv_nsec, about.st_ctim.tv_sec, about.st_ctim.tv_nsec]
    }
}
