import Glibc
import Keys
import Testing

@testable import BlobStore

extension StoreFixture {
    func header(_ location: BlobLocation) throws -> ObjectHeader {
        try #require(
            try bytes(location, count: ObjectHeader.byteCount).withUnsafeBytes { ObjectHeader($0, at: location) })
    }

    /// Moves every key all the way.
    func moveKeys() throws {
        while try store.mover.copyBatch() > 0 {}
        store.mover.mark(now: 0)
        while try store.mover.clearBatch(now: .max / 2) > 0 {}
    }

    func expectReadable(_ locations: [BlobLocation], seedsFrom first: UInt64 = 0) throws {
        for (index, location) in locations.enumerated() {
            #expect(try content(location) == noise(1000, seed: first + UInt64(index)), "object \(index)")
            #expect(try store.open(location).record() == [UInt8(index)])
        }
    }

    func putSome(_ count: Int) throws -> [BlobLocation] {
        try (0..<count).map {
            try put(noise(1000, seed: UInt64($0)), record: [UInt8($0)], sequence: UInt64($0) + 1)
        }
    }
}

/// Object keys on their way from the packs to the key store.
@Suite struct KeyMoveTests {
    @Test func copiesAKeyBesideTheOneInThePackAndClearsThatOnlyLater() throws {
        let fixture = try StoreFixture()
        let locations = try fixture.putSome(5)
        let wrapped = try locations.map { try fixture.header($0).wrappedKey }
        #expect(try fixture.store.mover.waitingCount() == (5, 0))
        #expect(try fixture.store.mover.copyBatch() == 5)
        #expect(try fixture.store.mover.waitingCount() == (0, 5))
        fixture.store.mover.mark(now: 1000)
        #expect(try fixture.store.mover.clearBatch(now: 1000 + 3_599_999) == 0)
        #expect(try locations.map { try fixture.header($0).wrappedKey } == wrapped)
        try fixture.expectReadable(locations)
        #expect(try fixture.store.mover.clearBatch(now: 1000 + 3_600_000) == 5)
        #expect(try fixture.store.mover.waitingCount() == (0, 0))
        for location in locations {
            let header = try fixture.header(location)
            #expect(header.keyPlace == .store && header.wrappedKey.allSatisfy { $0 == 0 })
        }
        try fixture.expectReadable(locations)
        #expect(fixture.keys.objects.count == 5)
        let report = try fixture.reopen()
        #expect(report.objectCount == 5 && report.damaged.isEmpty && report.tornCount == 0)
        try fixture.expectReadable(locations)
        #expect(try fixture.store.mover.copyBatch() == 0)
    }

    @Test func marksWhatIsCopiedLaterForALaterTime() throws {
        let fixture = try StoreFixture()
        let first = try fixture.putSome(2)
        _ = try fixture.store.mover.copyBatch()
        fixture.store.mover.mark(now: 0)
        let second = try fixture.put([1])
        _ = try fixture.store.mover.copyBatch()
        fixture.store.mover.mark(now: 1_800_000)
        #expect(try fixture.store.mover.clearBatch(now: 3_600_000) == 2)
        #expect(try fixture.header(first[1]).keyPlace == .store && fixture.header(second).keyPlace == .both)
        #expect(try fixture.store.mover.clearBatch(now: 5_400_000) == 1)
        #expect(try fixture.header(second).keyPlace == .store)
    }

    @Test func takesNoMoreThanABatchAtATime() throws {
        let fixture = try StoreFixture()
        for number in 0...KeyMover.batchLimit { _ = try fixture.put([1], sequence: UInt64(number)) }
        #expect(try fixture.store.mover.copyBatch() == KeyMover.batchLimit)
        #expect(try fixture.store.mover.copyBatch() == 1)
        #expect(try fixture.store.mover.copyBatch() == 0)
        fixture.store.mover.mark(now: 0)
        #expect(try fixture.store.mover.clearBatch(now: .max / 2) == KeyMover.batchLimit)
        #expect(try fixture.store.mover.clearBatch(now: .max / 2) == 1)
        #expect(try fixture.store.mover.waitingCount() == (0, 0))
    }

    @Test func movesKeysOfObjectsThatAnEarlierVersionWrote() throws {
        var options = StoreFixture.smallOptions
        options.headerVersion = 1
        let old = try StoreFixture(options)
        let locations = try old.putSome(3)
        #expect(try old.header(locations[0]).version == 1)
        try old.expectReadable(locations)
        let fixture = try StoreFixture(copying: old, StoreFixture.smallOptions)
        try fixture.moveKeys()
        for location in locations {
            let header = try fixture.header(location)
            #expect(header.version == 1 && header.keyPlace == .store)
        }
        try fixture.expectReadable(locations)
        try fixture.reopen()
        try fixture.expectReadable(locations)
    }

