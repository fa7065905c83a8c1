import BlobStore

/// The content of an object whose pieces come in any order and over any time: each lies in the packs already, where it will be
/// read, and the object is made of it by `Archive.receive`. Safe from any thread.
public final class ArrivingContent: Sendable {
    /// Where it lies, to find it again after a restart.
    public struct Place: Hashable, Sendable {
        public var pack: UInt32
        public var offset: UInt64

        public init(pack: UInt32, offset: UInt64) {
            self.pack = pack
            self.offset = offset
        }

        var location: BlobLocation { BlobLocation(pack: pack, offset: offset) }
    }

    let place: ReservedPlace

    init(_ place: ReservedPlace) { self.place = place }

    public var byteCount: UInt64 { place.byteCount }
    public var location: Place { Place(pack: place.location.pack, offset: place.location.offset) }

    /// Seals a piece to its place: whole multiples of 64 KiB, or up to the end.
    ///
    /// - Throws: `.unwanted` for a piece that is not the one that lies there; `.full`.
    public func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(ArchiveError) {
        do throws(BlobError) { try place.write(bytes, at: offset) } catch {
            throw error == .differs ? .unwanted : ArchiveError(error)
        }
    }

    /// - Throws: `.damaged` where nothing was written, or other bytes lie there.
    public func read(offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int {
        do throws(BlobError) { return try place.read(offset: offset, into: buffer) } catch { throw ArchiveError(error) }
    }

    /// Returns once what was written before survives a power cut; those who call it together share one sync.
    public func sync() throws(ArchiveError) {
        do throws(BlobError) { try place.sync() } catch { throw ArchiveError(error) }
    }

    /// Whether pieces can come, or an object can be made of it: not once one was, it was given up, or a sync failed.
    public var isUsable: Bool { place.isUsable }

    /// Gives its room back, unless an object was made of it.
    public func abandon() { place.abandon() }
}

extension Archive {
    /// Keeps a place for an object of this length.
    ///
    /// - Throws: `.full` when it would leave less than the reserve free.
    public func reserve(byteCount: UInt64) throws(ArchiveError) -> ArrivingContent {
        do throws(BlobError) { return ArrivingContent(try blobs.reserve(byteCount: byteCount)) } catch {
            throw ArchiveError(error)
        }
    }

    /// What was reserved before; nil when an object was made of it, or it was given up.
    public func arrivingContent(
        at place: ArrivingContent.Place, byteCount: UInt64
    ) throws(ArchiveError) -> ArrivingContent? {
        do throws(BlobError) {
            return try blobs.reservedPlace(at: place.location, byteCount: byteCount).map(ArrivingContent.init)
        } catch { throw ArchiveError(error) }
    }

    /// Gives back the room of everything that was reserved in earlier runs, but for these.
    public func abandonArrivingContent(except kept: Set<ArrivingContent.Place>) throws(ArchiveError) {
        do throws(BlobError) { try blobs.abandonPlaces(except: Set(kept.map(\.location))) } catch {
            throw ArchiveError(error)
        }
    }
}
