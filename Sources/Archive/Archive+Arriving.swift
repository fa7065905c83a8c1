import Access
import BlobStore
import Catalog
import DICOM
import Keys

/// What a transfer says of an object before it comes.
public struct AnnouncedObject: Sendable {
    /// Names the transfer, with which the object is shown.
    public var transfer: [UInt8]
    /// SHA-256 of the dataset; other content is `.unwanted`.
    public var digest: [UInt8]
    /// Whether it takes the place of what its institution sent before: `Archive.mayHeal`.
    public var heals: Bool

    public init(transfer: [UInt8], digest: [UInt8], heals: Bool = false) {
        self.transfer = transfer
        self.digest = digest
        self.heals = heals
    }
}

/// What became of one object of a transfer.
public struct ArrivedObject: Sendable {
    public var sopInstanceUID: String
    public var digest: [UInt8]
    public var byteCount: UInt64
    public var outcome: StoreOutcome
}

extension Archive {
    /// What a transfer has brought so far, durable and shown to nobody.
    ///
    /// - Parameter limit: the most objects, the first that came; negative for all.
    public func arriving(transfer: [UInt8], limit: Int = -1) throws(ArchiveError) -> [ArrivingObject] {
        try ask { catalog throws(CatalogError) in try catalog.arriving(transfer: transfer, limit: limit) }
    }

    /// The study in which somebody would be shown this in full once it is there, under the corrections that stand; nil
    /// for who would not.
    public func studyInstanceUID(of object: ArrivingObject, within reach: Reach) -> String? {
        let record = catalog.rules.view(of: object.record).record
        // Patients without an identifier are nobody whom a grant could name.
        let patient =
            record.patientID.isEmpty ? nil : PatientIdentity(patientID: record.patientID, issuer: record.issuer)
        let masking = reach.masking(
            study: record.studyInstanceUID, series: record.seriesInstanceUID, patient: patient,
            of: record.sender.institution)
        return masking == .full ? record.studyInstanceUID : nil
    }

    /// One object of it; nil when it is not there.
    public func arriving(transfer: [UInt8], sopInstanceUID: String) throws(ArchiveError) -> ArrivingObject? {
        try ask { catalog throws(CatalogError) in
            try catalog.arriving(transfer: transfer, sopInstanceUID: sopInstanceUID)
        }
    }

    /// What tells the objects of a transfer apart, in the order in which they came.
    public func arrivingEntries(transfer: [UInt8]) throws(ArchiveError) -> [ArrivingEntry] {
        try ask { catalog throws(CatalogError) in try catalog.arrivingEntries(transfer: transfer) }
    }

    /// Whether an institution sent an object with this content, first or again, and it is shown; not where it was found damaged and
    /// is the institution's to send again.
    public func wasSent(
        sopInstanceUID: String, digest: [UInt8], by institution: String
    ) throws(ArchiveError) -> Bool {
        let wasSent = try ask { catalog throws(CatalogError) in
            guard catalog.mayHold(sopInstanceUID: sopInstanceUID) else { return false }
            return try catalog.sent(sopInstanceUID: sopInstanceUID, by: institution).contains { $0.digest == digest }
        }
        guard wasSent else { return false }
        return try !mayHeal(sopInstanceUID: sopInstanceUID, by: institution)
    }

    /// Opens an arriving object for reading.
    public func open(_ object: ArrivingObject) throws(ArchiveError) -> StoredObject {
        try open(object.holding)
    }

    /// Shows what a transfer brought, all of it in one transaction; each object is decided as if it came now.
    ///
    /// Stores wait meanwhile, but not while it is read whether what is held is the same. Showing what is shown already changes nothing
    /// and returns nothing. What has to be sent again, for what is held was found damaged, is destroyed and not among what is returned.
    ///
    /// - Parameter announced: digests by SOP Instance UID; what is not among them is destroyed.
    public func showArrived(
        transfer: [UInt8], announced: [String: [UInt8]]
    ) throws(ArchiveError) -> [ArrivedObject] {
        let verdicts = try verdicts(transfer: transfer, announced: announced)
        let (result, superseded) = try gate.alone { () throws(ArchiveError) in
            let entries = try arrivingEntries(transfer: transfer)
            guard !entries.isEmpty else { return ([ArrivedObject](), [UInt64]()) }
            var result: [ArrivedObject] = []
            var except: [UInt64] = []
            var again: [CatalogEvent] = []
            let known = verdicts.rules == catalog.rules.standing.map(\.number) ? verdicts.areSame : [:]
            var taken: Set<String> = []
            // The newest of those that came more than once.
            for entry in entries.reversed() {
                guard announced[entry.sopInstanceUID] == entry.digest, taken.insert(entry.sopInstanceUID).inserted
                else {
                    except.append(entry.sequence)
                    continue
                }
                guard let outcome = try outcomeOnArrival(entry, known, verdicts.damaged, &again) else {
                    except.append(entry.sequence)
                    continue
                }
                if outcome == .same || outcome == .differs { except.append(entry.sequence) }
                result.append(
                    ArrivedObject(
                        sopInstanceUID: entry.sopInstanceUID, digest: entry.digest, byteCount: entry.byteCount,
                        outcome: outcome))
            }
            // If it ends between, all of it is decided again, and these say once more what was sent.
            for start in stride(from: 0, to: again.count, by: CatalogEvent.togetherCount) {
                try record(Array(again[start..<min(start + CatalogEvent.togetherCount, again.count)]))
            }
            try record(.arrived(transfer: transfer, except: except.sorted()))
            let replaced = result.filter { $0.outcome == .replaced }.map(\.sopInstanceUID)
            let superseded = try ask { catalog throws(CatalogError) in
                try replaced.isEmpty ? [] : catalog.supersededWithoutOrder(sopInstanceUIDs: replaced)
            }
            return (result, superseded)
        }
        if !superseded.isEmpty {
            try record(.removed(instances: superseded, destroyAt: destructionTime()))
        }
        return result
    }

