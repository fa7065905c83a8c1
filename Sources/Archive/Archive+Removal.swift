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
        let destroyAt = now ? Self.now() : destructionTime()
        // Compression moves nothing between the order, which says where bytes lie, and the removal; nor is a hold put on between.
        let (holdings, certificate) = try relocation.withLock { _ throws(ArchiveError) -> ([Holding], String) in
            let study = try ask { catalog throws(CatalogError) in
                try catalog.removalGuard(studyInstanceUID: studyInstanceUID)
            }
            if study.held { throw .held }
            if now && study.accessionNumbers != accessionNumbers {
                throw .accessionNumberDiffers(count: max(1, study.accessionNumbers.count))
            }
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
        // What is brought back is not being destroyed.
        try relocation.withLock { _ throws(ArchiveError) in
            let holdings = try ask { catalog throws(CatalogError) in
                try catalog.removed(studyInstanceUID: studyInstanceUID, restorable: true)
            }
            guard !holdings.isEmpty else { throw .notFound }
            try record(.restored(instances: holdings.map(\.sequence)))
            return holdings.count
        }
    }

    /// Puts a study under a hold, or releases it.
    public func hold(studyInstanceUID: String, _ on: Bool) throws(ArchiveError) {
        try relocation.withLock { _ throws(ArchiveError) in
            let holdings = try ask { catalog throws(CatalogError) in
                try catalog.holdings(studyInstanceUIDs: [studyInstanceUID], visibility: .everything, limit: -1)
            }
            guard !holdings.isEmpty else { throw .notFound }
            try record(.held(instances: holdings.map(\.sequence), on))
        }
    }

    /// Destroys keys and bytes of what is removed; what was brought back or put under a hold since it was looked up is left. An
    /// interrupted destruction is taken up again by the caretaker.
    ///
    /// - Throws: what kept any of them; the others are destroyed, and only of those it is noted.
    func destroy(_ holdings: [Holding]) throws(ArchiveError) {
        var failure: BlobError?
        try relocation.withLock { _ throws(ArchiveError) in
            let wanted = try ask { catalog throws(CatalogError) in
                try catalog.destroyable(sequences: holdings.map(\.sequence))
            }
            // Compression may have given an instance another place since it was looked up.
            let current = try ask { catalog throws(CatalogError) in try catalog.whereabouts(wanted.map(\.sequence)) }
            let numbers = Set(wanted.map(\.sequence))
            var places = Set(
                holdings.lazy.filter { numbers.contains($0.sequence) }.map {
                    BlobPlace(
                        location: BlobLocation(pack: $0.pack, offset: $0.byteOffset), sequence: $0.sequence)
                })
            for place in current {
                let former = place.former.map { BlobLocation(pack: $0.pack, offset: $0.byteOffset) }
                for location in [BlobLocation(pack: place.pack, offset: place.byteOffset), former].compactMap({ $0 }) {
                    places.insert(BlobPlace(location: location, sequence: place.sequence))
                }
            }
            let failures: [BlobPlace: BlobError]
            do throws(BlobError) { failures = try blobs.destroy(Array(places)) } catch { throw ArchiveError(error) }
            failure = failures.values.first
            let left = Set(failures.keys.map(\.sequence))
            undestroyed.withLock { $0.formUnion(left) }
            let gone = wanted.filter { !left.contains($0.sequence) }
            guard !gone.isEmpty else { return }
            metadataShelf.forget(gone.map(\.sequence))
            try record(.destroyed(instances: gone.map(\.sequence)))
        }
        try destroySpentKeys()
        if let failure { throw ArchiveError(failure) }
    }

    /// Destroys those keys of studies that nothing needs any more, also where the service ended before it could. What cannot be decided
    /// yet, for a store is under way with it, waits for the next time.
    func destroySpentKeys() throws(ArchiveError) {
        let spent = try ask { catalog throws(CatalogError) in try catalog.spentStudyKeys() }
        var decided: [[UInt8]] = []
        for key in spent {
            guard let id = KeyID(bytes: key) else { continue }
            let isDecided = try studyKeys.destroy(id) { () throws(ArchiveError) in
                try ask { catalog throws(CatalogError) in try catalog.usesStudyKey(key) }
            }
            if isDecided { decided.append(key) }
        }
        guard !decided.isEmpty else { return }
        try ask { catalog throws(CatalogError) in try catalog.forgetSpentStudyKeys(decided) }
    }

    /// Objects that are destroyed together.
    static let dueLimit = 1000

    /// Destroys what is due, at most `dueLimit` of it; returns how many objects were tried.
    ///
    /// What could not be destroyed is left out of later calls until `undestroyed` is emptied: the rest does not wait for it.
    func destroyDue() throws(ArchiveError) -> Int {
        let left = undestroyed.withLock { $0 }
        let due = try ask { catalog throws(CatalogError) in
            try catalog.due(at: Self.now(), limit: Self.dueLimit + left.count)
        }.filter { !left.contains($0.sequence) }
        var failure: ArchiveError?
        if !due.isEmpty { do throws(ArchiveError) { try destroy(due) } catch { failure = error } }
        try certify()
        if let failure { throw failure }
        return due.count
    }

    /// Orders the destruction of what was replaced where the service ended before it could.
    func orderSuperseded() throws(ArchiveError) {
        try relocation.withLock { _ throws(ArchiveError) in
            let old = try ask { catalog throws(CatalogError) in
                try catalog.supersededWithoutOrder(limit: Self.dueLimit)
            }
            if !old.isEmpty { try record(.removed(instances: old, destroyAt: destructionTime())) }
        }
    }
}