    private struct CutOff: Error {}

    /// Every point between two writes: the process ends there, and whatever was not synced may be lost.
    @Test(arguments: 0..<9) func keepsEveryObjectReadableWhereverTheMoveIsCutOff(point: Int) throws {
        let fixture = try StoreFixture()
        let locations = try fixture.putSome(3)
        let before = fixture.directory + "/blobs-before"
        var (reached, packsBefore) = (0, before)
        func cut(_ step: KeyMoveStep) throws(BlobError) {
            if reached == point { throw .closed }
            reached += 1
        }
        try TemporaryDirectory.copyFolder(fixture.directory + "/blobs", to: before)
        do {
            _ = try fixture.store.mover.copyBatch(reach: cut)
            fixture.store.mover.mark(now: 0)
            packsBefore = fixture.directory + "/blobs-copied"
            try TemporaryDirectory.copyFolder(fixture.directory + "/blobs", to: packsBefore)
            _ = try fixture.store.mover.clearBatch(now: .max / 2, reach: cut)
        } catch BlobError.closed {}
        // Killed: the kernel still writes everything. Power cut: the packs are as at their last sync.
        for packs in [nil, packsBefore] {
            let after = try StoreFixture(copying: fixture, blobs: packs)
            try after.expectReadable(locations)
            try after.moveKeys()
            try after.expectReadable(locations)
            try after.keys.objects.countSlots()
            #expect(after.keys.objects.count == 3, "no copy is left that no header names")
            #expect(try after.store.mover.waitingCount() == (0, 0))
            for location in locations { try after.store.destroy(location) }
            #expect(after.keys.objects.count == 0)
        }
    }

    @Test func findsNoKeyWhereAListOfSlotsWasCutShort() throws {
        let fixture = try StoreFixture()
        let locations = try fixture.putSome(3)
        #expect(throws: BlobError.closed) {
            try fixture.store.mover.copyBatch { step throws(BlobError) in if step == .copied { throw .closed } }
        }
        // Neither the list nor the slots were whole on the disk.
        try OpenFile(fixture.directory + "/keys/moving.keys", flags: O_RDWR).truncate(to: 15)
        try OpenFile(fixture.directory + "/keys/objects.keys", flags: O_RDWR).truncate(to: 128)
        let after = try StoreFixture(copying: fixture)
        try after.moveKeys()
        try after.expectReadable(locations)
    }

    @Test func clearsNoKeyWhoseCopyIsNotTheSame() throws {
        let fixture = try StoreFixture()
        let locations = try fixture.putSome(3)
        _ = try fixture.store.mover.copyBatch()
        fixture.store.mover.mark(now: 0)
        let slot = try fixture.header(locations[1]).slot
        try OpenFile(fixture.directory + "/keys/objects.keys", flags: O_RDWR).write([0xFF], at: UInt64(slot) * 128 + 50)
        _ = try fixture.store.mover.clearBatch(now: .max / 2)
        #expect(try locations.map { try fixture.header($0).keyPlace } == [.store, .both, .store])
        try fixture.expectReadable(locations)
    }

    @Test func saysThatAKeyIsUnknownWhenTheKeyStoreLostIt() throws {
        let fixture = try StoreFixture()
        let locations = try fixture.putSome(2)
        try fixture.moveKeys()
        try OpenFile(fixture.directory + "/keys/objects.keys", flags: O_RDWR).truncate(to: 128)
        let after = try StoreFixture(copying: fixture)
        for location in locations { #expect(throws: BlobError.key(.unknown)) { try after.store.open(location) } }
        #expect(try after.locations() == locations)
    }

    @Test func noticesWhatWasAlteredInAMovedHeaderOrItsSlot() throws {
        let fixture = try StoreFixture()
        let location = try fixture.putSome(1)[0]
        try fixture.moveKeys()
        for byte in 0..<UInt64(ObjectHeader.byteCount) {
            try fixture.flip(location, at: byte)
            #expect(throws: BlobError.self, "header byte \(byte)") { try fixture.store.open(location) }
            try fixture.flip(location, at: byte)
        }
        let file = try OpenFile(fixture.directory + "/keys/objects.keys", flags: O_RDWR)
        for byte in 0..<UInt64(128) {
            let old = try file.read(count: 1, at: 128 + byte)[0]
            try file.write([old ^ 4], at: 128 + byte)
            #expect(throws: BlobError.self, "slot byte \(byte)") { try fixture.store.open(location) }
            try file.write([old], at: 128 + byte)
        }
        try fixture.expectReadable([location])
    }

    @Test func refusesAHeaderThatNamesAnothersSlot() throws {
        let fixture = try StoreFixture()
        let locations = try fixture.putSome(2)
        try fixture.moveKeys()
        var forged = try fixture.header(locations[0])
        forged.slot = try fixture.header(locations[1]).slot
        try fixture.overwrite(locations[0], at: 0, with: forged.encoded)
        #expect(throws: BlobError.key(.unknown)) { try fixture.store.open(locations[0]) }
        // The record is sealed with the object's identifier: taking on the other's does not help.
        forged.objectID = try fixture.header(locations[1]).objectID
        try fixture.overwrite(locations[0], at: 0, with: forged.encoded)
        #expect(throws: BlobError.self) { try fixture.store.open(locations[0]) }
    }

    @Test func movesKeysWhileObjectsComeAndGo() async throws {
        let fixture = try StoreFixture()
        let (store, study) = (fixture.store, fixture.study)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for thread in 0..<3 {
                group.addTask {
                    var kept: [(BlobLocation, [UInt8])] = []
                    for round in 0..<60 {
                        let content = noise(700, seed: UInt64(thread * 1000 + round))
                        let writer = try store.begin()
                        try content.withUnsafeBytes { try writer.append($0) }
                        _ = try writer.finishContent()
                        let location = try writer.write(metadata: [], record: [], sequence: 1, studyKey: study)
                        try writer.sync()
                        if round % 3 == 0 {
                            try store.destroy(location)
                            #expect(throws: BlobError.notFound) { try store.open(location) }
                        } else {
                            kept.append((location, content))
                        }
                        for (location, content) in kept.suffix(5) {
                            let reader = try store.open(location)
                            var bytes = [UInt8](repeating: 0, count: content.count)
                            _ = try bytes.withUnsafeMutableBytes { try reader.read(offset: 0, into: $0) }
                            #expect(bytes == content)
                        }
                    }
                }
            }
            group.addTask {
                for round in 0..<60 {
                    _ = try store.mover.copyBatch()
                    store.mover.mark(now: Int64(round) * 10_000_000)
                    _ = try store.mover.clearBatch(now: Int64(round) * 10_000_000 + 9_000_000)
                }
            }
            try await group.waitForAll()
        }
        try fixture.moveKeys()
        #expect(fixture.keys.objects.count == 120)
        let report = try fixture.reopen()
        #expect(report.objectCount == 120 && report.voidCount == 60 && report.damaged.isEmpty)
    }
}

