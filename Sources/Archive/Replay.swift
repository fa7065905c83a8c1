import BlobStore
import Catalog
import DICOM

/// What the start found between the packs, the journal and the catalogue.
public struct Reconciliation: Sendable {
    /// Acknowledged objects the catalogue did not have yet.
    public var objectsAdded = 0
    /// Journal entries the catalogue did not have yet.
    public var eventsApplied = 0
    /// Objects that were being written when the service ended; never acknowledged, not shown.
    public var tornObjects = 0
    /// Objects whose record cannot be read.
    public var damagedObjects = 0
    /// Whether the directory was copied while a service ran on it, and the catalogue was built anew for that.
    public var isCopy = false
}

/// Brings a catalogue up to the packs and the journal: the tail after a start, everything for a rebuild.
struct Replay {
    let blobs: BlobStore
    let catalog: Catalog

    private enum Item {
        case object(BlobLocation)
        case event(JournalEntry)
    }

    /// Objects a rebuild keeps in order in memory at 24 bytes each.
    private typealias Entry = (sequence: UInt64, item: Item)

    func run(
        fromStart: Bool = false, progress: (Int, Int) -> Void = { _, _ in }
    ) throws(ArchiveError) -> (report: Reconciliation, lastSequence: UInt64) {
        var report = Reconciliation()
        do {
            var last = try catalog.lastSequence()
            let positions = fromStart ? [:] : try catalog.positions()
            let applied = fromStart ? 0 : try catalog.appliedEventSequence()
            var entries: [Entry] = []
            let scan = try blobs.scan(from: positions) { object in
                if !object.isKeyDestroyed { entries.append((object.sequence, .object(object.location))) }
            }
            report.tornObjects = scan.tornCount
            report.damagedObjects = scan.damaged.count
            let events = try blobs.scanEvents { event in
                last = max(last, event.sequence)
                guard event.sequence > applied else { return }
                entries.append((event.sequence, .event(try JournalEntry(encoded: event.bytes))))
            }
            report.damagedObjects += events.damaged.count
            entries.sort { $0.sequence < $1.sequence }
            for (index, entry) in entries.enumerated() {
                last = max(last, entry.sequence)
                try apply(entry, &report)
                progress(index + 1, entries.count)
            }
            try catalog.settle()
            return (report, last)
        } catch let error as CatalogError {
            throw ArchiveError(error)
        } catch let error as BlobError {
            throw ArchiveError(error)
        } catch { throw .damaged }
    }

    private func apply(_ entry: Entry, _ report: inout Reconciliation) throws(CatalogError) {
        switch entry.item {
        case .event(let event):
            try catalog.settle()
            try catalog.apply(event, sequence: entry.sequence)
            report.eventsApplied += 1
        case .object(let location):
            if try catalog.isKnown(sequence: entry.sequence) { return }
            guard let record = read(location) else {
                report.damagedObjects += 1
                return
            }
            let ticket = catalog.submit(
                record.record, pack: location.pack, byteOffset: location.offset, studyKey: record.studyKey)
            catalog.confirm(ticket)
            _ = try catalog.outcome(of: ticket)
            report.objectsAdded += 1
        }
    }

    private func read(_ location: BlobLocation) -> (record: InstanceRecord, studyKey: [UInt8])? {
        guard let reader = try? blobs.open(location),
            let record = try? InstanceRecord(encoded: reader.record())
        else { return nil }
        return (record, reader.studyKey.bytes)
    }
}
