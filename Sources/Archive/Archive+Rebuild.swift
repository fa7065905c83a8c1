import Catalog
import Foundation

extension Archive {
    /// Rebuilds the catalogue from packs, journal and keys alone, and takes it into use.
    ///
    /// Queries go on with the old one meanwhile; stores wait until it is done.
    ///
    /// - Parameter progress: objects and events done, and how many there are.
    public func reindex(progress: (Int, Int) -> Void) throws(ArchiveError) -> Reconciliation {
        try gate.alone { () throws(ArchiveError) in
            try eventLock.withLock { late throws(ArchiveError) in
                let report = try rebuild(progress)
                // They are in the journal, so in the new catalogue.
                late = []
                lateEvents.store(0, ordering: .relaxed)
                return report
            }
        }
    }

    private func rebuild(_ progress: (Int, Int) -> Void) throws(ArchiveError) -> Reconciliation {
        let path = directory + "/" + Self.catalogName
        let fresh = path + ".rebuilt"
        for suffix in ["", "-wal", "-shm"] { unlink(fresh + suffix) }
        let built: Catalog
        let privates = settings.privateAttributes
        do throws(CatalogError) { built = try Catalog(path: fresh, key: catalogKey, privates: privates) } catch {
            throw ArchiveError(error)
        }
        let replay = Replay(blobs: blobs, catalog: built, privates: privates)
        let report = try replay.run(fromStart: true, progress: progress).report
        do throws(CatalogError) { try built.close() } catch { throw ArchiveError(error) }
        // A query that is still reading the old tables may keep them from closing in order; nothing depends on them
        // any more, and the last reader closes them.
        try? ask { catalog throws(CatalogError) in try catalog.close() }
        for suffix in ["-wal", "-shm"] { unlink(path + suffix) }
        guard rename(fresh, path) == 0 else { throw .damaged }
        copyMark.set()
        do throws(CatalogError) {
            replaceCatalog(try Catalog(path: path, key: catalogKey, privates: privates))
        } catch { throw ArchiveError(error) }
        return report
    }
}