/// What the key store keeps of destroyed objects, and what old copies of the packs are worth.
@Suite struct KeyDestructionTests {
    @Test func keepsADestroyedObjectFromWhoHasAnOldCopyOfThePacks() throws {
        let fixture = try StoreFixture()
        let locations = try fixture.putSome(3)
        try fixture.moveKeys()
        let old = fixture.directory + "/blobs-old"
        try TemporaryDirectory.copyFolder(fixture.directory + "/blobs", to: old)
        try fixture.store.destroy(locations[1])
        let stale = try StoreFixture(copying: fixture, blobs: old)
        #expect(throws: BlobError.keyDestroyed) { try stale.store.open(locations[1]) }
        #expect(try stale.content(locations[0]) == noise(1000, seed: 0))
        #expect(try stale.content(locations[2]) == noise(1000, seed: 2))
        #expect(stale.keys.objects.destroyedCount == 1)
        // Its slot is used by another: the old header does not open that one's key.
        let next = try fixture.put([7])
        try fixture.moveKeys()
        #expect(try fixture.header(next).slot == 2)
        let later = try StoreFixture(copying: fixture, blobs: old)
        #expect(throws: BlobError.key(.unknown)) { try later.store.open(locations[1]) }
    }

    @Test func overwritesTheSlotOfAnObjectWhosePackWasBroughtBackFromBeforeTheMove() throws {
        let fixture = try StoreFixture()
        let locations = try fixture.putSome(2)
        let page = try fixture.bytes(locations[0], count: 4096)
        try fixture.moveKeys()
        try fixture.overwrite(locations[0], at: 0, with: page)
        #expect(try fixture.header(locations[0]).keyPlace == .header)
        try fixture.store.destroy(locations[0])
        #expect(fixture.keys.objects.count == 1)
        try fixture.overwrite(locations[0], at: 0, with: page)
        #expect(try fixture.keys.objects.record(1) != .free)
        guard case .destroyed = try fixture.keys.objects.record(1) else {
            Issue.record("the copy is still there")
            return
        }
    }

