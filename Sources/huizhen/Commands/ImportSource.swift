import Archive
import DICOM
import DIMSE
import Foundation

/// Something that was not taken, and why.
struct Skipped: Encodable, Error, Sendable {
    var path: String
    var reason: String
    /// Whether it may be an object that should have been taken: it is not there, or cannot be read.
    var isUnread = false
}

/// Finds files under paths: folders are walked, in the order of their names.
enum ImportSource {
    static func files(under paths: [String]) -> [String] {
        var result: [String] = []
        for path in paths {
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
                result.append(path)
                continue
            }
            result += names(below: path).map { path + "/" + $0 }
        }
        return result
    }

    /// The paths of all files below a folder, in order, without the folder's own.
    static func names(below folder: String) -> [String] {
        let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        return names.sorted().filter { name in
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: folder + "/" + name, isDirectory: &isFolder)
                && !isFolder.boolValue
        }
    }

    static func isLink(_ path: String) -> Bool {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) != nil
    }
}

/// A Part 10 file, or a bare dataset, on disk. PS3.10 §7.
struct FileItem: SendItem {
    let path: String
    let datasetOffset: UInt64
    let sopClassUID: String
    let sopInstanceUID: String
    let transferSyntaxUID: String
    /// Bytes of the dataset; 0 for a member of an archive, which is not sent as a file.
    var byteCount: UInt64 = 0

    /// Bytes of a file that are read to find its file meta information.
    static let headByteCount = 1 << 20
    static let pieceByteCount = 256 * 1024

    static func open(_ path: String) -> Result<FileItem, Skipped> {
        guard let handle = FileHandle(forReadingAtPath: path) else {
            return .failure(Self.unread(path))
        }
        defer { try? handle.close() }
        guard let head = try? handle.read(upToCount: headByteCount) else { return .failure(Self.unread(path)) }
        if head.isEmpty { return .failure(Skipped(path: path, reason: "is empty")) }
        return describe([UInt8](head), path: path).map { item in
            var item = item
            item.byteCount = ((try? handle.seekToEnd()) ?? 0) - item.datasetOffset
            return item
        }
    }

    private static func unread(_ path: String) -> Skipped {
        let isThere = FileManager.default.fileExists(atPath: path)
        return Skipped(
            path: path, reason: isThere ? "cannot be read: see who may, and the disk" : "is not there", isUnread: true)
    }

    /// Whether a file begins as a DICOMDIR does.
    static func isDirectory(_ head: [UInt8]) -> Bool {
        if case .failure(let why) = describe(head, path: "") { why.reason == directoryReason } else { false }
    }

    private static let directoryReason = "is a DICOMDIR, which is a list and no object"

    /// What the first bytes tell.
    static func describe(_ head: [UInt8], path: String) -> Result<FileItem, Skipped> {
        guard let parsed = try? Part10.parseMeta(head) else {
            return .failure(Skipped(path: path, reason: "is no DICOM file"))
        }
        if parsed.meta.string(.mediaStorageSOPClassUID) == SOPClass.mediaStorageDirectory {
            return .failure(Skipped(path: path, reason: directoryReason))
        }
        // The dataset's own UIDs count; one real file in ten says something else in its file meta.
        var scanner = DatasetScanner(transferSyntax: parsed.transferSyntax)
        let found: Dataset
        do {
            try head[parsed.datasetOffset...].withUnsafeBytes { try scanner.feed($0) }
            found = try scanner.finish().header
        } catch {
            return .failure(Skipped(path: path, reason: "cannot be read: \(error)"))
        }
        // Whatever its file meta says.
        if found.contains(.directoryRecordSequence) {
            return .failure(Skipped(path: path, reason: directoryReason))
        }
        let sopClass = found.string(.sopClassUID) ?? parsed.meta.string(.mediaStorageSOPClassUID) ?? ""
        let instance = found.string(.sopInstanceUID) ?? parsed.meta.string(.mediaStorageSOPInstanceUID) ?? ""
        guard !sopClass.isEmpty, !instance.isEmpty else {
            return .failure(Skipped(path: path, reason: "names no SOP class or no SOP instance"))
        }
        return .success(
            FileItem(
                path: path, datasetOffset: UInt64(parsed.datasetOffset), sopClassUID: sopClass,
                sopInstanceUID: instance, transferSyntaxUID: parsed.transferSyntax.uid))
    }

    func forEachPiece(through _: PieceBuffer, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        try forEachPiece(body)
    }

    func forEachPiece(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw Self.unread(path)
        }
        defer { try? handle.close() }
        while true {
            let piece: Data?
            do {
                if try handle.offset() < datasetOffset { try handle.seek(toOffset: datasetOffset) }
                piece = try handle.read(upToCount: Self.pieceByteCount)
            } catch { throw Skipped(path: path, reason: "cannot be read to its end", isUnread: true) }
            guard let piece, !piece.isEmpty else { return }
            try piece.withUnsafeBytes(body)
        }
    }
}
