import Glibc
import Keys
import Synchronization

/// Which packs there are, where each ends, and which lane writes which.
final class PackShelf: Sendable {
    let directory: String
    let options: BlobStoreOptions
    private let state: Mutex<State>

    private struct State {
        var nextNumber: UInt32
        // Every pack whose end is known: scanned, or begun by this process.
        var ends: [UInt32: UInt64] = [:]
        // Those with room that were not opened for writing yet.
        var available: Set<UInt32> = []
        var held: [Int: Pack] = [:]
        // Open, with room, but given up by a lane whose object was too large for them.
        var idle: [UInt32: Pack] = [:]
        var spare: Pack?
        // Where the place begins that is reserved at the end of a pack; nothing else is written to it.
        var reserved: [UInt32: UInt64] = [:]
        var sealed: Set<UInt32> = []

        /// Whether a pack will not be written again.
        func isRetired(_ number: UInt32) -> Bool {
            ends[number] != nil && !available.contains(number) && idle[number] == nil && spare?.number != number
                && reserved[number] == nil
                && !held.values.contains { $0.number == number }
        }
    }

    init(directory: String, options: BlobStoreOptions) throws(SystemFailure) {
        self.directory = directory
        self.options = options
        try OpenFile.makeDirectory(directory)
        let numbers = try Self.numbers(in: directory, prefix: "pack-", suffix: ".hzp")
        state = Mutex(State(nextNumber: (numbers.last ?? 0) + 1))
    }

