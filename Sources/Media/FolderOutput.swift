import CArchive
import DICOM
import Foundation
import Glibc

/// Writes a file-set to a folder, which gets its name once everything is on the disk.
public final class FolderOutput: MediaOutput {
    private let target: String
    private let temporary: String
    private var descriptor: CInt = -1
    private var path = ""
    private var folders: Set<String> = []

    /// - Parameter path: a folder that is not there, or empty.
    /// - Throws: `.occupied`; `.cannotWrite` when the folder around it is not there or not for this user.
    public init(path: String) throws(MediaError) {
        var target = path
        while target.count > 1, target.hasSuffix("/") { target.removeLast() }
        self.target = target
        try Self.checkIsFree(target)
        var template = Array((target + ".part-XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else { throw .system(target) }
        temporary = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    private static func checkIsFree(_ path: String) throws(MediaError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        let names = try? FileManager.default.contentsOfDirectory(atPath: path)
        guard status.st_mode & S_IFMT == S_IFDIR, names?.isEmpty == true else { throw .occupied(path: path) }
    }

    public func begin(_ fileID: FileID) throws(MediaError) {
        var folder = temporary
        for component in fileID.components.dropLast() {
            folder += "/" + component
            if folders.insert(folder).inserted, mkdir(folder, 0o700) != 0, errno != EEXIST { throw .system(target) }
        }
        path = temporary + "/" + fileID.path
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system(target) }
    }

    public func write(_ bytes: UnsafeRawBufferPointer) throws(MediaError) {
        try Descriptor.write(bytes, to: descriptor, path: target)
    }

    public func end() throws(MediaError) {
        let result = close(descriptor)
        descriptor = -1
        guard result == 0 else { throw .system(target) }
    }

    public func discard() {
        guard descriptor >= 0 else { return }
        close(descriptor)
        descriptor = -1
        unlink(path)
    }

    public func commit() throws(MediaError) {
        let folder = open(temporary, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw .system(target) }
        defer { close(folder) }
        guard syncfs(folder) == 0 else { throw .system(target) }
        // Takes the place of an empty folder, and of nothing else.
        guard rename(temporary, target) == 0 else {
            if errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR { throw .occupied(path: target) }
            throw .system(target)
        }
    }

    public func abandon() {
        discard()
        try? FileManager.default.removeItem(atPath: temporary)
    }

    public func spool() throws(MediaError) -> SpoolFile { try SpoolFile(beside: target) }
}
