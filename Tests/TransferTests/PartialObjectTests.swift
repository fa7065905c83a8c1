import Foundation
import Keys
import Testing

@testable import Transfer

/// Unfinished objects beside the packs.
struct PartialObjectTests {
    private static let slot = PartialObject.slotByteCount

    private func folder() throws -> (String, PartialFolder, TransferID) {
        let path = FileManager.default.temporaryDirectory.path + "/huizhen-partial-" + UUID().uuidString
        return (path, try PartialFolder(path, key: try SymmetricKey.random()), try TransferID())
    }

    private func content(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) } }

    private func write(_ partial: PartialObject, _ bytes: ArraySlice<UInt8>, at offset: Int) throws -> Bool {
        try Array(bytes).withUnsafeBytes { try partial.write($0, at: UInt64(offset)) }
    }

    @Test func takesPiecesInAnyOrderAndGivesTheWhole() throws {
        let (path, folder, id) = try folder()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let bytes = content(3 * Self.slot + 77)
        let partial = try folder.open(id, [1], byteCount: UInt64(bytes.count), slots: nil)
        #expect(partial.missing == [0..<UInt64(bytes.count)])
        #expect(try write(partial, bytes[(3 * Self.slot)...], at: 3 * Self.slot))
        #expect(try write(partial, bytes[..<Self.slot], at: 0))
        #expect(partial.missing == [UInt64(Self.slot)..<UInt64(3 * Self.slot)] && !partial.isWhole)
        #expect(partial.presentByteCount == UInt64(Self.slot + 77))
        #expect(try write(partial, bytes[Self.slot..<3 * Self.slot], at: Self.slot))
        var read: [UInt8] = []
        try partial.forEachSlot { read += $0 }
        #expect(partial.isWhole && read == bytes)
        // Nothing of it can be read in the file.
        let file = try Data(contentsOf: URL(fileURLWithPath: partial.path))
        #expect(file.range(of: Data(bytes[1000..<1064])) == nil)
    }

    @Test func refusesWhatDoesNotFillSlots() throws {
        let (path, folder, id) = try folder()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let bytes = content(2 * Self.slot)
        let partial = try folder.open(id, [1], byteCount: UInt64(bytes.count), slots: nil)
        #expect(try !write(partial, bytes[..<100], at: 0))
        #expect(try !write(partial, bytes[..<Self.slot], at: 1))
        #expect(try !write(partial, bytes[...], at: Self.slot))
        #expect(partial.missing == [0..<UInt64(bytes.count)])
    }

    @Test func goesOnWithTheSlotsThatAreKnownToBeThere() throws {
        let (path, folder, id) = try folder()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let bytes = content(2 * Self.slot + 1)
        var slots: [Bool] = []
        do {
            let partial = try folder.open(id, [1], byteCount: UInt64(bytes.count), slots: nil)
            #expect(try write(partial, bytes[..<Self.slot], at: 0))
            slots = try partial.sync()
        }
        #expect(slots == [true, false, false])
        let again = try folder.open(id, [1], byteCount: UInt64(bytes.count), slots: SlotBits.encoded(slots))
        #expect(again.missing == [UInt64(Self.slot)..<UInt64(bytes.count)])
        #expect(try write(again, bytes[Self.slot...], at: Self.slot))
        var read: [UInt8] = []
        try again.forEachSlot { read += $0 }
        #expect(read == bytes)
    }

    @Test func doesNotGiveWhatWasAltered() throws {
        let (path, folder, id) = try folder()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let bytes = content(Self.slot)
        let partial = try folder.open(id, [1], byteCount: UInt64(bytes.count), slots: nil)
        #expect(try write(partial, bytes[...], at: 0))
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: partial.path))
        try handle.seek(toOffset: 5000)
        let byte = try #require(try handle.read(upToCount: 1)?.first)
        try handle.seek(toOffset: 5000)
        try handle.write(contentsOf: Data([byte ^ 1]))
        try handle.close()
        #expect(throws: TransferError.self) { try partial.forEachSlot { _ in } }
    }

    @Test func removesFilesThatNobodyKnows() throws {
        let (path, folder, id) = try folder()
        defer { try? FileManager.default.removeItem(atPath: path) }
        _ = try folder.open(id, [1], byteCount: 10, slots: nil)
        _ = try folder.open(id, [2], byteCount: 10, slots: nil)
        folder.sweep(keeping: [(id.description, [2])])
        #expect(try FileManager.default.contentsOfDirectory(atPath: path).count == 1)
        folder.remove(id, [2])
        #expect(try FileManager.default.contentsOfDirectory(atPath: path).isEmpty)
    }

    @Test func keepsSlotsAsBits() {
        for count in [0, 1, 7, 8, 9, 100] {
            let slots = (0..<count).map { $0 % 3 == 0 }
            #expect(SlotBits.decoded(SlotBits.encoded(slots), count: count) == slots)
            #expect(SlotBits.decoded(SlotBits.encoded(slots), count: count + 9) == nil)
        }
    }
}
