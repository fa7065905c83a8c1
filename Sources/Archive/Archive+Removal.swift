import BlobStore
import Catalog
import Keys

extension Archive {
    /// What a removal or restoration touched.
    public struct Removal: Sendable {
        public var instances: Int
        /// When they are destroyed, in milliseconds since 1970.
        public var destroyAt: Int64
        /// The name of the certificate: written now, or once they are destroyed.
        public var certificate: String
    }

    /// Hides a study, series or instance at once; keys and bytes are destroyed after the grace period, or now.
    ///
    /// - Parameters:
    ///   - accessionNumbers: asked for when `now` is true; must be the study's, and where it is held for several patients
    ///     or institutions those of each: all of that is removed.
    ///   - person: who orders it, for the certificate.
    ///   - reason: why, for the certificate.
    /// - Throws: `.held`, `.notFound`, `.accessionNumberDiffers`.
    public func remove(
        studyInstanceUID: String, seriesInstanceUID: String? = nil, sopInstanceUID: String? = nil, now: Bool = false,
        accessionNumbers: Set<String> = [], by person: String = "", reason: String = ""
    ) throws(ArchiveError) -> Removal {
        let study = try ask { catalog throws(CatalogError) in
            try catalog.removalGuard(studyInstanceUID: studyInstanceUID)
        }
        if study.held { throw .held }
        if now && study.accessionNumbers != accessionNumbers {
            throw .accessionNumberDiffers(count: max(1, study.accessionNumbers.count))
        }
        let destroyAt = now ? Self.now() : destructionTime()
        // Compression moves nothing between the order, which says where bytes lie, and the removal.
        let (holdings, certificate) = try relocation.withLock { _ throws(ArchiveError) -> ([Holding], String) in
            let holdings = try ask { catalog throws(CatalogError) in
                let shown = try catalog.holdings(
                    studyInstanceUIDs: [studyInstanceUID], seriesInstanceUIDs: seriesInstanceUID.map { [$0] } ?? [],
                    sopInstanceUIDs: sopInstanceUID.map { [$0] } ?? [], withVersions: true, visibility: .everything,
                    limit: -1)
                let isWhole = seriesInstanceUID == nil && sopInstanceUID == nil
                return now && isWhole ? shown + (try catalog.removed(studyInstanceUID: studyInstanceUID)) : shown
            }
            guard !holdings.isEmpty else { throw .notFound }
            let certificate = try noteOrder(
                holdings, study: studyInstanceUID, by: person, reason: reason, destroyAt: destroyAt)
            try record(.removed(instances: holdings.map(\.sequence), destroyAt: destroyAt))
            return (holdings, certificate)
        }
        if now {
            try destroy(holdings)
            try certify()
        }
        return Removal(instances: holdings.count, destroyAt: destroyAt, certificate: certificate)
    }

    /// Brings back what was removed from a study and not destroyed yet.
    public func restore(studyInstanceUID: String) throws(ArchiveError) -> Int {
        let holdings = try ask { catalog throws(CatalogError) in
            try catalog.removed(studyInstanceUID: studyInstanceUID, restorable: true)
        }
        guard !holdings.isEmpty else { throw .notFound }
        try record(.restored(instances: holdings.map(\.sequence)))
        return holdings.count
    }

    /// Puts a study under a hold, or releases it.
    public func hold(studyInstanceUID: String, _ on: Bool) throws(ArchiveError) {
        let holdings = try ask { catalog throws(CatalogError) in
            try catalog.holdings(studyInstanceUIDs: [studyInstanceUID], visibility: .everything, limit: -1)
        }
        guard !holdings.isEmpty else { throw .notFound }
        try record(.held(instances: holdings.map(\.sequence), on))
    }

    /// Destroys keys and bytes. An interrupted destruction is taken up again by the caretaker.
    func destroy(_ holdings: [Holding]) throws(ArchiveError) {
        try relocation.withLock { _ throws(ArchiveError) in
            // Compression may have given an instance another place since it was looked up.
            let places = try ask { catalog throws(CatalogError) in
                try catalog.whereabouts(holdings.map(\.sequence))
            }
            let current = places.map { BlobLocation(pack: $0.pack, offset: $0.byteOffset) }
            let former = places.compactMap(\.former).map { BlobLocation(pack: $0.pack, offset: $0.byteOffset) }
            let given = holdings.map { BlobLocation(pack: $0.pack, offset: $0.byteOffset) }
            do throws(BlobError) { try blobs.destroy(Array(Set(given + current + former))) } catch {
                throw ArchiveError(error)
            }
            metadataShelf.forget(holdings.map(\.sequence))
            try record(.destroyed(instances: holdings.map(\.sequence)))
        }
        for key in Set(holdings.map(\.studyKey)) {
            guard let id = KeyID(bytes: key) else { continue }
            try studyKeys.destroy(id) { () throws(ArchiveError) in
                try ask { catalog throws(CatalogError) in try catalog.usesStudyKey(key) }
            }
        }
    }

    /// Destroys what is due; returns how many objects that were.
    func destroyDue() throws(ArchiveError) -> Int {
        let due = try ask { catalog throws(CatalogError) in try catalog.due(at: Self.now(), limit: 1000) }
        if !due.isEmpty { try destroy(due) }
        try certify()
        return due.count
    }
}
