import DICOM
import Foundation

/// Writes objects as Part 10 files with running numbers for names.
final class ObjectFolder {
    private let path: String
    private var count = 0

    init(path: String) throws {
        self.path = path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    /// Begins the next file; nil when it cannot be made.
    func next(sopClassUID: String, sopInstanceUID: String, transferSyntax: TransferSyntax) -> ObjectFile? {
        var name = ""
        repeat {
            count += 1
            let digits = String(count)
            name = String(repeating: "0", count: max(0, 6 - digits.count)) + digits + ".dcm"
            // What lies there already stays.
        } while FileManager.default.fileExists(atPath: path + "/" + name)
        return ObjectFile(
            path: path + "/" + name,
            head: Part10.header(
                sopClassUID: sopClassUID, sopInstanceUID: sopInstanceUID, transferSyntax: transferSyntax,
                sourceAETitle: nil))
    }
}

/// One Part 10 file while it is being written. It has its name only once it is whole.
final class ObjectFile {
    private let path: String
    private let handle: FileHandle
    private var failed = false
    private var isEnded = false

    init?(path: String, head: [UInt8]) {
        self.path = path
        guard
            FileManager.default.createFile(
                atPath: path + ".part", contents: nil, attributes: [.posixPermissions: 0o600]),
            let handle = FileHandle(forWritingAtPath: path + ".part")
        else { return nil }
        self.handle = handle
        head.withUnsafeBytes { append($0) }
    }

    deinit { if !isEnded { discard() } }

    func append(_ bytes: UnsafeRawBufferPointer) {
        do { try handle.write(contentsOf: Data(bytes)) } catch { failed = true }
    }

    /// - Returns: whether the file is whole.
    func finish() -> Bool {
        do { try handle.close() } catch { failed = true }
        isEnded = true
        if !failed, rename(path + ".part", path) == 0 { return true }
        unlink(path + ".part")
        return false
    }

    /// Leaves nothing of what came.
    func discard() {
        isEnded = true
        try? handle.close()
        unlink(path + ".part")
    }
}
