import Catalog
import Foundation
import Synchronization

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
                damage.unlisted.store(report.damagedObjects, ordering: .relaxed)
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
        guard rename(fresh, path) == 0 else {
            try openCatalogInPlace()
            throw .damaged
        }
        copyMark.set()
        try openCatalogInPlace()
        return report
    }

    /// Takes the catalogue that lies in its place into use; if it cannot be opened, the caretaker goes on trying.
    private func openCatalogInPlace() throws(ArchiveError) {
        isCatalogLost.store(true, ordering: .relaxed)
        do throws(CatalogError) {
            if let refusal = openingWatch.withLock({ $0 })?() { throw refusal }
            replaceCatalog(
                try Catalog(
                    path: directory + "/" + Self.catalogName, key: catalogKey, privates: settings.privateAttributes))
        } catch { throw ArchiveError(error) }
        isCatalogLost.store(false, ordering: .relaxed)
    }

    /// Opens the catalogue where a rebuild could not.
    func findCatalog() throws(ArchiveError) {
        guard isCatalogLost.load(ordering: .relaxed) else { return }
        try gate.alone { () throws(ArchiveError) in
            try eventLock.withLock { _ throws(ArchiveError) in try openCatalogInPlace() }
        }
    }

    /// Whether there is no catalogue to be asked since a rebuild could not open the new one; then every call fails.
    public var hasLostCatalog: Bool { isCatalogLost.load(ordering: .relaxed) }
}
