import Archive
import Keys

/// An object of which pieces have come, out of order: each lies where it will stay, and this knows which are there.
///
/// A slot holds as much of the object as the least range. What is there after a crash is what `TransferTable` says, which is
/// written after the content reached the disk. Safe from any thread.
final class PartialObject: @unchecked Sendable {  // everything that changes is behind the gate
    /// How much is read at a time.
    private static let readByteCount = 1 << 20

    let content: ArrivingContent
    private let slotByteCount: Int
    private let gate = ConditionLock()
    private var present: [Bool]
    private var writing: Set<Int> = []
    /// Slots that reached the disk, as bits.
    private var durable: [UInt8]

    /// - Parameter slots: those that are there, as bits; nil for none.
    init(_ content: ArrivingContent, slots: [UInt8]?) {
        self.content = content
        slotByteCount = Int(Piece.rangeByteCount(of: content.byteCount))
        let count = Int((content.byteCount + UInt64(slotByteCount) - 1) / UInt64(slotByteCount))
        present = slots.flatMap { SlotBits.decoded($0, count: count) } ?? [Bool](repeating: false, count: count)
        durable = SlotBits.encoded(present)
    }

    deinit {
        // The table knows nothing of it.
        if durable.allSatisfy({ $0 == 0 }) { content.abandon() }
    }

    var byteCount: UInt64 { content.byteCount }

    var isWhole: Bool { gate.locked { !present.contains(false) } }

    var presentByteCount: UInt64 {
        gate.locked { present.indices.reduce(0) { $0 + (present[$1] ? UInt64(slotLength($1)) : 0) } }
    }

    /// The slots that survive a power cut, for the table.
    var durableSlots: [UInt8] { gate.locked { durable } }

    /// What is missing, as offsets and lengths.
    var missing: [Range<UInt64>] {
        gate.locked {
            var result: [Range<UInt64>] = []
            for slot in present.indices where !present[slot] {
                let start = UInt64(slot) * UInt64(slotByteCount)
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
    /// - Returns: how many bytes of it were not there.
    /// - Throws: `.malformed` where it is none of whole slots.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(TransferError) -> UInt64 {
        guard offset.isMultiple(of: UInt64(slotByteCount)), offset + UInt64(bytes.count) <= byteCount else {
            throw .malformed("a piece that does not begin where pieces do")
        }
        var slot = Int(offset / UInt64(slotByteCount))
        var start = 0
        var added: UInt64 = 0
        while start < bytes.count {
            let count = slotLength(slot)
            guard start + count <= bytes.count else { throw .malformed("a piece that does not end where pieces do") }
            if try write(slot, UnsafeRawBufferPointer(rebasing: bytes[start..<start + count])) {
                added += UInt64(count)
            }
            start += count
            slot += 1
        }
        return added
    }

    /// Once only, whoever brings it; who brings it too waits until it is there.
    ///
    /// - Returns: whether it was not there.
    private func write(_ slot: Int, _ plain: UnsafeRawBufferPointer) throws(TransferError) -> Bool {
        gate.lock()
        while writing.contains(slot) { gate.wait() }
        let isFree = !present[slot]
        if isFree { writing.insert(slot) }
        gate.unlock()
        guard isFree else { return false }
        var failure: ArchiveError?
        do throws(ArchiveError) {
            try content.write(plain, at: UInt64(slot) * UInt64(slotByteCount))
        } catch { failure = error }
        gate.locked {
            writing.remove(slot)
            if failure == nil { present[slot] = true }
            gate.wakeAll()
        }
        if let failure { throw ArrivingTransfer.error(failure) }
        return true
    }

    /// Has what was written reach the disk; those who come together share one sync.
    func sync() throws(TransferError) {
        let slots = gate.locked { present }
        do throws(ArchiveError) { try content.sync() } catch { throw ArrivingTransfer.error(error) }
        let bits = SlotBits.encoded(slots)
        gate.locked { for index in bits.indices { durable[index] |= bits[index] } }
    }

    /// Gives the whole object in order, piece by piece.
    func forEachRun(_ body: (UnsafeRawBufferPointer) throws(TransferError) -> Void) throws(TransferError) {
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.readByteCount, alignment: 4096)
        defer { room.deallocate() }
        var offset: UInt64 = 0
        while offset < byteCount {
            let count: Int
            do throws(ArchiveError) { count = try content.read(offset: offset, into: room) } catch {
                if case .damaged = error { throw .malformed("a piece that is kept here is damaged") }
                throw ArrivingTransfer.error(error)
            }
            try body(UnsafeRawBufferPointer(rebasing: room[..<count]))
            offset += UInt64(count)
        }
    }

    private func slotLength(_ slot: Int) -> Int {
        Int(min(UInt64(slotByteCount), byteCount - UInt64(slot) * UInt64(slotByteCount)))
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
