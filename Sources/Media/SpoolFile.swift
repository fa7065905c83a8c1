import Glibc

/// A file that nobody else sees and that ends with its value.
public final class SpoolFile {
    private let descriptor: CInt
    private let path: String
    /// What is held where there is no file.
    private var memory: [UInt8] = []
    private(set) var byteCount: UInt64 = 0

    /// - Parameter beside: the new file lies in the same folder as this path.
    init(beside path: String) throws(MediaError) {
        self.path = path
        var template = Array((path + ".spool-XXXXXX").utf8CString)
        descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw .system(path) }
        unlink(template)
    }

    /// One in memory, for where nothing may lie on the disk.
    init() {
        path = "memory"
        descriptor = -1
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    func append(_ bytes: UnsafeRawBufferPointer) throws(MediaError) {
        if descriptor < 0 { memory += bytes } else { try Descriptor.write(bytes, to: descriptor, path: path) }
        byteCount += UInt64(bytes.count)
    }

    func append(_ bytes: [UInt8]) throws(MediaError) {
        try bytes.withUnsafeBufferPointer { buffer throws(MediaError) in
            try append(UnsafeRawBufferPointer(buffer))
        }
    }

    /// Reads what was written; fewer bytes come back only at the end.
    func read(offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(MediaError) -> Int {
        if descriptor < 0 {
            let start = min(Int(clamping: offset), memory.count)
            let count = min(buffer.count, memory.count - start)
            buffer.copyBytes(from: memory[start..<start + count])
            return count
        }
        var filled = 0
        while filled < buffer.count {
            let count = pread(
                descriptor, buffer.baseAddress.map { $0 + filled }, buffer.count - filled,
                off_t(offset) + off_t(filled))
            if count < 0 && errno == EINTR { continue }
            if count < 0 { throw .system(path) }
            if count == 0 { break }
            filled += count
        }
        return filled
    }

    func read(offset: UInt64, count: Int) throws(MediaError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let got = try bytes.withUnsafeMutableBufferPointer { buffer throws(MediaError) in
            try read(offset: offset, into: UnsafeMutableRawBufferPointer(buffer))
        }
        guard got == count else { throw .cannotWrite(path: path, errno: EIO) }
        return bytes
    }

    /// Empties it.
    func reset() throws(MediaError) {
        memory = []
        byteCount = 0
        if descriptor < 0 { return }
        guard ftruncate(descriptor, 0) == 0, lseek(descriptor, 0, SEEK_SET) == 0 else { throw .system(path) }
    }
}

enum Descriptor {
    static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: CInt, path: String) throws(MediaError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw .system(path) }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }
}
