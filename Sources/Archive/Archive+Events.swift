import BlobStore
import Catalog
import Database
import Synchronization

/// An event that is journalled and that the catalogue has not taken yet.
struct LateEvent: Sendable {
    var entry: JournalEntry
    var sequence: UInt64
}

extension Archive {
    /// Events that are journalled and that the catalogue has refused so far, on a full disk for instance. They are tried again
    /// each second, and before any other event.
    public var lateEventCount: Int { lateEvents.load(ordering: .relaxed) }

    /// Journals an event and applies it; both are done on return.
    ///
    /// - Parameter between: what has to be done once the event is journalled and before it is applied.
    /// - Throws: what kept it from being journalled, and then it is nothing; or from being applied, and then it comes true as
    ///   soon as it can, at the next start at the latest.
    func record(
        _ event: CatalogEvent, between: () throws(BlobError) -> Void = { () throws(BlobError) in }
    ) throws(ArchiveError) { try record([event], between: between) }

    /// The same for several, which are journalled with one sync, all of them or none.
    ///
    /// - Parameter events: at most `CatalogEvent.togetherCount` that name no more than an instance each, or one.
    func record(
        _ events: [CatalogEvent], between: () throws(BlobError) -> Void = { () throws(BlobError) in }
    ) throws(ArchiveError) {
        try eventLock.withLock { late throws(ArchiveError) in
            defer { lateEvents.store(late.count, ordering: .relaxed) }
            // An event before which another is missing would come to something else when the journal is read again.
            try apply(&late)
            let parts = events.flatMap(\.parts).map { part in
                LateEvent(entry: JournalEntry(at: Self.now(), event: part), sequence: nextSequence())
            }
            do throws(BlobError) {
                try blobs.appendEvents(parts.map { StoredEvent(sequence: $0.sequence, bytes: $0.entry.encoded()) })
                try between()
            } catch { throw ArchiveError(error) }
            late = parts
            try apply(&late)
        }
    }

    /// Applies what the catalogue has refused so far.
    func applyLateEvents() throws(ArchiveError) {
        guard lateEventCount > 0 else { return }
        try eventLock.withLock { late throws(ArchiveError) in
            defer { lateEvents.store(late.count, ordering: .relaxed) }
            try apply(&late)
        }
    }

    private func apply(_ late: inout [LateEvent]) throws(ArchiveError) {
        while let first = late.first {
            do throws(CatalogError) {
                if let refusal = eventWatch.withLock({ $0 })?(first.entry.event) { throw refusal }
                try catalog.apply(first.entry, sequence: first.sequence, original: originals)
            } catch {
                // What will never be taken must not keep all others from it.
                if !error.mayPass { late.removeFirst() }
                throw ArchiveError(error)
            }
            late.removeFirst()
        }
    }
}

extension CatalogError {
    /// Whether it says nothing of what was asked, but of the disk, the memory, or a catalogue that is being closed.
    fileprivate var mayPass: Bool {
        switch self {
        case .closed, .database(.closed), .database(.full): true
        // SQLite's primary codes: busy, locked, out of memory, read-only, interrupted, I/O, full, cannot open.
        case .database(.failed(let code, _)): [5, 6, 7, 8, 9, 10, 13, 14].contains(code & 0xFF)
        default: false
        }
    }
}

extension CatalogEvent {
    /// Instances that one event of the journal names at most.
    static let partCount = 100_000

    /// Events of one instance that are journalled together at most.
    static let togetherCount = 10_000

    /// The same as several events where it names more instances than fit into one.
    fileprivate var parts: [CatalogEvent] {
        func cut(_ instances: [UInt64], _ part: ([UInt64]) -> CatalogEvent) -> [CatalogEvent] {
            guard instances.count > Self.partCount else { return [self] }
            return stride(from: 0, to: instances.count, by: Self.partCount).map { start in
                part(Array(instances[start..<min(start + Self.partCount, instances.count)]))
            }
        }
        return switch self {
        case .removed(let instances, let destroyAt): cut(instances) { .removed(instances: $0, destroyAt: destroyAt) }
        // The newest first, as they are brought back.
        case .restored(let instances): cut(instances.sorted(by: >)) { .restored(instances: $0) }
        case .destroyed(let instances): cut(instances) { .destroyed(instances: $0) }
        case .held(let instances, let on): cut(instances) { .held(instances: $0, on) }
        default: [self]
        }
    }
}
