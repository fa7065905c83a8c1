import Keys
import Synchronization

/// Places that are open, by their pack; whoever asks twice gets the same.
final class OpenPlaces: Sendable {
    struct Entry { weak var place: ReservedPlace? }

    let entries = Mutex<[UInt32: Entry]>([:])
}

extension BlobStore {
    /// Keeps a place for an object of this length.
    ///
    /// - Throws: `.full` when it would leave less than the reserve free; `.closed`, `.io`, `.key`.
    public func reserve(byteCount: UInt64) throws(BlobError) -> ReservedPlace {
        try checkOpen()
        let free = try freeByteCount()
        let wanted = ChunkFormat.roundedUp(ChunkFormat.contentOffset + ChunkFormat.sealedByteCount(of: byteCount))
        guard free >= wanted, free - wanted >= shelf.options.reserveByteCount else { throw .full(freeByteCount: free) }
        let seal = try ObjectSeal()
        let pack = try BlobError.wrapping { () throws(SystemFailure) in
            try shelf.reservePack(expectedByteCount: wanted)
        }
        let place = ReservedPlace(
            store: self, pack: pack, location: BlobLocation(pack: pack.number, offset: pack.end), byteCount: byteCount,
            seal: seal, isFound: false)
        places.entries.withLock { $0[pack.number] = .init(place: place) }
        do throws(BlobError) { try place.reserve() } catch {
            place.abandon()
            throw completed(error)
        }
        return place
    }

    /// The place that was reserved there, and no object was made of it since.
    ///
    /// - Returns: nil where there is none, of that length.
    /// - Throws: `.closed`, `.io`, `.key`.
    public func reservedPlace(at location: BlobLocation, byteCount: UInt64) throws(BlobError) -> ReservedPlace? {
        try checkOpen()
        // Opened by one at a time.
        return try places.entries.withLock { (entries) throws(BlobError) -> ReservedPlace? in
            if let held = entries[location.pack]?.place {
                guard held.location == location, held.byteCount == byteCount else { return nil }
                held.wasAskedFor()
                return held
            }
            // Of a pack whose sync failed nobody knows what is on the disk.
            guard shelf.reservedOffset(location.pack) == location.offset, !shelf.isSealed(location.pack) else {
                return nil
            }
            let pack = try BlobError.wrapping { () throws(SystemFailure) in try shelf.openReserved(location) }
            guard let seal = try found(location, byteCount, in: pack) else { return nil }
            let place = ReservedPlace(
                store: self, pack: pack, location: location, byteCount: byteCount, seal: seal, isFound: true)
            entries[location.pack] = .init(place: place)
            return place
        }
    }

    private func found(
        _ location: BlobLocation, _ byteCount: UInt64, in pack: Pack
    ) throws(BlobError) -> ObjectSeal? {
        guard let header = try HeaderSearch(file: pack.file, number: pack.number).header(at: location.offset),
            header.state == .reserved, header.contentByteCount == byteCount
        else { return nil }
        return try BlobError.unlocking { () throws(KeyError) in
            let wrapping = try reservingKey()
            let key = try header.wrappedKey.withRawBytes { (wrapped) throws(KeyError) in
                try header.objectID.withRawBytes { (purpose) throws(KeyError) in
                    try withCipher { (cipher) throws(KeyError) in
                        try cipher.unwrap(wrapped, by: wrapping, purpose: purpose)
                    }
                }
            }
            return ObjectSeal(objectID: header.objectID, objectKey: key)
        }
    }

    /// Gives up every reserved place but these; before anything is reserved.
    ///
    /// - Returns: how many there were.
    @discardableResult
    public func abandonPlaces(except kept: Set<BlobLocation>) throws(BlobError) -> Int {
        var count = 0
        for location in shelf.reservedLocations where !kept.contains(location) {
            let isOpen = places.entries.withLock { $0[location.pack]?.place != nil }
            if isOpen { continue }
            do throws(SystemFailure) {
                let pack = try shelf.openReserved(location)
                try ReservedPlace.destroy(in: pack, at: location.offset)
                shelf.release(pack, end: location.offset)
                count += 1
            } catch {
                // Left for the next start: a pack that cannot be cut keeps nobody out.
            }
        }
        return count
    }

    /// A place is none any more. In one step, or somebody who asks for it between the two opens its pack a second time.
    ///
    /// - Parameters:
    ///   - isReleased: whether its pack may be written again.
    ///   - end: behind what the pack holds now; nil where that is where the place began.
    func forget(_ place: ReservedPlace, releasing isReleased: Bool, end: UInt64? = nil) {
        places.entries.withLock { entries in
            if isReleased { shelf.release(place.pack, end: end ?? place.location.offset) }
            entries[place.pack.number] = nil
        }
    }

    /// What wraps the keys of places that are no objects yet, and so of no study.
    func reservingKey() throws(KeyError) -> SymmetricKey { try keys.systemKey(purpose: "reserved places") }
}
