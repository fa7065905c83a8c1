import BlobStore
import Catalog
import DICOM
import Keys

extension Archive {
    /// Opens a way in; its studies are not complete before it ends.
    public func arrival() -> Arrival { Arrival(board: arrivals) }

    /// Begins to receive one object.
    ///
    /// - Parameters:
    ///   - expectedClass: SOP Class UID announced beside the dataset; the dataset's own counts.
    ///   - expectedUID: SOP Instance UID announced beside the dataset; the dataset's own counts.
    ///   - announced: set where it comes by a transfer, with which it is shown.
    ///   - content: where the bytes lie already that will be appended; nothing of them is written again.
    ///   - batch: set where it is to become durable with others, by `finish(in:)`.
    /// - Throws: `.full` when the disk is below its reserve; `.closed`.
    public func receive(
        from sender: Sender, by arrival: Arrival, defaultIssuer: String, transferSyntax: TransferSyntax,
        expectedClass: String?, expectedUID: String?, announced: AnnouncedObject? = nil,
        content: ArrivingContent? = nil, in batch: IncomingBatch? = nil
    ) throws(ArchiveError) -> Incoming {
        try Incoming(
            archive: self, sender: sender, arrival: arrival, defaultIssuer: defaultIssuer,
            transferSyntax: transferSyntax, expectedClass: expectedClass, expectedUID: expectedUID,
            announced: announced, content: content, batch: batch)
    }

    /// Gives every match to `each` until it returns false. PS3.4 §C.4.1.
    ///
    /// - Parameter isWanted: asked now and then, also while nothing is found; false ends the search.
    public func find(
        _ query: Query, while isWanted: @escaping () -> Bool = { true }, each: (Match) -> Bool
    ) throws(ArchiveError) {
        try ask { catalog throws(CatalogError) in try catalog.find(query, while: isWanted, each: each) }
    }

    /// How many matches there are, counted up to a limit.
    public func count(
        _ query: Query, upTo limit: Int, while isWanted: @escaping () -> Bool = { true }
    ) throws(ArchiveError) -> Int {
        try ask { catalog throws(CatalogError) in try catalog.count(query, upTo: limit, while: isWanted) }
    }

    /// What a retrieval names: unique keys of one level, lists allowed. PS3.4 §C.4.2.2.
    public func holdings(
        patientID: String?, studyInstanceUIDs: [String], seriesInstanceUIDs: [String], sopInstanceUIDs: [String],
        visibility: Visibility, limit: Int
    ) throws(ArchiveError) -> [Holding] {
        try ask { catalog throws(CatalogError) in
            try catalog.holdings(
                patientID: patientID, studyInstanceUIDs: studyInstanceUIDs, seriesInstanceUIDs: seriesInstanceUIDs,
                sopInstanceUIDs: sopInstanceUIDs, visibility: visibility, limit: limit)
        }
    }

    /// A study's objects, series by series; none under a conflict mark.
    public func series(
        ofStudy uid: String, visibility: Visibility, limit: Int
    ) throws(ArchiveError) -> [[Holding]] {
        try ask { catalog throws(CatalogError) in
            try catalog.series(ofStudy: uid, visibility: visibility, limit: limit)
        }
    }

    /// Those of these objects that are shown, in no order of meaning.
    public func shown(sequences: [UInt64]) throws(ArchiveError) -> [Holding] {
        try ask { catalog throws(CatalogError) in try catalog.holdings(sequences: sequences, shownOnly: true) }
    }

    /// Opens one object for reading.
    public func open(_ holding: Holding) throws(ArchiveError) -> StoredObject {
        do throws(ArchiveError) { return try openWhereItLay(holding) } catch {
            guard case .notFound = error else { throw error }
            // Compressed since it was looked up.
            let now = try ask { catalog throws(CatalogError) in
                try catalog.holdings(sequences: [holding.sequence]).first
            }
            guard let now, now.pack != holding.pack || now.byteOffset != holding.byteOffset else { throw error }
            return try openWhereItLay(now)
        }
    }

    private func openWhereItLay(_ holding: Holding) throws(ArchiveError) -> StoredObject {
        let location = BlobLocation(pack: holding.pack, offset: holding.byteOffset)
        guard let lease = leases.take(location) else { throw .notFound }
        let reader: BlobReader
        do throws(BlobError) { reader = try blobs.open(location) } catch { throw ArchiveError(error) }
        // A pack from an old copy, or damage, may have left the place to another object, of another patient.
        guard reader.sequence == holding.sequence else { throw .damaged }
        return try StoredObject(holding: holding, reader: reader, lease: lease, coder: settings.frameCoder)
    }

