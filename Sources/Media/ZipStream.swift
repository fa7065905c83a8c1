import CArchive
import DICOM
import Glibc

/// Writes a file-set as a zip file that is given away while it is made.
///
/// Nothing goes to the disk: sizes stand behind the files. A file that is discarded stays in it, and no DICOMDIR names it.
/// Used by one thread.
public final class ZipStream: MediaOutput {
    private static let pieceByteCount = 256 * 1024

    private let archive: OpaquePointer
    private let sink: Sink
    private var isOpen = false

    /// What libarchive calls back with.
    private final class Sink {
        let give: (UnsafeRawBufferPointer) throws -> Void
        var failure: (any Error)?

        init(_ give: @escaping (UnsafeRawBufferPointer) throws -> Void) { self.give = give }
    }

    /// - Parameter give: takes the zip file's bytes; what it throws is `failure` afterwards.
    public init(_ give: @escaping (UnsafeRawBufferPointer) throws -> Void) throws(MediaError) {
        guard let archive = archive_write_new() else { throw .archive("no memory") }
        self.archive = archive
        sink = Sink(give)
        archive_write_set_bytes_per_block(archive, Int32(Self.pieceByteCount))
        archive_write_set_bytes_in_last_block(archive, 1)
        guard archive_write_set_format_zip(archive) == ARCHIVE_OK,
            archive_write_set_format_option(archive, "zip", "compression-level", "1") == ARCHIVE_OK
        else { throw error }
        let opened = archive_write_open(
            archive, Unmanaged.passUnretained(sink).toOpaque(), nil,
            { _, data, bytes, count in
                guard let data else { return -1 }
                let sink = Unmanaged<Sink>.fromOpaque(data).takeUnretainedValue()
                do {
                    try sink.give(UnsafeRawBufferPointer(start: bytes, count: count))
                    return count
                } catch {
                    sink.failure = error
                    return -1
                }
            }, nil)
        guard opened == ARCHIVE_OK else { throw error }
    }

    deinit { archive_write_free(archive) }

    /// What the taker threw.
    public var failure: (any Error)? { sink.failure }

    private var error: MediaError {
        .archive(archive_error_string(archive).map { String(cString: $0) } ?? "it does not say why")
    }

    public func begin(_ fileID: FileID) throws(MediaError) {
        guard let entry = archive_entry_new() else { throw .archive("no memory") }
        defer { archive_entry_free(entry) }
        archive_entry_set_pathname(entry, fileID.path)
        // A plain file.
        archive_entry_set_filetype(entry, 0o100000)
        archive_entry_set_perm(entry, 0o600)
        archive_entry_set_mtime(entry, time(nil), 0)
        guard archive_write_header(archive, entry) == ARCHIVE_OK else { throw error }
        isOpen = true
    }

    public func write(_ bytes: UnsafeRawBufferPointer) throws(MediaError) {
        guard isOpen, !bytes.isEmpty else { return }
        guard archive_write_data(archive, bytes.baseAddress, bytes.count) == bytes.count else { throw error }
    }

    public func end() throws(MediaError) {
        isOpen = false
        guard archive_write_finish_entry(archive) == ARCHIVE_OK else { throw error }
    }

    public func discard() {
        if isOpen { archive_write_finish_entry(archive) }
        isOpen = false
    }

    public func commit() throws(MediaError) {
        guard archive_write_close(archive) == ARCHIVE_OK else { throw error }
    }

    public func abandon() {}

    public func spool() throws(MediaError) -> SpoolFile { SpoolFile() }
}
