import Archive
import Foundation
import Keys
import Synchronization
import Testing

@testable import Transfer

/// Unfinished objects, in their places in the packs.
struct PartialObjectTests {
    private static let slot = Int(Piece.wholeRangeByteCount)

    private func content(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) } }

    private func write(_ partial: PartialObject, _ bytes: ArraySlice<UInt8>, at offset: Int) throws -> Bool {
        do throws(TransferError) {
            _ = try Array(bytes).withRawBytes { bytes throws(TransferError) in
                try partial.write(bytes, at: UInt64(offset))
            }
            return true
        } catch {
            guard case .malformed = error else { throw error }
            return false
        }
    }

    private func read(_ partial: PartialObject) throws -> [UInt8] {
        var read: [UInt8] = []
        try partial.forEachRun { read += $0 }
        return read
    }

    @Test func takesPiecesInAnyOrderAndGivesTheWhole() throws {
        let site = try TransferFixture()
        let bytes = content(3 * Self.slot + 77)
        let partial = PartialObject(try site.archive.reserve(byteCount: UInt64(bytes.count)), slots: nil)
        #expect(partial.missing == [0..<UInt64(bytes.count)])
        #expect(try write(partial, bytes[(3 * Self.slot)...], at: 3 * Self.slot))
        #expect(try write(partial, bytes[..<Self.slot], at: 0))
        #expect(partial.missing == [UInt64(Self.slot)..<UInt64(3 * Self.slot)] && !partial.isWhole)
        #expect(partial.presentByteCount == UInt64(Self.slot + 77))
        #expect(try write(partial, bytes[Self.slot..<3 * Self.slot], at: Self.slot))
        #expect(partial.isWhole)
        #expect(try read(partial) == bytes)
    }

    @Test func countsWhatItBringsOnce() throws {
        let site = try TransferFixture()
        let bytes = content(3 * Self.slot)
        let partial = PartialObject(try site.archive.reserve(byteCount: UInt64(bytes.count)), slots: nil)
        let added = Mutex<UInt64>(0)
        DispatchQueue.concurrentPerform(iterations: 6) { index in
            let first = index % 3 * Self.slot
            let piece = Array(bytes[first..<min(bytes.count, first + 2 * Self.slot)])
            let count = piece.withUnsafeBytes { try? partial.write($0, at: UInt64(first)) }
            added.withLock { $0 += count ?? 0 }
        }
        #expect(added.withLock { $0 } == UInt64(bytes.count) && partial.isWhole)
    }

    @Test func refusesWhatDoesNotFillSlots() throws {
        let site = try TransferFixture()
        let bytes = content(2 * Self.slot)
        let partial = PartialObject(try site.archive.reserve(byteCount: UInt64(bytes.count)), slots: nil)
        #expect(try !write(partial, bytes[..<100], at: 0))
        #expect(try !write(partial, bytes[..<Self.slot], at: 1))
        #expect(try !write(partial, bytes[...], at: Self.slot))
        #expect(partial.missing == [0..<UInt64(bytes.count)])
    }

    @Test func saysOnlyOfWhatWasSyncedThatItIsThere() throws {
        let site = try TransferFixture()
        let bytes = content(2 * Self.slot + 1)
        let partial = PartialObject(try site.archive.reserve(byteCount: UInt64(bytes.count)), slots: nil)
        #expect(try write(partial, bytes[..<Self.slot], at: 0))
        #expect(partial.durableSlots == SlotBits.encoded([false, false, false]))
        try partial.sync()
        #expect(try write(partial, bytes[Self.slot..<2 * Self.slot], at: Self.slot))
        #expect(partial.durableSlots == SlotBits.encoded([true, false, false]))
        let again = PartialObject(partial.content, slots: partial.durableSlots)
        #expect(again.missing == [UInt64(Self.slot)..<UInt64(bytes.count)])
        #expect(try write(again, bytes[Self.slot...], at: Self.slot))
        #expect(try read(again) == bytes)
    }

    @Test func givesTheRoomBackOfWhatNobodyKnows() throws {
        let site = try TransferFixture()
        var place: ArrivingContent.Place?
        do {
            let partial = PartialObject(try site.archive.reserve(byteCount: UInt64(Self.slot)), slots: nil)
            #expect(try write(partial, content(Self.slot)[...], at: 0))
            place = partial.content.location
        }
        #expect(try site.archive.arrivingContent(at: #require(place), byteCount: UInt64(Self.slot)) == nil)
    }

    @Test func takesLargeObjectsInLargerPieces() throws {
        let site = try TransferFixture()
        let slot = Int(Piece.rangeByteCount)
        let bytes = content(Int(Piece.wholeLimit) + 77)
        let partial = PartialObject(try site.archive.reserve(byteCount: UInt64(bytes.count)), slots: nil)
        #expect(try !write(partial, bytes[..<Self.slot], at: 0))
        #expect(try !write(partial, bytes[Self.slot..<2 * Self.slot], at: Self.slot))
        #expect(try write(partial, bytes[slot...], at: slot))
        #expect(partial.missing == [0..<UInt64(slot)] && partial.presentByteCount == UInt64(bytes.count - slot))
        try partial.sync()
        #expect(partial.durableSlots == SlotBits.encoded([false, true, true, true, true]))
        #expect(try write(partial, bytes[..<slot], at: 0))
        #expect(try read(partial) == bytes)
    }

    @Test func keepsSlotsAsBits() {
        for count in [0, 1, 7, 8, 9, 100] {
            let slots = (0..<count).map { $0 % 3 == 0 }
            #expect(SlotBits.decoded(SlotBits.encoded(slots), count: count) == slots)
            #expect(SlotBits.decoded(SlotBits.encoded(slots), count: count + 9) == nil)
        }
    }
}
