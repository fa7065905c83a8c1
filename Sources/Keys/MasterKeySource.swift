import Glibc

/// Where the key that wraps all others comes from.
public enum MasterKeySource: Sendable {
    /// A file of 32 random bytes that only its owner can read; made if it and every study key are absent.
    case file(path: String)

    /// Reads the master key.
    ///
    /// - Parameter mayCreate: false once keys wrapped by it exist.
    func load(mayCreate: Bool) throws(KeyError) -> SymmetricKey {
        switch self {
        case .file(let path): try Self.read(path, mayCreate: mayCreate)
        }
    }

    private static func read(_ path: String, mayCreate: Bool) throws(KeyError) -> SymmetricKey {
        if access(path, F_OK) != 0, errno == ENOENT {
            guard mayCreate else { throw .masterMissing(path: path) }
            try create(path)
        }
        let file = try KeyError.wrapping { () throws(SystemFailure) in try OpenFile(path, flags: O_RDONLY) }
        let status = try KeyError.wrapping { () throws(SystemFailure) in try file.status() }
        guard status.st_mode & 0o077 == 0 else { throw .exposed(path: path) }
        guard status.st_size == SymmetricKey.byteCount else {
            throw .masterUnreadable(path: path, byteCount: Int(status.st_size))
        }
        return try withUnsafeTemporaryAllocation(byteCount: SymmetricKey.byteCount, alignment: 16) {
            (bytes) throws(KeyError) in
            defer { SymmetricKey.wipe(bytes) }
            let count = try KeyError.wrapping { () throws(SystemFailure) in try file.read(into: bytes, at: 0) }
            guard count == bytes.count, let key = SymmetricKey(copying: UnsafeRawBufferPointer(bytes)) else {
                throw .masterUnreadable(path: path, byteCount: count)
            }
            return key
        }
    }

    /// Writes the file under another name first: a power cut leaves a whole key or none.
    private static func create(_ path: String) throws(KeyError) {
        let key = try SymmetricKey.random()
        let unfinished = path + ".new"
        unlink(unfinished)
        try KeyError.wrapping { () throws(SystemFailure) in
            let file = try OpenFile(unfinished, flags: O_WRONLY | O_CREAT | O_EXCL)
            try key.withUnsafeBytes { (bytes) throws(SystemFailure) in try file.write(bytes, at: 0) }
            guard fsync(file.descriptor) == 0 else { throw SystemFailure("fsync") }
            guard rename(unfinished, path) == 0 else { throw SystemFailure("rename") }
            try OpenFile.syncDirectory(OpenFile.directory(of: path))
        }
    }
}
