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
    /// Private attributes that the catalogue is to have.
    let privates: PrivatePolicy

    private enum Item {
        case object(BlobLocation)
        case event(JournalEntry)
    }

    /// Objects a rebuild keeps in order in memory at 24 bytes each.
    private typealias Copy = (sequence: UInt64, location: BlobLocation)
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
            // What the catalogue knows was durable before it did.
            let scan = try blobs.scan(
                from: positions,
                isKnown: { place in
                    try catalog.isKnown(
                        sequence: place.sequence, pack: place.location.pack, byteOffset: place.location.offset)
                }
            ) { object in
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
            putOriginalsFirst(&entries)
            var copies: [Copy] = []
            for (index, entry) in entries.enumerated() {
                last = max(last, entry.sequence)
                try apply(entry, &report, &copies)
                progress(index + 1, entries.count)
            }
            try catalog.settle()
            try destroyLeftOver(copies)
            return (report, last)
        } catch let error as CatalogError {
            throw ArchiveError(error)
        } catch let error as BlobError {
            throw ArchiveError(error)
        } catch { throw .damaged }
    }

    /// Where the same instance was found twice, what was sent comes before what it was compressed to.
    private func putOriginalsFirst(_ entries: inout [Entry]) {
        for index in entries.indices.dropFirst() where entries[index].sequence == entries[index - 1].sequence {
            guard case .object(let first) = entries[index - 1].item, read(first)?.record.isCompressed == true else {
                continue
            }
            entries.swapAt(index, index - 1)
        }
    }

    /// Destroys what an interrupted compression wrote and the journal knows nothing of.
    private func destroyLeftOver(_ copies: [Copy]) throws {
        for copy in copies where read(copy.location)?.record.isCompressed == true {
            let place = try catalog.whereabouts([copy.sequence]).first
            if place?.pack == copy.location.pack, place?.byteOffset == copy.location.offset { continue }
            try blobs.destroy(copy.location)
        }
    }

    /// Whether compressed bytes of an instance lie there, and can take the place of what was sent.
    private func isCompressed(_ instance: UInt64, at move: CatalogEvent.Relocation) -> Bool {
        guard let reader = try? blobs.open(BlobLocation(pack: move.toPack, offset: move.toOffset)),
            reader.sequence == instance, InstanceRecord.isCompressed(encoded: reader.record())
        else { return false }
        // As long as what was sent is there, power may have been cut in the sync of what replaces it: header and record came to the
        // disk, and not all that lies between.
        let sent = try? blobs.open(BlobLocation(pack: move.fromPack, offset: move.fromOffset))
        guard sent?.sequence == instance else { return true }
        return (try? reader.check()) != nil
    }

    private func apply(
        _ entry: Entry, _ report: inout Reconciliation, _ copies: inout [Copy]
    ) throws(CatalogError) {
        switch entry.item {
        case .event(let event):
            // Journalled before its bytes were on the disk, which they never were; or destroyed since.
            if case .relocated(let instance, let move) = event.event, !isCompressed(instance, at: move) { return }
            try catalog.settle()
            try catalog.apply(event, sequence: entry.sequence, original: Archive.originals(in: blobs, privates))
            report.eventsApplied += 1
        case .object(let location):
            if try catalog.isKnown(sequence: entry.sequence) {
                copies.append((entry.sequence, location))
                return
            }
            guard let record = read(location) else {
                if !isDestroyed(location) { report.damagedObjects += 1 }
                return
            }
            let ticket = catalog.submit(
                record.record, pack: location.pack, byteOffset: location.offset, studyKey: record.studyKey,
                isReplayed: true)
            catalog.confirm(ticket)
            if try catalog.outcome(of: ticket) == .known {
                copies.append((entry.sequence, location))
            } else {
                report.objectsAdded += 1
            }
        }
    }

    /// Whether what the scan still saw has been destroyed since.
    private func isDestroyed(_ location: BlobLocation) -> Bool {
        do throws(BlobError) {
            _ = try blobs.open(location)
            return false
        } catch {
            switch error {
            case .notFound, .keyDestroyed: return true
            default: return false
            }
        }
    }

    private func read(_ location: BlobLocation) -> (record: InstanceRecord, studyKey: [UInt8])? {
        guard let reader = try? blobs.open(location), let record = Archive.record(of: reader, privates) else {
            return nil
        }
        return (record, reader.studyKey.bytes)
    }
}