    /// The numbers of the store's files of one kind, in order.
    static func numbers(in directory: String, prefix: String, suffix: String) throws(SystemFailure) -> [UInt32] {
        guard let listing = opendir(directory) else { throw SystemFailure("opendir") }
        defer { closedir(listing) }
        var numbers: [UInt32] = []
        while let entry = readdir(listing) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if let number = PackName.number(in: name, prefix: prefix, suffix: suffix) { numbers.append(number) }
        }
        return numbers.sorted()
    }

    func path(_ number: UInt32) -> String { directory + "/" + PackName.pack(number) }

    func packNumbers() throws(SystemFailure) -> [UInt32] {
        try Self.numbers(in: directory, prefix: "pack-", suffix: ".hzp")
    }

    /// The ends of all packs whose end is known.
    var positions: [UInt32: UInt64] { state.withLock { $0.ends } }

    func end(of number: UInt32) -> UInt64? { state.withLock { $0.ends[number] } }

    /// Notes what a scan found; a pack with room may be written again, unless it ends with a reserved place.
    func register(_ number: UInt32, end: UInt64, isWritable: Bool, isReserved: Bool = false) {
        let isSealed = access(directory + "/" + PackName.seal(number), F_OK) == 0
        state.withLock { state in
            guard state.ends[number] == nil else { return }
            state.ends[number] = end
            if isSealed || !isWritable { state.sealed.insert(number) }
            if isReserved { state.reserved[number] = end }
            if isWritable, !isReserved, !isSealed, end < options.packByteCount { state.available.insert(number) }
        }
    }

    /// The pack a lane's next object goes to: the one it holds, or another if there is no room.
    func pack(forLane lane: Int, expectedByteCount: UInt64) throws(SystemFailure) -> Pack {
        let choice = state.withLock { choose(lane, expectedByteCount, in: &$0) }
        let pack = try open(choice)
        if case .pack = choice { return pack }
        return state.withLock { state in
            // Another may have found the lane a pack meanwhile; a file is only ever held as one `Pack`.
            if let held = state.held[lane] {
                state.idle[pack.number] = pack
                return held
            }
            state.held[lane] = pack
            return pack
        }
    }

    private func choose(_ lane: Int, _ expected: UInt64, in state: inout State) -> Choice {
        func fits(_ number: UInt32) -> Bool {
            Self.hasRoom(end: state.ends[number] ?? 0, expected: expected, options: options)
        }
        if let pack = state.held[lane] {
            if fits(pack.number) { return .pack(pack) }
            state.held[lane] = nil
            if (state.ends[pack.number] ?? 0) < options.packByteCount { state.idle[pack.number] = pack }
        }
        if let number = state.idle.keys.filter(fits).min(), let pack = state.idle.removeValue(forKey: number) {
            state.held[lane] = pack
            return .pack(pack)
        }
        if let number = state.available.filter(fits).min() {
            state.available.remove(number)
            return .open(number, end: state.ends[number] ?? 0)
        }
        if let spare = state.spare {
            state.spare = nil
            state.held[lane] = spare
            return .pack(spare)
        }
        return .create(Self.newNumber(in: &state))
    }

    // MARK: Reserved places

    /// A pack whose end is nobody else's from now on.
    func reservePack(expectedByteCount expected: UInt64) throws(SystemFailure) -> Pack {
        let choice = state.withLock { state in
            func fits(_ number: UInt32) -> Bool {
                Self.hasRoom(end: state.ends[number] ?? 0, expected: expected, options: options)
            }
            let choice: Choice
            if let number = state.idle.keys.filter(fits).min(), let pack = state.idle.removeValue(forKey: number) {
                choice = .pack(pack)
            } else if let number = state.available.filter(fits).min() {
                state.available.remove(number)
                choice = .open(number, end: state.ends[number] ?? 0)
            } else {
                choice = .create(Self.newNumber(in: &state))
            }
            state.reserved[choice.number] = state.ends[choice.number] ?? 0
            return choice
        }
        do throws(SystemFailure) { return try open(choice) } catch {
            // A file that could not be opened is left alone until the next start.
            state.withLock { $0.reserved[choice.number] = nil }
            throw error
        }
    }

    private func open(_ choice: Choice) throws(SystemFailure) -> Pack {
        switch choice {
        case .pack(let pack): pack
        case .open(let number, let end): try Pack(number: number, path: path(number), isNew: false, tail: end)
        case .create(let number): try Pack(number: number, path: path(number), isNew: true, tail: 0)
        }
    }

    var reservedLocations: [BlobLocation] {
        state.withLock { $0.reserved.map { BlobLocation(pack: $0.key, offset: $0.value) } }
    }

    /// Whether a pack is never written again, also once its end is free.
    func isSealed(_ number: UInt32) -> Bool { state.withLock { $0.sealed.contains(number) } }

    func reservedOffset(_ number: UInt32) -> UInt64? { state.withLock { $0.reserved[number] } }

    func openReserved(_ location: BlobLocation) throws(SystemFailure) -> Pack {
        try Pack(number: location.pack, path: path(location.pack), isNew: false, tail: location.offset)
    }

    /// Nothing is reserved there any more; a pack with room may be written again.
    func release(_ pack: Pack, end: UInt64) {
        pack.end = end
        state.withLock { state in
            state.reserved[pack.number] = nil
            state.ends[pack.number] = end
            if end < options.packByteCount, !state.sealed.contains(pack.number) { state.idle[pack.number] = pack }
        }
    }

    /// A number for a new pack, whose end is known before its file exists, so that no scan takes it for an old one.
    private static func newNumber(in state: inout State) -> UInt32 {
        defer { state.nextNumber += 1 }
        state.ends[state.nextNumber] = 0
        return state.nextNumber
    }

    private enum Choice: Sendable {
        case pack(Pack)
        case open(UInt32, end: UInt64)
        case create(UInt32)

        var number: UInt32 {
            switch self {
            case .pack(let pack): pack.number
            case .open(let number, _), .create(let number): number
            }
        }
    }

    /// An empty pack takes any object, or the largest would have no place.
    private static func hasRoom(end: UInt64, expected: UInt64, options: BlobStoreOptions) -> Bool {
        end == 0 || (end < options.packByteCount && expected <= options.packByteCount - end)
    }

    /// Moves a pack's end behind an object that is on disk.
    func advance(_ pack: Pack, to end: UInt64) {
        pack.end = end
        state.withLock { $0.ends[pack.number] = end }
    }

    /// Never writes a pack again: after a failed sync nobody knows what of it is on disk.
    func seal(_ pack: Pack) {
        state.withLock { state in
            state.held = state.held.filter { $0.value !== pack }
            state.sealed.insert(pack.number)
        }
        // If the mark cannot be written either, the next start still finds the last whole object.
        let mark = try? OpenFile(directory + "/" + PackName.seal(pack.number), flags: O_WRONLY | O_CREAT)
        if let mark { fsync(mark.descriptor) }
        try? OpenFile.syncDirectory(directory)
    }

    /// Takes a pack without a living object off the disk; the highest stays, so that no number is used twice.
    func unlinkIfRetired(_ number: UInt32) -> Bool {
        let mayGo = state.withLock { state -> Bool in
            guard number + 1 < state.nextNumber, state.isRetired(number) else { return false }
            state.ends[number] = nil
            return true
        }
        guard mayGo, unlink(path(number)) == 0 else { return false }
        unlink(directory + "/" + PackName.seal(number))
        return true
    }

    /// The packs that zeros are written ahead in, with how far.
    var prewriteWork: [(pack: Pack, window: UInt64)] {
        state.withLock { state in
            var work = state.held.sorted { $0.key < $1.key }.map { lane, pack in
                (pack, lane == 0 ? options.firstPrewriteByteCount : options.prewriteByteCount)
            }
            if let spare = state.spare { work.append((spare, options.prewriteByteCount)) }
            return work
        }
    }

    /// Makes the next pack before a lane needs it, once one is three quarters full.
    func prepareSpare() throws(SystemFailure) {
        let number = state.withLock { state -> UInt32? in
            guard state.spare == nil, options.prewriteByteCount > 0,
                state.held.values.contains(where: { $0.end > options.packByteCount / 4 * 3 })
            else { return nil }
            return Self.newNumber(in: &state)
        }
        guard let number else { return }
        let spare = try Pack(number: number, path: path(number), isNew: true, tail: 0)
        state.withLock { $0.spare = spare }
    }
}