    /// Reads one object again from the disk, every chunk and its digest.
    ///
    /// - Throws: `.damaged` when anything differs from what was written, or is not there although it is shown; `.notFound` for
    ///   what was destroyed since it was looked up.
    public func verify(_ holding: Holding) throws(ArchiveError) {
        do throws(ArchiveError) { try verifyContent(of: holding) } catch {
            // Nothing is destroyed before it is hidden.
            if case .notFound = error, try shown(sequences: [holding.sequence]).isEmpty { throw error }
            switch error {
            case .damaged, .notFound:
                damage.note(holding.sequence)
                throw .damaged
            default: throw error
            }
        }
        damage.forget(holding.sequence)
    }

    /// Whether queries show an instance: neither removed nor replaced since it was looked up.
    public func isShown(_ holding: Holding) throws(ArchiveError) -> Bool {
        try !shown(sequences: [holding.sequence]).isEmpty
    }

    /// Counts what was kept and is in no list, since its record or its header cannot be read.
    ///
    /// - Parameter known: places of damaged objects that are listed.
    public func unlisted(besides known: Set<BlobLocation>) throws(ArchiveError) -> Int {
        var count = 0
        do {
            try blobs.survey { place in
                let isListed = try ask { catalog throws(CatalogError) in
                    try catalog.isKnown(
                        sequence: place.sequence, pack: place.location.pack, byteOffset: place.location.offset)
                }
                // One that can be read is on its way into the catalogue, or left over by an interrupted compression.
                if !isListed, isUnreadable(place.location) { count += 1 }
            } lost: { location in
                if !known.contains(location) { count += 1 }
            }
        } catch let error as ArchiveError {
            throw error
        } catch let error as BlobError {
            throw ArchiveError(error)
        } catch { throw .damaged }
        damage.unlisted.store(count, ordering: .relaxed)
        return count
    }

    /// How many objects that are shown were found damaged since the start, and how many places hold one that is in no list, as they
    /// were counted last: by the start for what it looked at, by `reindex`, or by `unlisted`.
    public func knownDamage() throws(ArchiveError) -> (objects: Int, unlisted: Int) {
        // What was sent again since, or removed, is hidden.
        (try damage.isEmpty ? 0 : shown(sequences: damage.all).count, damage.unlisted.load(ordering: .relaxed))
    }

    /// Whether what lies there has no record that can be read, and was not destroyed since.
    private func isUnreadable(_ location: BlobLocation) -> Bool {
        do throws(BlobError) {
            let reader = try blobs.open(location)
            return Archive.record(of: reader, settings.privateAttributes) == nil
        } catch {
            switch error {
            case .notFound, .keyDestroyed: return false
            default: return true
            }
        }
    }

    /// Whether an instance was found damaged, and is.
    func isDamaged(_ holding: Holding) -> Bool {
        guard damage.contains(holding.sequence) else { return false }
        do throws(ArchiveError) { try verify(holding) } catch {
            if case .damaged = error { return true }
        }
        return false
    }

    /// Whether an institution sent what is held under a SOP Instance UID, which was found damaged, and is: what it sends now takes
    /// the place of that.
    public func mayHeal(sopInstanceUID: String, by institution: String) throws(ArchiveError) -> Bool {
        guard !damage.isEmpty else { return false }
        let held = try ask { catalog throws(CatalogError) in
            guard catalog.mayHold(sopInstanceUID: sopInstanceUID) else { return [] as [Holding] }
            return try catalog.held(sopInstanceUID: sopInstanceUID, institution: institution)
        }
        guard let first = held.first else { return false }
        return first.sender.institution == institution && isDamaged(first)
    }

    private func verifyContent(of holding: Holding) throws(ArchiveError) {
        let object = try open(holding)
        if object.compressed != nil {
            _ = try object.metadata()
            guard object.byteCount == holding.byteCount else { throw .damaged }
            let digest: [UInt8]
            do { digest = try Self.digest(of: object) } catch {
                // Nothing is said of the bytes then.
                if case .coderFailed = error as? ArchiveError { throw .coderFailed }
                throw .damaged
            }
            guard digest == holding.digest else { throw .damaged }
            return
        }
        let holding = object.holding
        let found: Verification
        do throws(BlobError) {
            found = try blobs.verify(
                BlobLocation(pack: holding.pack, offset: holding.byteOffset),
                expectedDigest: ContentDigest(sha256: holding.digest, byteCount: holding.byteCount))
        } catch { throw ArchiveError(error) }
        guard found == .intact else { throw .damaged }
    }

    /// When what is removed now is destroyed, in milliseconds since 1970.
    func destructionTime() -> Int64 {
        let (seconds, _) = settings.gracePeriod.components
        return Self.now() + seconds * 1000
    }
}
