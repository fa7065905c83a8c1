import CSealedSQLite
import Foundation
import Keys

/// A database whose pages are sealed: remembers its key while somebody may open it.
final class SealedFile: Sendable {
    private let path: String

    /// Seals the database at a path from now on; one that is there and plain is sealed first.
    init(path: String, key: SymmetricKey) throws(DatabaseError) {
        self.path = path
        if huizhen_sealed_is_plain(path) != 0 { try Self.seal(path, key) }
        try Self.remember(path, key)
    }

    deinit { huizhen_sealed_forget(path) }

    private static func remember(_ path: String, _ key: SymmetricKey) throws(DatabaseError) {
        let code = key.withUnsafeBytes { bytes in
            huizhen_sealed_remember(path, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
        }
        guard code == 0 else { throw .failed(code: code, message: "the database cannot be sealed") }
    }

    /// Puts a sealed copy in the place of a plain database. A power cut leaves one of them, whole.
    private static func seal(_ path: String, _ key: SymmetricKey) throws(DatabaseError) {
        let sealed = path + ".sealing"
        for name in [sealed, sealed + "-wal", sealed + "-shm", sealed + "-journal"] { unlink(name) }
        try remember(sealed, key)
        defer { huizhen_sealed_forget(sealed) }
        let code = huizhen_sealed_copy(path, sealed)
        guard code == 0 else {
            unlink(sealed)
            if code & 0xFF == 13 { throw .full }
            throw .failed(code: code, message: "the plain database cannot be sealed")
        }
        do throws(SystemFailure) {
            let copy = try OpenFile(sealed, flags: O_RDWR)
            try copy.syncData()
            let old = try OpenFile(path, flags: O_RDWR)
            guard rename(sealed, path) == 0 else { throw SystemFailure("rename") }
            try OpenFile.syncDirectory(OpenFile.directory(of: path))
            for suffix in ["-wal", "-shm", "-journal"] { unlink(path + suffix) }
            try wipe(old)
        } catch { throw .failed(code: error.errno, message: "\(error.operation) of a database's sealed copy failed") }
    }

    /// What stood there in clear, as far as the file system writes where it wrote before.
    private static func wipe(_ file: OpenFile) throws(SystemFailure) {
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        let count = try file.byteCount()
        var offset: UInt64 = 0
        while offset < count {
            try file.write(Array(zeros.prefix(Int(min(UInt64(zeros.count), count - offset)))), at: offset)
            offset += UInt64(zeros.count)
        }
        try file.syncData()
    }
}