    @Test func usesSlotsAgainAndGivesTheRoomAtTheEndBack() throws {
        let fixture = try StoreFixture()
        let file = try OpenFile(fixture.directory + "/keys/objects.keys", flags: O_RDONLY)
        let locations = try fixture.putSome(6)
        try fixture.moveKeys()
        #expect(try file.byteCount() == 7 * 128)
        #expect(try fixture.store.destroy(locations[1...2].map(fixture.place)).isEmpty)
        #expect(try file.byteCount() == 7 * 128 && fixture.keys.objects.count == 4)
        let next = try fixture.put([1])
        try fixture.moveKeys()
        #expect(try fixture.header(next).slot == 2)
        #expect(try fixture.store.destroy(locations[3...5].map(fixture.place)).isEmpty)
        #expect(try file.byteCount() == 3 * 128)
        try fixture.reopen()
        try fixture.keys.objects.countSlots()
        #expect(fixture.keys.objects.count == 2)
        #expect(try fixture.content(next) == [1])
    }

    @Test func leavesASlotTakenThatAnotherObjectHasByNow() throws {
        let fixture = try StoreFixture()
        let locations = try fixture.putSome(2)
        try fixture.moveKeys()
        let (first, second) = (try fixture.header(locations[0]), try fixture.header(locations[1]))
        // As a pack from an old copy names it: the first object, but the second's slot.
        #expect(try fixture.keys.objects.destroy([(first.objectID, second.slot)]) == [])
        #expect(try fixture.content(locations[1]) == noise(1000, seed: 1))
        #expect(try fixture.keys.objects.destroy([(second.objectID, second.slot)]) == [second.slot])
        // Nobody may let go of it twice: the next object could be in it.
        #expect(try fixture.keys.objects.destroy([(second.objectID, second.slot)]) == [])
    }

    @Test func overwritesADamagedSlotToo() throws {
        let fixture = try StoreFixture()
        let location = try fixture.putSome(1)[0]
        try fixture.moveKeys()
        let header = try fixture.header(location)
        let file = try OpenFile(fixture.directory + "/keys/objects.keys", flags: O_RDWR)
        let place = UInt64(header.slot) * 128
        let wrapped = try file.read(count: 60, at: place + 40)
        try file.write([0xFF], at: place + 127)
        try fixture.store.destroy(location)
        #expect(try file.read(count: 60, at: place + 40) != wrapped)
    }

    @Test func destroysManyAtOnceAndSkipsWhatIsGone() throws {
        let fixture = try StoreFixture()
        let locations = try fixture.putSome(4)
        try fixture.moveKeys()
        let unmoved = try fixture.put([1])
        let places = try (locations + [unmoved]).map(fixture.place)
        // Nothing of another that lies there.
        let other = BlobPlace(location: unmoved, sequence: places[4].sequence + 1)
        #expect(try fixture.store.destroy([other]).isEmpty)
        #expect(try fixture.content(unmoved) == [1])
        try fixture.store.destroy(locations[0])
        let nowhere = BlobPlace(location: BlobLocation(pack: 99, offset: 0), sequence: 1)
        #expect(try fixture.store.destroy(places + [nowhere]).isEmpty)
        #expect(try fixture.locations().isEmpty)
        var destroyed = 0
        try fixture.keys.objects.eachDestroyed { _ in destroyed += 1 }
        #expect(destroyed == 5 && fixture.keys.objects.destroyedCount == 5 && fixture.keys.objects.count == 0)
    }

    @Test func destroysTheKeyOfAnObjectWhoseHeaderIsDamaged() throws {
        let fixture = try StoreFixture()
        let locations = try fixture.putSome(3)
        try fixture.moveKeys()
        let places = try locations.map(fixture.place)
        let header = try fixture.header(locations[1])
        try fixture.flip(locations[1], at: 100)
        #expect(try fixture.store.destroy(Array(places[0...1])).isEmpty)
        #expect(fixture.keys.objects.count == 1 && fixture.keys.objects.destroyedCount == 2)
        #expect(try fixture.keys.objects.record(header.slot) == .destroyed(objectID: header.objectID))
        try fixture.reopen()
        #expect(try fixture.locations() == [locations[2]])
    }

    @Test func takesUpADestructionThatWasCutOffBeforeTheHeader() throws {
        let fixture = try StoreFixture()
        let locations = try fixture.putSome(2)
        try fixture.moveKeys()
        let header = try fixture.header(locations[0])
        try fixture.keys.objects.destroy([(header.objectID, header.slot)])
        let after = try StoreFixture(copying: fixture)
        #expect(throws: BlobError.keyDestroyed) { try after.store.open(locations[0]) }
        let next = try after.put([9])
        try after.moveKeys()
        #expect(try after.header(next).slot == header.slot, "a start takes the slot for free")
        try after.store.destroy(locations[0])
        #expect(try after.content(next) == [9])
        #expect(try after.locations() == [locations[1], next])
    }
}
