import Keys
import Synchronization

/// Moves object keys out of the packs into the key store, some time after their objects were acknowledged.
///
/// First a key is copied: slot written and synced, then the header names the slot beside the key it still holds. Only
/// `settleTime` later the header's own copy is overwritten; so a copy of the whole data directory that takes less
/// time has each key in at least one of the two, whichever is copied first. Wherever this is cut off the object can be
/// read, and what was left half done is found again: the slots being written are listed before (`ObjectKeys`), and
/// headers tell the rest.
final class KeyMover: Sendable {
    /// Keys moved while removals wait.
    static let batchLimit = ObjectKeys.batchLimit
    /// How many moments are remembered at which positions can still become old enough.
    static let markLimit: Int64 = 8

    private let files: PackFiles
    private let shelf: PackShelf
    private let keys: KeyStore
    /// In milliseconds.
    private let settleTime: Int64
    private let state: Mutex<State>

    private struct State {
        var positions: MovePositions
        /// What was copied at some moment.
        var marks: [(at: Int64, copied: [UInt32: UInt64])] = []
        /// Set when nobody knows what of a pack is on the disk: nothing is moved until the next start.
        var isBroken = false
    }

    init(files: PackFiles, shelf: PackShelf, keys: KeyStore, settleTime: Duration) throws(BlobError) {
        self.files = files
        self.shelf = shelf
        self.keys = keys
        self.settleTime = Int64(settleTime.components.seconds) * 1000
        let numbers = try BlobError.wrapping { () throws(SystemFailure) in try shelf.packNumbers() }
        state = Mutex(State(positions: MovePositions(directory: shelf.directory, of: numbers)))
        try settleLast()
    }

    /// Whether the key of an object at this place was copied by an earlier step.
    func wasCopied(_ location: BlobLocation) -> Bool {
        state.withLock { location.offset < $0.positions.packs[location.pack]?.copied ?? 0 }
    }

    /// How many acknowledged objects have their key in the pack alone, and how many in both places.
    func waitingCount() throws(BlobError) -> (uncopied: Int, uncleared: Int) {
        var (uncopied, uncleared) = (0, 0)
        let positions = state.withLock { $0.positions.packs }
        for (number, end) in shelf.positions {
            guard let file = try? files.file(number) else { continue }
            let start = positions[number]?.cleared ?? 0
            _ = try HeaderSearch(file: file, number: number).walk(from: start, to: end) { header in
                guard header.state == .live else { return true }
                if header.keyPlace == .header { uncopied += 1 }
                if header.keyPlace == .both { uncleared += 1 }
                return true
            }
        }
        return (uncopied, uncleared)
    }

    /// Copies some keys to the key store; the result is how many.
    ///
    /// Syncs the key store twice and each pack it wrote once.
    /// - Parameter reach: called at each step; for tests.
    func copyBatch(reach: (KeyMoveStep) throws(BlobError) -> Void = { _ in }) throws(BlobError) -> Int {
        let ends = shelf.positions.sorted { $0.key < $1.key }
        var packs = try startedPositions().packs
        return try files.changing.withLock { (_) throws(BlobError) -> Int in
            var found: [ObjectHeader] = []
            for (number, end) in ends where found.count < Self.batchLimit && packs[number]?.copied ?? 0 < end {
                guard let file = try? files.file(number) else { continue }
                let start = packs[number]?.copied ?? 0
                let stop = try HeaderSearch(file: file, number: number).walk(from: start, to: end) { header in
                    guard found.count < Self.batchLimit else { return false }
                    if header.state == .live, header.keyPlace == .header { found.append(header) }
                    return true
                }
                packs[number, default: .init()].copied = stop
            }
            try reach(.found)
            if !found.isEmpty { try copy(found, reach) }
            keep(packs)
            return found.count
        }
    }

    /// Overwrites some keys in packs whose copies are old enough; the result is how many.
    ///
    /// A key is overwritten only if its copy is read back and is the same. Syncs each pack it wrote.
    /// - Parameter now: milliseconds of any clock that does not jump.
    func clearBatch(
        now: Int64, reach: (KeyMoveStep) throws(BlobError) -> Void = { _ in }
    ) throws(BlobError) -> Int {
        var packs = try startedPositions().packs
        guard let limits = ripeLimits(now: now) else { return 0 }
        return try files.changing.withLock { (_) throws(BlobError) -> Int in
            var cleared: [ObjectHeader] = []
            var seen = 0
            for (number, limit) in limits.sorted(by: { $0.key < $1.key }) where seen < Self.batchLimit {
                guard packs[number]?.cleared ?? 0 < limit, let file = try? files.file(number) else { continue }
                let start = packs[number]?.cleared ?? 0
                let stop = try HeaderSearch(file: file, number: number).walk(from: start, to: limit) {
                    header throws(BlobError) in
                    guard seen < Self.batchLimit else { return false }
                    seen += 1
                    if try isCopied(header) { cleared.append(header.cleared) }
                    return true
                }
                packs[number, default: .init()].cleared = stop
            }
            try write(cleared, reach, .cleared)
            keep(packs)
            return seen
        }
    }

