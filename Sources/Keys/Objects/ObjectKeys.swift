import Glibc
import Synchronization

/// The wrapped keys of objects, `objects.keys`: slots of 128 bytes, used again once their object is destroyed.
///
/// Objects name their slot, so no index is kept: one bit a slot is all the memory it takes. Safe from any thread.
package final class ObjectKeys: Sendable {
    /// Most slots; a file of this many has 256 GB.
    package static let slotLimit: UInt32 = 1 << 31
    /// Most keys written together.
    package static let batchLimit = MovingSlots.limit
    private static let slotByteCount = UInt64(ObjectKeyRecord.byteCount)
    private static let readByteCount = 1 << 20
    private static let headMagic: [UInt8] = Array("HZOF".utf8)

    private let path: String
    private let file: OpenFile
    private let moving: MovingSlots
    private let group = SyncGroup()
    private let destroyedGroup = SyncGroup()
    /// Held while the slots are counted, once.
    private let counting = Mutex(false)
    private let state: Mutex<State>

    private struct State {
        // Nil until the slots were counted.
        var map: SlotMap?
        var freedEarly: [UInt32] = []
        var destroyed: DestroyedObjects
    }

    /// Opens the files in a directory, making those that are absent.
    static func open(directory: String) throws(KeyError) -> ObjectKeys {
        let path = directory + "/objects.keys"
        if !StudyKeyFile.exists(path) {
            var head = headMagic + [UInt8](repeating: 0, count: ObjectKeyRecord.byteCount - headMagic.count)
            head[4] = 1
            StudyKeyRecord.seal(&head)
            let bytes = head
            try KeyError.wrapping { () throws(SystemFailure) in try OpenFile.replace(path, with: bytes) }
        }
        let keys = try ObjectKeys(path: path, directory: directory)
        try KeyError.wrapping { () throws(SystemFailure) in try OpenFile.syncDirectory(directory) }
        return keys
    }

    private init(path: String, directory: String) throws(KeyError) {
        self.path = path
        let file = try KeyError.wrapping { () throws(SystemFailure) in try OpenFile(path, flags: O_RDWR) }
        self.file = file
        let head = try KeyError.wrapping { () throws(SystemFailure) in
            try file.read(count: ObjectKeyRecord.byteCount, at: 0)
        }
        guard head.count == ObjectKeyRecord.byteCount, StudyKeyRecord.isWhole(head), head[4] == 1,
            Array(head[0..<4]) == Self.headMagic
        else { throw .damaged(file: path, byteOffset: 0) }
        moving = try MovingSlots(directory + "/moving.keys")
        state = Mutex(State(destroyed: try DestroyedObjects(directory + "/destroyed.keys")))
    }

    /// How many slots hold a key, once that was counted.
    package var count: Int? { state.withLock { $0.map?.takenCount } }

    /// How many objects were ever destroyed.
    package var destroyedCount: Int { state.withLock { $0.destroyed.count } }

    /// What a slot holds.
    package func record(_ slot: UInt32) throws(KeyError) -> ObjectKeyRecord.Reading {
        guard slot >= SlotMap.first, slot < Self.slotLimit else { return .damaged }
        return ObjectKeyRecord.read(
            try KeyError.wrapping { () throws(SystemFailure) in
                try file.read(count: ObjectKeyRecord.byteCount, at: UInt64(slot) * Self.slotByteCount)
            })
    }

    /// Writes keys to free slots and returns once they survive a power cut.
    ///
    /// Two syncs. If it fails, nothing was taken.
    /// - Parameter keys: at most `batchLimit`.
    /// - Returns: the slots in the order of the keys.
    package func add(_ keys: [ObjectKey]) throws(KeyError) -> [UInt32] {
        precondition(keys.count <= Self.batchLimit)
        try countSlots()
        let slots = try state.withLock { state throws(KeyError) -> [UInt32] in
            guard (state.map?.takenCount ?? 0) + keys.count < Int(Self.slotLimit) else {
                throw .full(limit: Int(Self.slotLimit))
            }
            return keys.map { _ in state.map?.takeAny() ?? 0 }
        }
        do throws(KeyError) {
            try KeyError.wrapping { () throws(SystemFailure) in
                try group.checkUsable()
                try moving.write(slots)
            }
            try write(Array(zip(slots, keys.map(ObjectKeyRecord.encoded))))
            return slots
        } catch {
            // What reached the file is taken back as far as the disk lets us; a start looks at the rest.
            for slot in slots { try? wipe(slot) }
            release(slots)
            throw error
        }
    }

    /// Writes a key to the slot it had; for a restoration.
    ///
    /// - Returns: false if the slot holds another key.
    package func put(_ key: ObjectKey, in slot: UInt32) throws(KeyError) -> Bool {
        try countSlots()
        let isFree = state.withLock { state in
            guard slot >= SlotMap.first, slot < Self.slotLimit, state.map?.isTaken(slot) == false else { return false }
            state.map?.take(slot)
            return true
        }
        guard isFree else { return try record(slot) == .live(key) }
        try KeyError.wrapping { () throws(SystemFailure) in
            try file.write(ObjectKeyRecord.encoded(key), at: UInt64(slot) * Self.slotByteCount)
        }
        return true
    }

    /// Returns when everything written is on the disk.
    package func sync() throws(KeyError) {
        try KeyError.wrapping { () throws(SystemFailure) in
            try group.wait(until: group.noteWrite()) { () throws(SystemFailure) in try file.syncData() }
        }
    }

    /// Notes objects as destroyed and overwrites their keys; returns once both are on the disk.
    ///
    /// Two syncs, shared with whoever destroys at the same time. A slot that holds another object's key is left alone.
    /// - Returns: the slots that were overwritten; `release` them when nothing names them any more.
    @discardableResult
    package func destroy(_ objects: [(objectID: [UInt8], slot: UInt32?)]) throws(KeyError) -> [UInt32] {
        let target = try KeyError.wrapping { () throws(SystemFailure) in
            try state.withLock { state throws(SystemFailure) in
                try state.destroyed.append(objects.map(\.objectID))
                return (state.destroyed.file, destroyedGroup.noteWrite())
            }
        }
        try KeyError.wrapping { () throws(SystemFailure) in
            try destroyedGroup.wait(until: target.1) { () throws(SystemFailure) in try target.0.syncData() }
        }
        var tombstones: [(UInt32, [UInt8])] = []
        for (objectID, slot) in objects {
            guard let slot, try holds(slot, objectID) else { continue }
            tombstones.append((slot, ObjectKeyRecord.destroyed(objectID)))
        }
        try write(tombstones)
        return tombstones.map(\.0)
    }

    /// Whether a slot has this object's key, be it damaged: a flipped bit must not keep a key from destruction.
    private func holds(_ slot: UInt32, _ objectID: [UInt8]) throws(KeyError) -> Bool {
        guard slot >= SlotMap.first, slot < Self.slotLimit else { return false }
        let bytes = try KeyError.wrapping { () throws(SystemFailure) in
            try file.read(count: ObjectKeyRecord.byteCount, at: UInt64(slot) * Self.slotByteCount)
        }
        guard bytes.count == ObjectKeyRecord.byteCount else { return false }
        guard ObjectKeyRecord.objectID(bytes) == objectID else { return false }
        return ObjectKeyRecord.read(bytes) != .destroyed(objectID: objectID)
    }

    /// Overwrites keys that nothing names, of objects that are not destroyed; returns once that is on the disk.
    package func discard(_ slots: [UInt32]) throws(KeyError) {
        if slots.isEmpty { return }
        for slot in slots { try wipe(slot) }
        try sync()
        release(slots)
    }

    /// Lets slots be used again, and gives the room at the file's end back.
    package func release(_ slots: [UInt32]) {
        state.withLock { state in
            guard state.map != nil else {
                state.freedEarly += slots
                return
            }
            for slot in slots { state.map?.free(slot) }
            guard let last = slots.max(), let end = state.map?.end, last >= end - min(end, 1) else { return }
            let kept = state.map?.dropFreeTail() ?? end
            // Whoever takes a slot does so under this lock, so none above is in use.
            try? file.truncate(to: UInt64(kept) * Self.slotByteCount)
        }
    }

    /// The keys whose move was under way when the last process ended.
    package func unsettled() throws(KeyError) -> [(slot: UInt32, key: ObjectKey)] {
        let slots = try KeyError.wrapping { () throws(SystemFailure) in try moving.read() }
        var found: [(slot: UInt32, key: ObjectKey)] = []
        for slot in slots {
            switch try record(slot) {
            case .live(let key): found.append((slot, key))
            // Never synced: it was not whole.
            case .damaged: try wipe(slot)
            case .free, .destroyed: break
            }
        }
        return found
    }

    /// Gives every key in the order of slots; the result is how many slots are damaged.
    package func each(_ body: (UInt32, ObjectKey) throws(KeyError) -> Void) throws(KeyError) -> Int {
        var damagedCount = 0
        try eachSlot { (slot, bytes) throws(KeyError) in
            guard ObjectKeyRecord.isTaken(bytes) else { return }
            switch ObjectKeyRecord.read(Array(bytes)) {
            case .live(let key): try body(slot, key)
            case .damaged: damagedCount += 1
            case .free, .destroyed: break
            }
        }
        return damagedCount
    }

    /// Gives the identifier of every destroyed object.
    package func eachDestroyed(_ body: ([UInt8]) -> Void) throws(KeyError) {
        // A copy: what is appended meanwhile lies behind its end.
        try state.withLock { $0.destroyed }.each(body)
    }

    /// Notes identifiers as destroyed; for a restoration that brings a list of them.
    package func noteDestroyed(_ identifiers: [[UInt8]]) throws(KeyError) {
        try destroy(identifiers.map { ($0, nil) })
    }

    /// Finds out which slots are free, once; reads the whole file.
    package func countSlots() throws(KeyError) {
        try counting.withLock { isDone throws(KeyError) in
            if isDone { return }
            var map = SlotMap()
            let byteCount = try KeyError.wrapping { () throws(SystemFailure) in try file.byteCount() }
            map.extend(to: UInt32(min(byteCount / Self.slotByteCount, UInt64(Self.slotLimit))))
            try eachSlot { slot, bytes in if ObjectKeyRecord.isTaken(bytes) { map.take(slot) } }
            state.withLock { state in
                for slot in state.freedEarly { map.free(slot) }
                state.freedEarly = []
                state.map = map
            }
            isDone = true
        }
    }

    private func eachSlot(_ body: (UInt32, UnsafeRawBufferPointer) throws(KeyError) -> Void) throws(KeyError) {
        let size = ObjectKeyRecord.byteCount
        var offset = UInt64(size)
        while true {
            let place = offset
            let block = try KeyError.wrapping { () throws(SystemFailure) in
                try file.read(count: Self.readByteCount, at: place)
            }
            if block.count < size { return }
            try block.withRawBytes { (bytes) throws(KeyError) in
                for start in stride(from: 0, to: bytes.count - size + 1, by: size) {
                    let slot = UInt32((place + UInt64(start)) / Self.slotByteCount)
                    try body(slot, UnsafeRawBufferPointer(rebasing: bytes[start..<(start + size)]))
                }
            }
            offset += UInt64(block.count / size * size)
        }
    }

    /// Writes slots and syncs once.
    private func write(_ records: [(slot: UInt32, bytes: [UInt8])]) throws(KeyError) {
        if records.isEmpty { return }
        try KeyError.wrapping { () throws(SystemFailure) in
            for record in records { try file.write(record.bytes, at: UInt64(record.slot) * Self.slotByteCount) }
        }
        try sync()
    }

    private func wipe(_ slot: UInt32) throws(KeyError) {
        let zeros = [UInt8](repeating: 0, count: ObjectKeyRecord.byteCount)
        try KeyError.wrapping { () throws(SystemFailure) in
            let byteCount = try file.byteCount()
            let place = UInt64(slot) * Self.slotByteCount
            // Nothing is there to wipe behind the end.
            if place < byteCount { try file.write(zeros, at: place) }
        }
    }
}
