import Keys

/// Finding what the packs hold, header by header.
extension BlobStore {
    /// Gives every object that lies at or after the last known ones, and finds where each pack ends.
    ///
    /// At start this comes before the first `begin`, or packs with room are not written again. The last object of a
    /// pack may have been cut short by a power cut, before it was acknowledged: it is verified in full, and if a part
    /// does not open its room is used again. Costs one small read an object, plus one reading of each last object.
    ///
    /// - Parameters:
    ///   - from: where an object lay in each pack, up to which it is known to be good: if there is none any more, that is damage,
    ///     and the pack is not written again. Missing packs are read from their start.
    ///   - isKnown: whether an object was seen on the disk there once: then it was acknowledged, and what does not open of it is
    ///     damage and no trace of a power cut. Of the place, too: an object may be written again elsewhere under its number.
    ///   - each: called for every living object in the order of packs and offsets.
    /// - Returns: what was found and repaired.
    /// - Throws: `BlobError.io`; what `each` throws, and then packs not reached stay unwritable.
    public func scan(
        from positions: [UInt32: UInt64] = [:], isKnown: (BlobPlace) throws -> Bool = { _ in false },
        each: (ScannedObject) throws -> Void
    ) throws -> ScanReport {
        var report = ScanReport()
        let numbers = try BlobError.wrapping { () throws(SystemFailure) in try shelf.packNumbers() }
        for number in numbers {
            var scan = PackScan(store: self, number: number, file: try files.file(number))
            try scan.run(from: positions[number], report: &report, isKnown: isKnown, each: each)
            report.packCount += 1
            if scan.isSpent, shelf.unlinkIfRetired(number) {
                files.forget(number)
                report.unlinkedPackCount += 1
            }
        }
        try prepareLanes()
        return report
    }

    /// Looks over what packs hold now, header by header, and changes nothing. What is written meanwhile may be missing.
    ///
    /// - Parameters:
    ///   - living: called with every object that is not destroyed.
    ///   - lost: called where something was kept whose header cannot be read.
    public func survey(living: (BlobPlace) throws -> Void, lost: (BlobLocation) throws -> Void) throws {
        for (number, end) in shelf.positions.sorted(by: { $0.key < $1.key }) {
            let file: OpenFile
            // Unlinked since, as nothing in it lived.
            do throws(BlobError) { file = try files.file(number) } catch {
                guard case .notFound = error else { throw error }
                continue
            }
            let headers = HeaderSearch(file: file, number: number)
            var offset: UInt64 = 0
            while offset < end {
                // A second look, as one that is being written anew may be read in two parts: its key is moved, or it is destroyed.
                guard let header = try headers.header(at: offset) ?? headers.header(at: offset) else {
                    try lost(BlobLocation(pack: number, offset: offset))
                    offset = try headers.next(after: offset, limit: end) ?? end
                    continue
                }
                if header.state == .live, !keys.isDestroyed(header.studyKey) {
                    try living(BlobPlace(location: header.location, sequence: header.sequence))
                }
                offset += header.extent
            }
        }
    }
}

/// The scan of one pack.
struct PackScan {
    /// How far behind an end a further header is looked for when the pack was known to be good up to somewhere.
    static let searchByteCount: UInt64 = 64 << 20

    let store: BlobStore
    let number: UInt32
    let file: OpenFile
    private let headers: HeaderSearch
    private var hasLiving = false
    private var hasVoid = false
    private var isDamaged = false
    private var isFromStart = false

    init(store: BlobStore, number: UInt32, file: OpenFile) {
        self.store = store
        self.number = number
        self.file = file
        headers = HeaderSearch(file: file, number: number)
    }

    /// Whether the whole pack was seen and nothing in it lives.
    var isSpent: Bool { isFromStart && hasVoid && !hasLiving && !isDamaged }

