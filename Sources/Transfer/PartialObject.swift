import Glibc
import Keys
import Synchronization

/// An object of which pieces have come, out of order: beside the packs, sealed slot by slot, until all of it is there.
///
/// A slot holds 1 MiB of the object, sealed under a nonce of its own with the object's name and the slot's place. What is here
/// after a crash is what `TransferTable` says, which is written after the file.
final class PartialObject: Sendable {
    static let slotByteCount = 1 << 20
    private static let sealedSlotByteCount = slotByteCount + 28

    private struct State {
        var file: OpenFile
        var present: [Bool]
        var leftCount: Int
    }

    let byteCount: UInt64
    let path: String
    private let name: String
    private let seal: PayloadSeal
    private let state: Mutex<State>

    /// - Parameters:
    ///   - present: slots that are there; nil for none.
    init(
        path: String, name: String, byteCount: UInt64, present: [Bool]?, seal: PayloadSeal
    ) throws(SystemFailure) {
        self.path = path
        self.name = name
        self.byteCount = byteCount
        self.seal = seal
        let count = Int((byteCount + UInt64(Self.slotByteCount) - 1) / UInt64(Self.slotByteCount))
        let isKnown = present?.count == count
        let file = try OpenFile(path, flags: O_RDWR | O_CREAT | (isKnown ? 0 : O_TRUNC))
        let found = isKnown ? present ?? [] : [Bool](repeating: false, count: count)
        state = Mutex(State(file: file, present: found, leftCount: found.count { !$0 }))
    }

    var isWhole: Bool { state.withLock { $0.leftCount == 0 } }

    var presentByteCount: UInt64 {
        state.withLock { state in
            state.present.indices.reduce(0) { $0 + (state.present[$1] ? UInt64(slotLength($1)) : 0) }
        }
    }

    /// What is missing, as offsets and lengths.
    var missing: [Range<UInt64>] {
        state.withLock { state in
            var result: [Range<UInt64>] = []
            for slot in state.present.indices where !state.present[slot] {
                let start = UInt64(slot) * UInt64(Self.slotByteCount)
                let range = start..<start + UInt64(slotLength(slot))
                if let last = result.last, last.upperBound == start {
                    result[result.count - 1] = last.lowerBound..<range.upperBound
                } else {
                    result.append(range)
                }
            }
            return result
        }
    }

    /// Writes a piece that was verified; durable after `sync`.
    ///
    /// - Returns: whether it was one of whole slots.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(TransferError) -> Bool {
        guard offset % UInt64(Self.slotByteCount) == 0, offset + UInt64(bytes.count) <= byteCount else { return false }
        let first = Int(offset / UInt64(Self.slotByteCount))
        var slot = first
        var start = 0
        while start < bytes.count {
            let count = slotLength(slot)
            guard start + count <= bytes.count else { return false }
            let isThere = state.withLock { $0.present[slot] }
            if !isThere { try write(slot, Array(bytes[start..<start + count])) }
            start += count
            slot += 1
        }
        return true
    }

    private func write(_ slot: Int, _ plain: [UInt8]) throws(TransferError) {
        let sealed: [UInt8]
        do throws(KeyError) { sealed = try seal.seal(plain, for: "\(name) \(slot)") } catch {
            throw .ours("a piece could not be sealed")
        }
        do throws(SystemFailure) {
            try state.withLock { state throws(SystemFailure) in
                try state.file.write(sealed, at: UInt64(slot * Self.sealedSlotByteCount))
                if !state.present[slot] {
                    state.present[slot] = true
                    state.leftCount -= 1
                }
            }
        } catch { throw Self.error(error) }
    }

    /// Has what was written reach the disk.
    ///
    /// - Returns: the slots that are there then, for the table.
    func sync() throws(TransferError) -> [Bool] {
        do throws(SystemFailure) {
            return try state.withLock { state throws(SystemFailure) in
                try state.file.syncData()
                return state.present
            }
        } catch { throw Self.error(error) }
    }

    /// Gives the whole object in order.
    func forEachSlot(_ body: (UnsafeRawBufferPointer) throws(TransferError) -> Void) throws(TransferError) {
        let count = state.withLock { $0.present.count }
        for slot in 0..<count {
            let sealed: [UInt8]
            do throws(SystemFailure) {
                sealed = try state.withLock { state throws(SystemFailure) in
                    try state.file.read(count: slotLength(slot) + 28, at: UInt64(slot * Self.sealedSlotByteCount))
                }
            } catch { throw Self.error(error) }
            let plain: [UInt8]
            do throws(KeyError) { plain = try seal.open(sealed, of: "\(name) \(slot)") } catch {
                throw .malformed("a piece that is kept here is damaged")
            }
            try plain.withRawBytes { bytes throws(TransferError) in try body(bytes) }
        }
    }

    private func slotLength(_ slot: Int) -> Int {
        Int(min(UInt64(Self.slotByteCount), byteCount - UInt64(slot) * UInt64(Self.slotByteCount)))
    }

    static func error(_ failure: SystemFailure) -> TransferError {
        failure.errno == ENOSPC || failure.errno == EDQUOT
            ? .full : .ours("a file of pieces: \(failure.operation) failed")
    }
}

/// The slots that are there as bits, the first the lowest of the first byte.
enum SlotBits {
    static func encoded(_ slots: [Bool]) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: (slots.count + 7) / 8)
        for (index, isThere) in slots.enumerated() where isThere { result[index / 8] |= 1 << UInt8(index % 8) }
        return result
    }

    static func decoded(_ bits: [UInt8], count: Int) -> [Bool]? {
        guard bits.count == (count + 7) / 8 else { return nil }
        return (0..<count).map { bits[$0 / 8] & 1 << UInt8($0 % 8) != 0 }
    }
}