    /// Notes what is copied now, so that it can become old enough.
    func mark(now: Int64) {
        state.withLock { state in
            let copied = state.positions.packs.mapValues(\.copied)
            if let last = state.marks.last {
                guard now - last.at >= settleTime / Self.markLimit, last.copied != copied else { return }
            }
            state.marks.append((now, copied))
        }
    }

    private func ripeLimits(now: Int64) -> [UInt32: UInt64]? {
        state.withLock { state in
            while state.marks.count > 1, now - state.marks[1].at >= settleTime { state.marks.removeFirst() }
            guard let first = state.marks.first, now - first.at >= settleTime else { return nil }
            return first.copied
        }
    }

    private func startedPositions() throws(BlobError) -> MovePositions {
        let (positions, isBroken) = state.withLock { ($0.positions, $0.isBroken) }
        if isBroken { throw .io(operation: "key move", errno: 5) }
        return positions
    }

    private func keep(_ packs: [UInt32: MovePositions.Position]) {
        let changed = state.withLock { state -> MovePositions? in
            guard state.positions.packs != packs else { return nil }
            state.positions.packs = packs
            return state.positions
        }
        // Failure costs a later start some reading.
        try? changed?.write(directory: shelf.directory)
    }

    private func copy(
        _ headers: [ObjectHeader], _ reach: (KeyMoveStep) throws(BlobError) -> Void
    ) throws(BlobError) {
        let slots = try BlobError.storing { () throws(KeyError) in
            try keys.objects.add(headers.map(\.objectKey))
        }
        do throws(BlobError) { try reach(.copied) } catch {
            state.withLock { $0.isBroken = true }
            throw error
        }
        try write(zip(headers, slots).map { header, slot in header.copied(to: slot) }, reach, .named)
    }

    /// Overwrites headers in place, durably.
    private func write(
        _ headers: [ObjectHeader], _ reach: (KeyMoveStep) throws(BlobError) -> Void, _ step: KeyMoveStep
    ) throws(BlobError) {
        do throws(BlobError) {
            for header in headers {
                let file = try files.file(header.location.pack)
                try BlobError.wrapping { () throws(SystemFailure) in
                    try file.write(header.encoded, at: header.location.offset)
                }
                try reach(step)
            }
            for number in Set(headers.map(\.location.pack)) {
                let file = try files.file(number)
                try BlobError.wrapping { () throws(SystemFailure) in try file.syncData() }
            }
        } catch {
            state.withLock { $0.isBroken = true }
            throw error
        }
    }

    private func isCopied(_ header: ObjectHeader) throws(BlobError) -> Bool {
        guard header.state == .live, header.keyPlace == .both else { return false }
        return try BlobError.unlocking { () throws(KeyError) in
            guard case .live(let key) = try keys.objects.record(header.slot) else { return false }
            return key.objectID == header.objectID && key.wrappedKey == header.wrappedKey
        }
    }

    /// Overwrites copies that a sudden end left without a header that names them.
    private func settleLast() throws(BlobError) {
        let unsettled = try BlobError.unlocking { () throws(KeyError) in try keys.objects.unsettled() }
        var orphans: [UInt32] = []
        for (slot, key) in unsettled {
            guard let file = try? files.file(key.pack),
                let header = try HeaderSearch(file: file, number: key.pack).header(at: key.offset)
            else { continue }
            let isNamed = header.objectID == key.objectID && header.slot == slot && header.state == .live
            if !isNamed { orphans.append(slot) }
        }
        try BlobError.unlocking { () throws(KeyError) in try keys.objects.discard(orphans) }
    }
}

/// The points between which a move may be cut off.
enum KeyMoveStep: CaseIterable, Sendable {
    case found, copied, named, cleared
}

extension ObjectHeader {
    /// What the key store keeps of an object.
    var objectKey: ObjectKey {
        ObjectKey(
            objectID: objectID, studyKey: studyKey, wrappedKey: wrappedKey, pack: location.pack,
            offset: location.offset)
    }
}
