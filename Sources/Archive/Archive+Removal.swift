import BlobStore
import Catalog
import Keys

extension Archive {
    /// What a removal or restoration touched.
    public struct Removal: Sendable {
        public var instances: Int
        /// When they are destroyed, in milliseconds since 1970.
        public var destroyAt: Int64
    }

    /// Hides a study, series or instance at once; keys and bytes are destroyed after the grace period, or now.
    ///
    /// - Parameter accessionNumber: asked for when `now` is true; must be the study's.
    /// - Throws: `.held`, `.notFound`, `.accessionNumberDiffers`.
    public func remove(
        studyInstanceUID: String, seriesInstanceUID: String? = nil, sopInstanceUID: String? = nil, now: Bool = false,
        accessionNumber: String? = nil
    ) throws(ArchiveError) -> Removal {
        let study = try ask { catalog throws(CatalogError) in
            try catalog.removalGuard(studyInstanceUID: studyInstanceUID)
        }
        if study.held { throw .held }
        if now && !study.accessionNumbers.contains(accessionNumber ?? "") { throw .accessionNumberDiffers }
        let holdings = try ask { catalog throws(CatalogError) in
            let shown = try catalog.holdings(
                studyInstanceUIDs: [studyInstanceUID], seriesInstanceUIDs: seriesInstanceUID.map { [$0] } ?? [],
                sopInstanceUIDs: sopInstanceUID.map { [$0] } ?? [], withVersions: true, visibility: .everything,
                limit: -1)
            let isWhole = seriesInstanceUID == nil && sopInstanceUID == nil
            return now && isWhole ? shown + (try catalog.removed(studyInstanceUID: studyInstanceUID)) : shown
        }
        guard !holdings.isEmpty else { throw .notFound }
        let destroyAt = now ? Self.now() : destructionTime()
        try record(.removed(instances: holdings.map(\.sequence), destroyAt: destroyAt))
        if now { try destroy(holdings) }
        return Removal(instances: holdings.count, destroyAt: destroyAt)
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
        for holding in holdings {
            do throws(BlobError) {
                try blobs.destroy(BlobLocation(pack: holding.pack, offset: holding.byteOffset))
            } catch {
                switch error {
                case .notFound, .keyDestroyed: continue
                default: throw ArchiveError(error)
                }
            }
        }
        try record(.destroyed(instances: holdings.map(\.sequence)))
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
        return due.count
    }
}
