import BlobStore
import Catalog
import Keys

/// Objects of a transfer that become durable together, with as many syncs as one. Used by one thread, within `Archive.together`.
///
/// What was added waits in the catalogue's open transaction, which ends for nobody meanwhile: between the first `add` and
/// `finish` nothing may ask the catalogue, nor wait for whoever does.
public final class IncomingBatch {
    private struct Added {
        var ticket: Ticket
        var catalog: Catalog
    }

    private let archive: Archive
    private var blobs: BlobBatch?
    private var added: [Added] = []
    /// The one key of what waits.
    private var key: (name: StudyKeys.Name, entry: StudyKeys.Entry)?

    /// - Parameter takesObjects: whether objects will be written, for which a lane is waited for here.
    init(archive: Archive, takesObjects: Bool) throws(ArchiveError) {
        self.archive = archive
        guard takesObjects else { return }
        do throws(BlobError) { blobs = try archive.blobs.beginBatch() } catch { throw ArchiveError(error) }
    }

    deinit { abandon() }

    /// Where the next object is written.
    func writer() throws(BlobError) -> BlobWriter {
        guard let blobs else { throw .misused(operation: "begin") }
        return try blobs.begin()
    }

    /// The key for an object; what waits under another is finished first.
    func key(for record: InstanceRecord, in catalog: Catalog) throws(ArchiveError) -> StudyKeys.Entry {
        let name = StudyKeys.Name(record)
        if let key, key.name == name { return key.entry }
        try finish()
        let entry = try archive.studyKeys.take(for: record, in: catalog)
        key = (name, entry)
        return entry
    }

    func add(_ ticket: Ticket, in catalog: Catalog) { added.append(Added(ticket: ticket, catalog: catalog)) }

    /// Makes durable what was added; it survives a power cut on return, and is shown with its transfer.
    ///
    /// - Throws: what keeps it from being kept; nothing of it is then, but for what only the tables refuse: that is safe, and comes into
    ///   them as soon as they can.
    public func finish() throws(ArchiveError) {
        let waiting = added
        added = []
        defer {
            if let key { archive.studyKeys.release(key.entry) }
            key = nil
        }
        guard !waiting.isEmpty else { return }
        do {
            try key?.entry.durable?.wait()
            try blobs?.sync()
        } catch {
            revoke(waiting)
            if let error = error as? BlobError { throw ArchiveError(error) }
            throw .damaged
        }
        for one in waiting { one.catalog.confirm(one.ticket) }
        for one in waiting {
            // The bytes are safe and the catalogue tries again by itself; the caller may send once more.
            do throws(CatalogError) { _ = try one.catalog.outcome(of: one.ticket) } catch { throw ArchiveError(error) }
        }
    }

    private func revoke(_ waiting: [Added]) {
        for one in waiting { one.catalog.revoke(one.ticket) }
        for one in waiting { _ = try? one.catalog.outcome(of: one.ticket) }
    }

    /// Nothing remains of what was not finished.
    func abandon() {
        revoke(added)
        added = []
        if let key { archive.studyKeys.release(key.entry) }
        key = nil
        blobs?.close()
        blobs = nil
    }
}

extension Archive {
    /// Lets objects of a transfer be stored together; corrections and rebuilds wait meanwhile.
    ///
    /// - Parameter batch: made before, for who passes the gate must not wait for a lane.
    public func together<Result, Failure: Error>(
        in batch: IncomingBatch, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try gate.shared { () throws(Failure) in
            defer { batch.abandon() }
            return try body()
        }
    }

    /// Begins objects of a transfer that become durable together.
    ///
    /// - Parameters:
    ///   - takesObjects: whether there are any; it may be that there are only pieces.
    ///   - sopInstanceUIDs: of the objects, and of those whose pieces come.
    /// - Throws: `.full`, `.closed`, and what keeps the tables from taking one of them that is safe already: each time it comes again
    ///   it would be kept once more.
    public func incomingBatch(
        takesObjects: Bool, sopInstanceUIDs: some Sequence<String>
    ) throws(ArchiveError) -> IncomingBatch {
        try ask { catalog throws(CatalogError) in
            guard catalog.behindCount > 0 else { return }
            try catalog.settle()
            for uid in sopInstanceUIDs {
                if let refusal = catalog.refusal(of: uid) { throw refusal }
            }
        }
        return try IncomingBatch(archive: self, takesObjects: takesObjects)
    }
}