    /// An object that arrived and one that is held.
    private struct Pair: Hashable {
        var arrived: UInt64
        var held: UInt64
    }

    /// Which of what arrived is what is held, under the corrections that stood then; and which of what is held is damaged and another
    /// of its institution has arrived.
    private struct Verdicts {
        var rules: [UInt64]
        var areSame: [Pair: Bool] = [:]
        var damaged: Set<UInt64> = []
    }

    /// Reads and compares what need not be compared while everybody waits: neither object changes any more.
    private func verdicts(transfer: [UInt8], announced: [String: [UInt8]]) throws(ArchiveError) -> Verdicts {
        var result = Verdicts(rules: catalog.rules.standing.map(\.number))
        for entry in try arrivingEntries(transfer: transfer)
        where entry.isKnown && announced[entry.sopInstanceUID] == entry.digest {
            let held = try ask { catalog throws(CatalogError) in
                try catalog.held(sopInstanceUID: entry.sopInstanceUID, institution: entry.institution)
            }
            if let first = held.first, first.sender.institution == entry.institution, isDamaged(first) {
                result.damaged.insert(first.sequence)
                continue
            }
            // Where the digests are the same nothing is read.
            guard held.contains(where: { $0.digest != entry.digest }), let found = try compare(entry) else {
                continue
            }
            for holding in held {
                let isSame: Bool
                do throws(ArchiveError) { isSame = try found.comparison.isSame(holding) } catch {
                    // It is what is held that cannot be read.
                    _ = try? verify(holding)
                    guard let first = held.first,
                        try mayHeal(sopInstanceUID: entry.sopInstanceUID, by: entry.institution)
                    else {
                        throw error
                    }
                    result.damaged.insert(first.sequence)
                    break
                }
                result.areSame[Pair(arrived: entry.sequence, held: holding.sequence)] = isSame
                if isSame { break }
            }
        }
        return result
    }

    /// - Returns: nil once it is shown or gone.
    private func compare(
        _ entry: ArrivingEntry
    ) throws(ArchiveError) -> (record: InstanceRecord, comparison: Comparison)? {
        let found = try ask { catalog throws(CatalogError) in try catalog.arriving(sequence: entry.sequence) }
        guard let object = found else { return nil }
        let comparison = Comparison(archive: self, record: object.record) { [self] () throws(ArchiveError) in
            try open(object)
        }
        return (object.record, comparison)
    }

    /// - Parameters:
    ///   - known: what was compared before.
    ///   - damaged: what is held and takes no part in comparing.
    ///   - again: gets what is to be noted of what is held.
    /// - Returns: nil for what came before what is held was found damaged: only what is sent since then may take its place.
    private func outcomeOnArrival(
        _ entry: ArrivingEntry, _ known: [Pair: Bool], _ damaged: Set<UInt64>, _ again: inout [CatalogEvent]
    ) throws(ArchiveError) -> StoreOutcome? {
        guard entry.isKnown else {
            // Else it would be shown, and what is safe already come into the tables as a version of it.
            if let refusal = catalog.refusal(of: entry.sopInstanceUID) { throw ArchiveError(refusal) }
            return .stored
        }
        let held = try ask { catalog throws(CatalogError) in
            try catalog.held(sopInstanceUID: entry.sopInstanceUID, institution: entry.institution)
        }
        guard let first = held.first else { return .stored }
        guard case (let record, let comparison)? = try compare(entry) else { throw .notFound }
        let mayReplace = record.policy == .replace && first.sender.institution == record.sender.institution
        if damaged.contains(first.sequence) { return mayReplace ? .replaced : nil }
        for holding in held {
            if let isSame = known[Pair(arrived: entry.sequence, held: holding.sequence)] {
                guard isSame else { continue }
            } else {
                guard try comparison.isSame(holding) else { continue }
            }
            again.append(.sentAgain(instance: holding.sequence, sender: record.sender, outcome: .same))
            return .same
        }
        if mayReplace { return .replaced }
        if record.policy == .both { return .version }
        again.append(.sentAgain(instance: first.sequence, sender: record.sender, outcome: .differsKeptFirst))
        return .differs
    }

    /// Transfers that have brought something that nobody is shown.
    public func arrivingTransfers() throws(ArchiveError) -> [[UInt8]] {
        try ask { catalog throws(CatalogError) in try catalog.arrivingTransfers() }
    }

    /// Gives up what a transfer brought; its bytes are destroyed by and by.
    public func dropArriving(transfer: [UInt8]) throws(ArchiveError) {
        guard try !arriving(transfer: transfer, limit: 1).isEmpty else { return }
        try record(.dropped(transfer: transfer))
    }

    /// Destroys what transfers brought for nothing; returns how many objects that were.
    @discardableResult
    public func destroyDropped() throws(ArchiveError) -> Int {
        let dropped = try ask { catalog throws(CatalogError) in try catalog.dropped(limit: 1000) }
        guard !dropped.isEmpty else { return 0 }
        try destroyBytes(
            dropped.map {
                BlobPlace(location: BlobLocation(pack: $0.pack, offset: $0.byteOffset), sequence: $0.sequence)
            })
        metadataShelf.forget(dropped.map(\.sequence))
        try ask { catalog throws(CatalogError) in try catalog.forgetDropped(dropped.map(\.sequence)) }
        try destroySpentKeys()
        return dropped.count
    }
}
