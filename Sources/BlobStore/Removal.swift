import Glibc
import Keys

/// Taking objects away: the key first, then the header, durably, then the room.
///
/// A hole under a header that still lives would look like damage, so a hole is made only once the void header is on
/// disk. Syncs go by a descriptor of their own: a lane's must not have its errors taken by others.
struct Removal {
    let files: PackFiles
    let keys: KeyStore
    /// Whether the keys of objects before this place were copied to the key store.
    let wasCopied: @Sendable (BlobLocation) -> Bool

    /// Destroys an object's key and header, and frees what lies behind; returns once that is on disk.
    func destroy(_ location: BlobLocation) throws(BlobError) {
        try destroy { () throws(BlobError) in
            [try files.header(location, allowsVoid: true, isChanging: true)]
        }
    }

    /// The same for many; places that hold no object, or another one, are left out.
    ///
    /// - Returns: why those are not destroyed whose headers cannot be read.
    func destroy(_ places: [BlobPlace]) throws(BlobError) -> [BlobPlace: BlobError] {
        var failures: [BlobPlace: BlobError] = [:]
        try destroy { () throws(BlobError) in
            var headers: [BlobLocation: ObjectHeader] = [:]
            for place in places {
                do throws(BlobError) {
                    let header = try files.header(place.location, allowsVoid: true, isChanging: true)
                    if header.state == .void || header.sequence == place.sequence { headers[place.location] = header }
                } catch {
                    switch error {
                    case .notFound: break
                    case .damaged: headers[place.location] = Self.unreadable(place.location)
                    default: failures[place] = error
                    }
                }
            }
            return Array(headers.values)
        }
        return failures
    }

    /// What is taken for a header that is damaged: nobody knows how much lies behind, and whose key it named.
    private static func unreadable(_ location: BlobLocation) -> ObjectHeader {
        ObjectHeader(location: location, extent: UInt64(ChunkFormat.pageByteCount), studyKey: ObjectHeader.noKey)
    }

    /// - Parameter find: gives the headers, void ones too; called while nobody else changes any.
    private func destroy(_ find: () throws(BlobError) -> [ObjectHeader]) throws(BlobError) {
        let (headers, taken) = try files.changing.withLock { (_) throws(BlobError) -> ([ObjectHeader], [UInt32]) in
            let headers = try find()
            var objects: [(objectID: [UInt8], slot: UInt32?)] = []
            for header in headers where header.state != .void {
                if header.studyKey == ObjectHeader.noKey {
                    objects += try slots { key in BlobLocation(pack: key.pack, offset: key.offset) == header.location }
                    continue
                }
                objects.append((header.objectID, header.keyPlace == .header ? nil : header.slot))
                // A pack that was brought back from an old copy names no slot, though there is one.
                guard header.keyPlace == .header, wasCopied(header.location) else { continue }
                objects += try slots { key in key.objectID == header.objectID }
            }
            let overwritten = try BlobError.unlocking { () throws(KeyError) in try keys.objects.destroy(objects) }
            for header in headers { try writeVoid(header) }
            // Not every slot that is named: one may hold another object's key by now.
            return (headers, overwritten)
        }
        try Self.syncAndFree(headers.map(\.voided), files: files)
        keys.objects.release(taken)
    }

    /// Makes the header of an object whose key is still beside it void, without a sync; false if it is not.
    func voidUncopied(_ location: BlobLocation) throws(BlobError) -> Bool {
        try files.changing.withLock { (_) throws(BlobError) -> Bool in
            let header = try files.header(location, allowsVoid: true, isChanging: true)
            guard header.keyPlace == .header, !wasCopied(location) else { return false }
            try writeVoid(header)
            return true
        }
    }

    /// Overwrites the header by one that keeps only the extent.
    private func writeVoid(_ header: ObjectHeader) throws(BlobError) {
        if header.state == .void { return }
        let file = try files.file(header.location.pack)
        let page =
            header.voided.encoded + [UInt8](repeating: 0, count: ChunkFormat.pageByteCount - ObjectHeader.byteCount)
        try BlobError.wrapping { () throws(SystemFailure) in try file.write(page, at: header.location.offset) }
    }

    private func slots(
        where isWanted: (ObjectKey) -> Bool
    ) throws(BlobError) -> [(objectID: [UInt8], slot: UInt32?)] {
        try BlobError.unlocking { () throws(KeyError) in
            var found: [(objectID: [UInt8], slot: UInt32?)] = []
            _ = try keys.objects.each { slot, key in if isWanted(key) { found.append((key.objectID, slot)) } }
            return found
        }
    }

    /// Makes void headers of one pack or several durable and frees what lies behind them.
    static func syncAndFree(_ headers: [ObjectHeader], files: PackFiles) throws(BlobError) {
        for number in Set(headers.map(\.location.pack)) {
            let file = try files.file(number)
            try BlobError.wrapping { () throws(SystemFailure) in
                try file.syncData()
                for header in headers where header.location.pack == number {
                    let page = UInt64(ChunkFormat.pageByteCount)
                    guard header.extent > page else { continue }
                    do throws(SystemFailure) {
                        try file.punchHole(at: header.location.offset + page, byteCount: header.extent - page)
                    } catch  where error.errno == EOPNOTSUPP {
                        // The room is lost until its pack goes, the object is gone all the same.
                    }
                }
            }
        }
    }

    /// Frees queued objects; what fails is freed by the next `destroy` of the same location.
    static func release(_ locations: [BlobLocation], files: PackFiles) {
        let headers = locations.compactMap { try? files.header($0, allowsVoid: true) }.filter { $0.state == .void }
        try? syncAndFree(headers, files: files)
    }
}
