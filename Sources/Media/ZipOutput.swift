import CArchive
import DICOM
import Foundation
import Glibc

/// Writes a file-set to a zip file, which gets its name once it is whole.
public final class ZipOutput: MediaOutput {
    private static let pieceByteCount = 256 * 1024

    private let target: String
    private let temporary: String
    private let archive: OpaquePointer
    /// The file that is being written: its size stands before it in the zip, and it may still be discarded.
    private let current: SpoolFile
    private var fileID: FileID?
    private let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceByteCount, alignment: 64)

    /// - Parameter path: a file that is not there.
    public init(path: String) throws(MediaError) {
        target = path
        var status = stat()
        guard lstat(path, &status) != 0 else { throw .occupied(path: path) }
        var template = Array((path + ".part-XXXXXX").utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw .system(path) }
        close(descriptor)
        temporary = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard let archive = archive_write_new() else { throw .archive("no memory") }
        self.archive = archive
        current = try SpoolFile(beside: path)
        guard archive_write_set_format_zip(archive) == ARCHIVE_OK,
            archive_write_set_format_option(archive, "zip", "compression-level", "1") == ARCHIVE_OK,
            archive_write_open_filename(archive, temporary) == ARCHIVE_OK
        else {
            let error = Self.error(archive, target)
            unlink(temporary)
            throw error
        }
    }

    deinit {
        archive_write_free(archive)
        piece.deallocate()
    }

    private static func error(_ archive: OpaquePointer, _ path: String) -> MediaError {
        let number = archive_errno(archive)
        if number == ENOSPC || number == EDQUOT { return .full(path: path) }
        return .archive(archive_error_string(archive).map { String(cString: $0) } ?? "it does not say why")
    }

    public func begin(_ fileID: FileID) throws(MediaError) {
        self.fileID = fileID
        try current.reset()
    }

    public func write(_ bytes: UnsafeRawBufferPointer) throws(MediaError) { try current.append(bytes) }

    public func end() throws(MediaError) {
        guard let fileID, let entry = archive_entry_new() else { throw .archive("no memory") }
        defer { archive_entry_free(entry) }
        self.fileID = nil
        archive_entry_set_pathname(entry, fileID.path)
        archive_entry_set_size(entry, Int64(current.byteCount))
        // A plain file.
        archive_entry_set_filetype(entry, 0o100000)
        archive_entry_set_perm(entry, 0o600)
        archive_entry_set_mtime(entry, time(nil), 0)
        guard archive_write_header(archive, entry) == ARCHIVE_OK else { throw Self.error(archive, target) }
        var offset: UInt64 = 0
        while offset < current.byteCount {
            let count = try current.read(offset: offset, into: piece)
            guard count > 0, archive_write_data(archive, piece.baseAddress, count) == count else {
                throw Self.error(archive, target)
            }
            offset += UInt64(count)
        }
    }

    public func discard() { fileID = nil }

    public func commit() throws(MediaError) {
        guard archive_write_close(archive) == ARCHIVE_OK else { throw Self.error(archive, target) }
        let descriptor = open(temporary, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system(target) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .system(target) }
        // Never over another file: a link fails where a name is taken.
        guard link(temporary, target) == 0 else {
            if errno == EEXIST { throw .occupied(path: target) }
            guard errno == EPERM || errno == EOPNOTSUPP, rename(temporary, target) == 0 else { throw .system(target) }
            return
        }
        unlink(temporary)
    }

    public func abandon() { unlink(temporary) }

    public func spool() throws(MediaError) -> SpoolFile { try SpoolFile(beside: target) }
}
