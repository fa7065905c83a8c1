import Glibc
import Keys
import Synchronization

/// Descriptors for reading and for removing, apart from those the lanes write by; bounded.
final class PackFiles: Sendable {
    /// How many packs are kept open.
    static let fileLimit = 256

    private let shelf: PackShelf
    /// Held while headers of acknowledged objects are changed: by a removal, or by a move of keys.
    let changing = Mutex(())
    private let files = Mutex<(young: [UInt32: OpenFile], old: [UInt32: OpenFile])>(([:], [:]))

    init(shelf: PackShelf) { self.shelf = shelf }

    /// A pack's file.
    ///
    /// - Throws: `.notFound` if there is no such pack.
    func file(_ number: UInt32) throws(BlobError) -> OpenFile {
        let known = files.withLock { files -> OpenFile? in
            if let file = files.young[number] { return file }
            guard let file = files.old[number] else { return nil }
            Self.remember(file, number, in: &files)
            return file
        }
        if let known { return known }
        let file: OpenFile
        do throws(SystemFailure) { file = try OpenFile(shelf.path(number), flags: O_RDWR) } catch {
            if error.errno == ENOENT { throw .notFound }
            throw BlobError(error)
        }
        files.withLock { Self.remember(file, number, in: &$0) }
        return file
    }

    func forget(_ number: UInt32) {
        files.withLock { files in
            files.young[number] = nil
            files.old[number] = nil
        }
    }

    // Two generations, as in the key cache: readers that still use a forgotten file keep it open.
    private static func remember(
        _ file: OpenFile, _ number: UInt32, in files: inout (young: [UInt32: OpenFile], old: [UInt32: OpenFile])
    ) {
        if files.young.count >= fileLimit / 2 { files = ([:], files.young) }
        files.young[number] = file
    }

    /// The header at a location.
    ///
    /// - Parameter isChanging: whether the caller holds `changing`.
    /// - Throws: `.notFound` where nothing is or was voided; `.damaged` where something else than a header is.
    func header(
        _ location: BlobLocation, allowsVoid: Bool = false, isChanging: Bool = false
    ) throws(BlobError) -> ObjectHeader {
        let file = try file(location.pack)
        guard location.offset <= UInt64(Int64.max) - UInt64(ChunkFormat.pageByteCount) else { throw .notFound }
        let bytes = try BlobError.wrapping { () throws(SystemFailure) in
            try file.read(count: ObjectHeader.byteCount, at: location.offset)
        }
        if bytes.allSatisfy({ $0 == 0 }) { throw .notFound }
        guard let header = bytes.withUnsafeBytes({ ObjectHeader($0, at: location) }) else {
            // It may have been read half before, half after a change.
            if !isChanging {
                return try changing.withLock { (_) throws(BlobError) -> ObjectHeader in
                    try header(location, allowsVoid: allowsVoid, isChanging: true)
                }
            }
            throw .damaged(pack: location.pack, byteOffset: location.offset, part: .header)
        }
        guard header.state == .live || header.state == .void && allowsVoid else { throw .notFound }
        return header
    }
}