    mutating func run(
        from known: UInt64?, report: inout ScanReport, isKnown: (BlobPlace) throws -> Bool,
        each: (ScannedObject) throws -> Void
    ) throws {
        let knownEnd = store.shelf.end(of: number)
        let byteCount = try BlobError.wrapping { () throws(SystemFailure) in try file.byteCount() }
        var offset = known ?? 0
        // What was known to be good is no longer there.
        if known != nil, offset >= byteCount { noteDamage(at: byteCount, in: &report) }
        isFromStart = offset == 0
        // Held back until it is known whether it is the last.
        var pending: ObjectHeader?
        var reserved: UInt64?
        while offset < (knownEnd ?? byteCount) {
            if let header = try headers.header(at: offset) {
                if let last = pending { try deliver(last, report: &report, each: each) }
                pending = header.state == .live ? header : nil
                // Pieces are waited for here; only the last of a pack can be one.
                reserved = header.state == .reserved ? offset : nil
                if header.state == .void {
                    hasVoid = true
                    report.voidCount += 1
                }
                offset += header.extent
                continue
            }
            let limit = knownEnd ?? (known == nil ? byteCount : min(byteCount, offset + Self.searchByteCount))
            guard let next = try headers.next(after: offset, limit: limit) else {
                // An object was there when its place was noted: what came of it is not to be written over.
                if knownEnd != nil || offset == known { noteDamage(at: offset, in: &report) }
                break
            }
            if let last = pending { try deliver(last, report: &report, each: each) }
            (pending, reserved) = (nil, nil)
            if knownEnd == nil, try isUnfinished(offset, before: next) {
                try void(offset, until: next)
                hasVoid = true
                report.tornCount += 1
            } else {
                noteDamage(at: offset, in: &report)
            }
            offset = next
        }
        if let last = pending {
            if knownEnd == nil, try !isKnown(BlobPlace(location: last.location, sequence: last.sequence)),
                try isTorn(last)
            {
                try clear(last)
                offset = last.location.offset
                report.tornCount += 1
            } else {
                try deliver(last, report: &report, each: each)
            }
        }
        if knownEnd == nil {
            store.shelf.register(
                number, end: reserved ?? offset, isWritable: !isDamaged, isReserved: reserved != nil)
        }
    }

    private mutating func deliver(
        _ header: ObjectHeader, report: inout ScanReport, each: (ScannedObject) throws -> Void
    ) throws {
        hasLiving = true
        report.objectCount += 1
        try each(
            ScannedObject(
                location: header.location, extentByteCount: header.extent,
                contentByteCount: header.contentByteCount, sequence: header.sequence, studyKey: header.studyKey,
                isKeyDestroyed: store.keys.isDestroyed(header.studyKey), store: store))
    }

    private mutating func noteDamage(at offset: UInt64, in report: inout ScanReport) {
        isDamaged = true
        guard report.damaged.count < ScanReport.damageLimit else { return }
        report.damaged.append(BlobLocation(pack: number, offset: offset))
    }

    /// Whether a last object was cut short. One whose key is gone or not to be had cannot be told, and is kept.
    private func isTorn(_ header: ObjectHeader) throws(BlobError) -> Bool {
        // A key is copied only once its object was acknowledged.
        guard header.keyPlace == .header else { return false }
        do throws(BlobError) {
            _ = try BlobReader(header: header, file: file, keys: store.keys).checkedDigest()
            return false
        } catch {
            switch error {
            case .damaged: return true
            case .keyDestroyed, .key(.unknown): return false
            default: throw error
            }
        }
    }

    /// Whether objects of a batch were begun there whose headers did not reach the disk, and those of others of it did: nothing of
    /// it was acknowledged. Lost headers of older objects lie before such whose keys were moved.
    private func isUnfinished(_ offset: UInt64, before next: UInt64) throws(BlobError) -> Bool {
        let bytes = try BlobError.wrapping { () throws(SystemFailure) in
            try file.read(count: ObjectHeader.byteCount, at: offset)
        }
        guard bytes.allSatisfy({ $0 == 0 }) else { return false }
        return try headers.header(at: next)?.keyPlace == .header
    }

    /// Has scans hop over a place.
    private func void(_ offset: UInt64, until next: UInt64) throws(BlobError) {
        var header = ObjectHeader(
            location: BlobLocation(pack: number, offset: offset), extent: next - offset, studyKey: ObjectHeader.noKey)
        header.state = .void
        try BlobError.wrapping { () throws(SystemFailure) in
            try file.write(header.encoded, at: offset)
            try file.syncData()
        }
    }

    /// Wipes the header of a torn object, durably, before anything is written over the rest.
    private func clear(_ header: ObjectHeader) throws(BlobError) {
        let zeros = [UInt8](repeating: 0, count: ChunkFormat.pageByteCount)
        try BlobError.wrapping { () throws(SystemFailure) in
            try file.write(zeros, at: header.location.offset)
            try file.syncData()
        }
    }
}
