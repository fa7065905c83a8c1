/// Which slots of the object key file hold a key: one bit each.
struct SlotMap {
    /// Slot 0 is the file's head.
    static let first: UInt32 = 1

    private var words: [UInt64] = [1]
    /// Slots below this exist in the file.
    private(set) var end: UInt32 = first
    private(set) var takenCount = 0
    // No slot below is free.
    private var lowestFree: UInt32 = first

    func isTaken(_ slot: UInt32) -> Bool {
        slot < end && words[Int(slot >> 6)] & (1 << UInt64(slot & 63)) != 0
    }

    mutating func take(_ slot: UInt32) {
        while Int(slot >> 6) >= words.count { words.append(0) }
        guard words[Int(slot >> 6)] & (1 << UInt64(slot & 63)) == 0 else { return }
        words[Int(slot >> 6)] |= 1 << UInt64(slot & 63)
        takenCount += 1
        end = max(end, slot + 1)
    }

    /// Takes the lowest free slot.
    mutating func takeAny() -> UInt32 {
        var slot = lowestFree
        while slot < end {
            let word = words[Int(slot >> 6)] >> UInt64(slot & 63)
            if word & 1 == 0 { break }
            // Hops over a run of taken slots.
            slot += UInt32((~word).trailingZeroBitCount)
        }
        slot = min(slot, end)
        take(slot)
        lowestFree = slot + 1
        return slot
    }

    mutating func free(_ slot: UInt32) {
        guard isTaken(slot) else { return }
        words[Int(slot >> 6)] &= ~(1 << UInt64(slot & 63))
        takenCount -= 1
        lowestFree = min(lowestFree, slot)
    }

    /// Counts a file's slots from here on.
    mutating func extend(to end: UInt32) {
        guard end > self.end else { return }
        self.end = end
        while Int((end - 1) >> 6) >= words.count { words.append(0) }
    }

    /// Lets go of the free slots at the end; the result is where the file may end.
    mutating func dropFreeTail() -> UInt32 {
        while end > Self.first, !isTaken(end - 1) { end -= 1 }
        words.removeLast(words.count - Int((end - 1) >> 6) - 1)
        lowestFree = min(lowestFree, end)
        return end
    }
}
