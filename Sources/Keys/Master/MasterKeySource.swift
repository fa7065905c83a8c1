import Glibc

/// Where the key that wraps all others comes from.
///
/// As text: a path, `fd:N`, `credential:NAME` or `command:/path argument …`.
public enum MasterKeySource: Equatable, Sendable {
    /// A file of 32 random bytes that only its owner can read; made if it and every study key are absent.
    case file(path: String)
    /// An open file descriptor that the service was started with; read to its end once, and closed.
    case descriptor(Int32)
    /// A program that writes the key to its standard output, run without a shell: for a key management service.
    case command([String])

    /// Most bytes that a descriptor or a command may give.
    public static let byteCountLimit = 4096
    /// Longest text of a source, in bytes.
    public static let textByteCountLimit = 4096

    /// Reads a source's text.
    ///
    /// - Parameter credentials: systemd's `$CREDENTIALS_DIRECTORY`.
    /// - Returns: nil unless it is one of the forms, on one line.
    public init?(_ text: String, credentials: String? = getenv("CREDENTIALS_DIRECTORY").map { String(cString: $0) }) {
        guard !text.isEmpty, text.utf8.count <= Self.textByteCountLimit else { return nil }
        // A rotation notes paths as lines.
        guard !text.utf8.contains(0x0A) else { return nil }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        switch (parts[0], parts.count > 1 ? parts[1] : "") {
        case ("fd", let number) where parts.count > 1:
            guard let number = Int32(number), number >= 0 else { return nil }
            self = .descriptor(number)
        case ("command", let command) where parts.count > 1:
            let words = command.split(separator: " ").map(String.init)
            guard let program = words.first, program.hasPrefix("/") else { return nil }
            self = .command(words)
        case ("credential", let name) where parts.count > 1:
            guard let credentials, !name.isEmpty, !name.contains("/") else { return nil }
            self = .file(path: credentials + "/" + name)
        case ("file", let path) where parts.count > 1:
            guard !path.isEmpty else { return nil }
            self = .file(path: path)
        default: self = .file(path: text)
        }
    }

    /// What the source is, for people; names no argument of a command, since one may be secret.
    public var description: String {
        switch self {
        case .file(let path): "file \(path)"
        case .descriptor(let number): "descriptor \(number)"
        case .command(let words): "command \(words[0])"
        }
    }

    /// Whether the key lies on the disk that holds `directory`.
    public func isOnDisk(of directory: String) -> Bool {
        guard case .file(let path) = self else { return false }
        var (key, data) = (stat(), stat())
        guard stat(path, &key) == 0, stat(directory, &data) == 0 else { return false }
        return key.st_dev == data.st_dev
    }

    /// Reads the master key.
    ///
    /// - Parameter mayCreate: false once keys wrapped by it exist; only a file is made.
    func load(mayCreate: Bool) throws(KeyError) -> SymmetricKey {
        switch self {
        case .file(let path):
            if !StudyKeyFile.exists(path) {
                guard mayCreate else { throw .masterMissing(path: path) }
                try MasterKeyFile.write(try SymmetricKey.random(), to: path)
            }
            return try MasterKeyFile.read(path)
        case .descriptor(let number): return try MasterKeyPipe.read(descriptor: number)
        case .command(let words): return try MasterKeyPipe.run(words)
        }
    }

    /// Reads the key that a head was written under.
    ///
    /// An interrupted rotation may have left it under its other name.
    func key(matching head: KeyFileHead) throws(KeyError) -> SymmetricKey {
        guard case .file(let path) = self else {
            let key = try load(mayCreate: false)
            guard try key.masterCheck() == head.masterCheck else { throw .masterDiffers }
            return key
        }
        let next = MasterKeyFile.next(path)
        guard StudyKeyFile.exists(path) || StudyKeyFile.exists(next) else { throw .masterMissing(path: path) }
        var failure = KeyError.masterDiffers
        for candidate in [path, next] where StudyKeyFile.exists(candidate) {
            do throws(KeyError) {
                let key = try MasterKeyFile.read(candidate)
                if try key.masterCheck() == head.masterCheck { return key }
            } catch { if candidate == path { failure = error } }
        }
        throw failure
    }
}

/// A master key's file.
enum MasterKeyFile {
    /// The name under which a rotation puts the next key before it takes the place of the last.
    static func next(_ path: String) -> String { path + ".next" }

    static func read(_ path: String) throws(KeyError) -> SymmetricKey {
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

    static func write(_ key: SymmetricKey, to path: String) throws(KeyError) {
        try KeyError.wrapping { () throws(SystemFailure) in
            try key.withUnsafeBytes { (bytes) throws(SystemFailure) in try OpenFile.replace(path, with: bytes) }
        }
    }

    /// Overwrites a file's bytes, durably; it keeps its name.
    static func overwrite(_ path: String) throws(KeyError) {
        try KeyError.wrapping { () throws(SystemFailure) in
            let file = try OpenFile(path, flags: O_WRONLY)
            let count = Int(min(try file.byteCount(), 1 << 20))
            try file.write([UInt8](repeating: 0, count: count), at: 0)
            try file.sync()
        }
    }

    static func remove(_ path: String) throws(KeyError) {
        guard unlink(path) == 0 || errno == ENOENT else {
            throw .io(operation: "unlink", errno: errno)
        }
        try KeyError.wrapping { () throws(SystemFailure) in
            try OpenFile.syncDirectory(OpenFile.directory(of: path))
        }
    }

    /// Gives the next key the name of the last.
    static func promote(_ path: String) throws(KeyError) {
        guard rename(next(path), path) == 0 || errno == ENOENT else { throw .io(operation: "rename", errno: errno) }
        try KeyError.wrapping { () throws(SystemFailure) in
            try OpenFile.syncDirectory(OpenFile.directory(of: path))
        }
    }
}
