import Catalog
import DICOM
import Foundation
import Keys
import Synchronization
import Testing

@testable import Archive

/// Pixel data that is kept compressed and comes back as it was sent.
struct CompressionTests {
    /// Counts runs of equal bytes; keeps the stored bits only, as real codecs do.
    private struct RunCoder: FrameCoder {
        struct Broken: Error {}

        let concurrency = 2

        func code(_ frame: [UInt8], _ work: FrameWork) throws -> [UInt8] {
            if work.targetCoding == .native {
                guard frame.count % 2 == 0 else { throw Broken() }
                return stride(from: 2, to: frame.count, by: 2).flatMap {
                    [UInt8](repeating: frame[$0 + 1], count: Int(frame[$0]))
                }
            }
            let mask = UInt8(truncatingIfNeeded: (1 << (work.source.bitsStored - 8)) - 1)
            let kept = frame.enumerated().map { $0.offset % 2 == 1 ? $0.element & mask : $0.element }
            var result: [UInt8] = [0xFF, 0xD8]
            var start = 0
            while start < kept.count {
                var end = start + 1
                while end < kept.count, kept[end] == kept[start], end - start < 255 { end += 1 }
                result += [UInt8(end - start), kept[start]]
                start = end
            }
            return result
        }
    }

    /// Lets nothing be decoded while it is shut.
    private final class GatedCoder: FrameCoder {
        let concurrency = 2
        let waits = DispatchSemaphore(value: 0)
        let goesOn = DispatchSemaphore(value: 0)
        private let isShut = Mutex(false)

        func shut(_ value: Bool) { isShut.withLock { $0 = value } }

        func code(_ frame: [UInt8], _ work: FrameWork) throws -> [UInt8] {
            if work.targetCoding == .native, isShut.withLock({ $0 }) {
                waits.signal()
                goesOn.wait()
            }
            return try RunCoder().code(frame, work)
        }
    }

    private static var settings: Archive.Settings {
        var settings = ArchiveFixture.settings
        settings.frameCoder = RunCoder()
        settings.formerPeriod = .zero
        return settings
    }

    /// Frames of one value each, 12 of 16 bits, and an element behind them.
    ///
    /// - Parameters:
    ///   - high: the last byte, which has four bits that are not stored.
    ///   - ballast: bytes before the pixel data that stay as long as they are.
    private func smooth(_ number: Int, frames: Int = 3, high: UInt8 = 0x05, ballast: Int = 0) -> Dataset {
        var pixels: [UInt8] = []
        for frame in 0..<frames { pixels += [UInt8](repeating: UInt8(frame + number), count: 512) }
        pixels[pixels.count - 1] = high
        var result = image(number, pixels: pixels + [0, 0])
        result.set(.bitsStored, .US, ints: [12])
        result.set(.highBit, .US, ints: [11])
        result.set(.pixelRepresentation, .US, ints: [0])
        result.set(.photometricInterpretation, .CS, string: "MONOCHROME2")
        result.set(.numberOfFrames, .IS, string: String(frames))
        result.set(Tag(0xFFFC, 0xFFFC), .OB, bytes: [1, 2, 3, 4])
        if ballast > 0 { result.set(.iccProfile, .OB, bytes: noise(ballast, seed: 9)) }
        return result
    }

    private func compress(_ fixture: ArchiveFixture, _ uid: String) throws -> Archive.CompressionOutcome {
        try fixture.archive.compress(try fixture.holding(uid), to: .jpegLSLossless)
    }

    private func isCompressed(_ fixture: ArchiveFixture, _ uid: String) throws -> Bool {
        try fixture.archive.open(fixture.holding(uid)).compressed != nil
    }

    /// Objects that live in the packs.
    private func liveCount(_ fixture: ArchiveFixture) throws -> Int {
        var count = 0
        _ = try fixture.archive.blobs.scan { _ in count += 1 }
        return count
    }

    @Test(arguments: [
        TransferSyntax.explicitVRLittleEndian, .implicitVRLittleEndian, .explicitVRBigEndian,
    ])
    func comesBackBitForBit(_ syntax: TransferSyntax) throws {
        let fixture = try ArchiveFixture(Self.settings)
        try fixture.store(smooth(1), syntax)
        let before = try fixture.holding("1.2.9.1")
        let sent = encoded(smooth(1), syntax)
        guard case .compressed(let from, let to) = try compress(fixture, "1.2.9.1") else {
            Issue.record("not compressed")
            return
        }
        #expect(from == UInt64(sent.count) && to < from)
        #expect(try isCompressed(fixture, "1.2.9.1"))
        #expect(try fixture.content("1.2.9.1") == sent)
        #expect(try fixture.archive.destroyFormer() == 1)
        #expect(try fixture.archive.destroyFormer() == 0)
        // Whoever looked it up before reads it where it is now.
        #expect(try fixture.content(before) == sent)
        try fixture.archive.verify(try fixture.holding("1.2.9.1"))
        #expect(try fixture.store(smooth(1), syntax) == .same)
        let object = try fixture.archive.open(before)
        for start in stride(from: 0, to: sent.count + 3, by: 101) {
            let expected = sent[min(start, sent.count)..<min(start + 700, sent.count)]
            var bytes = [UInt8](repeating: 0, count: 700)
            let count = try bytes.withUnsafeMutableBytes { try object.read(offset: UInt64(start), into: $0) }
            #expect(Array(bytes[..<count]) == Array(expected))
        }
    }

    @Test(arguments: [UInt8(0x15), 0xF5])
    func bringsBackBitsBesideTheStoredOnes(_ high: UInt8) throws {
        let fixture = try ArchiveFixture(Self.settings)
        var sent = smooth(1, high: high)
        try fixture.store(sent)
        guard case .compressed = try compress(fixture, "1.2.9.1") else {
            Issue.record("not compressed")
            return
        }
        #expect(try fixture.content("1.2.9.1") == encoded(sent, .explicitVRLittleEndian))
        // The stored bits are not the lowest.
        sent = smooth(2)
        sent.set(.highBit, .US, ints: [15])
        try fixture.store(sent)
        _ = try compress(fixture, "1.2.9.2")
        #expect(try isCompressed(fixture, "1.2.9.2"))
        #expect(try fixture.content("1.2.9.2") == encoded(sent, .explicitVRLittleEndian))
    }

    @Test func triesAgainWhenTheCodecsMayRecover() throws {
        var settings = Self.settings
        settings.frameCoder = NoFrameCoder()
        let fixture = try ArchiveFixture(settings)
        try fixture.store(smooth(1))
        #expect(throws: ArchiveError.self) { try compress(fixture, "1.2.9.1") }
        try fixture.reopen(Self.settings)
        #expect(try fixture.archive.catalog.uncompressedCount() == 1)
        _ = try compress(fixture, "1.2.9.1")
        #expect(try isCompressed(fixture, "1.2.9.1"))
    }

    @Test func leavesAloneWhatIsRemovedAndCertifiesNothingThatLivesOnElsewhere() throws {
        var settings = Self.settings
        settings.gracePeriod = .zero
        let fixture = try ArchiveFixture(settings)
        try fixture.store(smooth(1))
        let holding = try fixture.holding("1.2.9.1")
        _ = try fixture.archive.remove(studyInstanceUID: "1.2.1")
        #expect(try fixture.archive.compress(holding, to: .jpegLSLossless) == .overtaken)
        _ = try fixture.archive.restore(studyInstanceUID: "1.2.1")
        _ = try compress(fixture, "1.2.9.1")
        #expect(try fixture.archive.destroyFormer() == 1)
        _ = try fixture.archive.certify()
        #expect(fixture.archive.certificates.certificates().isEmpty)
        #expect(try fixture.content("1.2.9.1") == encoded(smooth(1), .explicitVRLittleEndian))
        _ = try fixture.archive.remove(studyInstanceUID: "1.2.1", now: true, accessionNumbers: ["A7"])
        #expect(fixture.archive.certificates.certificates().count == 1)
        #expect(try liveCount(fixture) == 0)
    }

    @Test func keepsAsTheyAreWhatWouldNotComeBackOrSavesNothing() throws {
        let fixture = try ArchiveFixture(Self.settings)
        var odd = smooth(1)
        odd.set(.samplesPerPixel, .US, ints: [7])
        try fixture.store(odd)
        var noisy = smooth(2)
        noisy.set(.pixelData, .OW, bytes: noise(1536, seed: 1).enumerated().map { $0 % 2 == 1 ? $1 & 0xF : $1 })
        try fixture.store(noisy)
        try fixture.store(image(3))
        for uid in ["1.2.9.1", "1.2.9.2", "1.2.9.3"] { #expect(try compress(fixture, uid) == .unsuitable) }
        #expect(try fixture.content("1.2.9.1") == encoded(odd, .explicitVRLittleEndian))
        #expect(try fixture.archive.catalog.uncompressedCount() == 3)
        try fixture.archive.catalog.keepPlain(sequence: try fixture.holding("1.2.9.1").sequence)
        #expect(try fixture.archive.catalog.uncompressedCount() == 2)
        #expect(try liveCount(fixture) == 3)
    }

    @Test func leavesBytesAloneWhileTheyAreRead() throws {
        let fixture = try ArchiveFixture(Self.settings)
        try fixture.store(smooth(1))
        try {
            let object = try fixture.archive.open(fixture.holding("1.2.9.1"))
            _ = try compress(fixture, "1.2.9.1")
            #expect(try fixture.archive.destroyFormer() == 0)
            var bytes: [UInt8] = []
            try object.forEachPiece { bytes += $0 }
            #expect(bytes == encoded(smooth(1), .explicitVRLittleEndian))
        }()
        #expect(try fixture.archive.destroyFormer() == 1)
        #expect(try liveCount(fixture) == 1)
    }

    @Test(arguments: [false, true])
    func destroysEverythingOfACompressedInstance(_ withFormer: Bool) throws {
        let fixture = try ArchiveFixture(Self.settings)
        try fixture.store(smooth(1))
        try fixture.store(smooth(2))
        let before = try fixture.holding("1.2.9.1")
        _ = try compress(fixture, "1.2.9.1")
        if !withFormer { try fixture.archive.destroyFormer() }
        try fixture.archive.record(.removed(instances: [before.sequence], destroyAt: 0))
        // Looked up before it was compressed.
        try fixture.archive.destroy([before])
        #expect(try fixture.uids() == ["1.2.9.2"])
        #expect(try liveCount(fixture) == 1)
        _ = try fixture.archive.reindex { _, _ in }
        #expect(try fixture.uids() == ["1.2.9.2"])
    }

    /// A transfer of what is held in another form: nobody else waits for all of it to be read and decoded.
    @Test func storesWhileAnArrivalIsComparedWithWhatIsHeld() throws {
        let coder = GatedCoder()
        var settings = Self.settings
        settings.frameCoder = coder
        let fixture = try ArchiveFixture(settings)
        var announced: [String: [UInt8]] = [:]
        let transfer = [UInt8](repeating: 7, count: 16)
        for number in 1...3 {
            try fixture.store(smooth(number))
            #expect(try compress(fixture, "1.2.9.\(number)") != .unsuitable)
            let bytes = encoded(smooth(number), .implicitVRLittleEndian)
            let digest = try SHA256Digest()
            try bytes.withRawBytes { bytes throws(KeyError) in try digest.update(bytes) }
            let found = try digest.finish()
            announced["1.2.9.\(number)"] = found
            let incoming = try fixture.archive.receive(
                from: .north, by: fixture.archive.arrival(), defaultIssuer: "North",
                transferSyntax: .implicitVRLittleEndian, expectedClass: nil, expectedUID: nil,
                announced: AnnouncedObject(transfer: transfer, digest: found))
            try bytes.withUnsafeBytes { try incoming.append($0) }
            #expect(try incoming.finish() == .arriving)
        }
        coder.shut(true)
        let isShown = DispatchSemaphore(value: 0)
        let wanted = announced
        let outcomes = Outcomes()
        let thread = Thread {
            outcomes.note((try? fixture.archive.showArrived(transfer: transfer, announced: wanted)) ?? [])
            isShown.signal()
        }
        thread.start()
        coder.waits.wait()
        let isStored = DispatchSemaphore(value: 0)
        let other = Thread {
            if (try? fixture.store(image(9))) == .stored { isStored.signal() }
        }
        other.start()
        #expect(isStored.wait(timeout: .now() + 60) == .success)
        coder.shut(false)
        for _ in 0..<100 { coder.goesOn.signal() }
        isShown.wait()
        #expect(outcomes.all.count == 3 && outcomes.all.allSatisfy { $0.outcome == .same })
        #expect(try fixture.uids().count == 4)
        #expect(try fixture.archive.arriving(transfer: transfer).isEmpty)
        try fixture.reopen(settings, withoutCatalogue: true)
        #expect(try fixture.uids().count == 4)
    }

    @Test func compressesInTheBackground() throws {
        var settings = Self.settings
        settings.compression = .jpegLS
        let fixture = try ArchiveFixture(settings)
        for number in 1...5 { try fixture.store(smooth(number)) }
        var noisy = smooth(6)
        noisy.set(.pixelData, .OW, bytes: noise(1536, seed: 6))
        try fixture.store(noisy)
        try fixture.archive.catalog.settle()
        while try fixture.archive.catalog.uncompressedCount() > 0 {
            fixture.archive.catalog.waitForCommit(after: fixture.archive.catalog.commitGeneration, atMost: 0.1)
        }
        for number in 1...5 {
            #expect(try isCompressed(fixture, "1.2.9.\(number)"))
            #expect(try fixture.content("1.2.9.\(number)") == encoded(smooth(number), .explicitVRLittleEndian))
        }
        #expect(try !isCompressed(fixture, "1.2.9.6"))
        let report = try fixture.reopen(settings)
        #expect(report.damagedObjects == 0)
        #expect(try fixture.uids().count == 6)
    }

    // MARK: Sudden ends

    private func copy(_ fixture: ArchiveFixture, catalogue: String?) throws -> String {
        let target = fixture.directory + "-" + UUID().uuidString
        let files = FileManager.default
        try files.createDirectory(atPath: target, withIntermediateDirectories: true)
        for folder in ["blobs", "keys"] {
            try files.copyItem(atPath: fixture.directory + "/" + folder, toPath: target + "/" + folder)
        }
        if let catalogue { try files.copyItem(atPath: catalogue, toPath: target + "/" + Archive.catalogName) }
        return target
    }

    @Test(arguments: Archive.RelocationStep.allCases, [false, true])
    func holdsAnInstanceOnceWhateverStepWasTheLast(_ step: Archive.RelocationStep, _ withCatalogue: Bool) throws {
        let fixture = try ArchiveFixture(Self.settings)
        for number in 1...3 { try fixture.store(smooth(number)) }
        let catalogue = fixture.directory + "-catalogue"
        defer { try? FileManager.default.removeItem(atPath: catalogue) }
        try fixture.reopen(Self.settings, copyingCatalogue: catalogue)
        let copied = Mutex<String?>(nil)
        fixture.archive.relocationWatch.withLock {
            $0 = { now in
                guard now == step else { return }
                let path = try? copy(fixture, catalogue: withCatalogue ? catalogue : nil)
                copied.withLock { $0 = path }
            }
        }
        _ = try compress(fixture, "1.2.9.2")
        try fixture.archive.destroyFormer()
        fixture.archive.relocationWatch.withLock { $0 = nil }

        let after = try ArchiveFixture(opening: try #require(copied.withLock { $0 }), Self.settings)
        #expect(after.archive.reconciliation.damagedObjects == 0)
        try expectAllThree(after)
        try after.archive.destroyFormer()
        #expect(try liveCount(after) == 3)
        #expect(try isCompressed(after, "1.2.9.2") == (step != .written))
        if step == .written { _ = try compress(after, "1.2.9.2") }
        try expectAllThree(after)
        _ = try after.archive.reindex { _, _ in }
        try expectAllThree(after)
        try after.archive.destroyFormer()
        #expect(try liveCount(after) == 3)
        _ = try after.archive.remove(studyInstanceUID: "1.2.1", now: true, accessionNumbers: ["A7"])
        #expect(try after.uids().isEmpty)
        #expect(try liveCount(after) == 0)
    }

    /// Takes more than a page when it is compressed, too.
    private func long(_ number: Int) -> Dataset { smooth(number, frames: 60, ballast: 10_000) }

    private func expectAllThree(_ fixture: ArchiveFixture, as image: ((Int) -> Dataset)? = nil) throws {
        #expect(try fixture.uids() == ["1.2.9.1", "1.2.9.2", "1.2.9.3"])
        for number in 1...3 {
            let sent = image?(number) ?? smooth(number)
            #expect(try fixture.content("1.2.9.\(number)") == encoded(sent, .explicitVRLittleEndian))
            try fixture.archive.verify(try fixture.holding("1.2.9.\(number)"))
        }
    }

    /// Overwrites a page of what one instance was compressed to.
    private func tear(_ place: Holding, at offset: UInt64, in directory: String) throws {
        let pack = try #require(
            try FileManager.default.contentsOfDirectory(atPath: directory + "/blobs").filter { $0.hasSuffix(".hzp") }
                .sorted().last)
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: directory + "/blobs/" + pack))
        try file.seek(toOffset: place.byteOffset + offset)
        try file.write(contentsOf: Data(count: 4096))
        try file.close()
    }

    /// Of its header, and of its content, which nothing orders before the header. What comes behind it, or a catalogue that has the
    /// instance, must not make it whole.
    @Test(arguments: [UInt64(0), 4096], [false, true])
    func passesOverAnEntryWhoseBytesNeverReachedTheDisk(_ offset: UInt64, _ withCatalogue: Bool) throws {
        let fixture = try ArchiveFixture(Self.settings)
        for number in 1...3 { try fixture.store(long(number)) }
        let catalogue = fixture.directory + "-catalogue"
        defer { try? FileManager.default.removeItem(atPath: catalogue) }
        try fixture.reopen(Self.settings, copyingCatalogue: catalogue)
        let copied = Mutex<String?>(nil)
        fixture.archive.relocationWatch.withLock {
            $0 = { now in
                guard now == .journalled else { return }
                let path = try? copy(fixture, catalogue: withCatalogue ? catalogue : nil)
                copied.withLock { $0 = path }
            }
        }
        _ = try compress(fixture, "1.2.9.2")
        let directory = try #require(copied.withLock { $0 })
        try tear(try fixture.holding("1.2.9.2"), at: offset, in: directory)

        let after = try ArchiveFixture(opening: directory, Self.settings)
        try expectAllThree(after, as: long)
        #expect(try !isCompressed(after, "1.2.9.2"))
        try after.archive.destroyFormer()
        try expectAllThree(after, as: long)
        _ = try compress(after, "1.2.9.2")
        #expect(try isCompressed(after, "1.2.9.2"))
        try after.archive.destroyFormer()
        try after.reopen(Self.settings, withoutCatalogue: true)
        try expectAllThree(after, as: long)
    }

    @Test(arguments: [false, true])
    func passesOverTornBytesThatAreNotTheLastOfTheirPack(_ withCatalogue: Bool) throws {
        let fixture = try ArchiveFixture(Self.settings)
        for number in 1...3 { try fixture.store(long(number)) }
        let catalogue = fixture.directory + "-catalogue"
        defer { try? FileManager.default.removeItem(atPath: catalogue) }
        try fixture.reopen(Self.settings, copyingCatalogue: catalogue)
        _ = try compress(fixture, "1.2.9.2")
        let place = try fixture.holding("1.2.9.2")
        try fixture.store(long(4))
        let directory = try copy(fixture, catalogue: withCatalogue ? catalogue : nil)
        try tear(place, at: 4096, in: directory)

        let after = try ArchiveFixture(opening: directory, Self.settings)
        try after.archive.destroyFormer()
        for number in 1...4 {
            #expect(try after.content("1.2.9.\(number)") == encoded(long(number), .explicitVRLittleEndian))
        }
    }

    /// Whoever copies pack after pack, and is slower than the compression between two of them.
    @Test func keepsWhatWasSentForThoseWhoCopyMeanwhile() throws {
        var settings = Self.settings
        settings.formerPeriod = .seconds(3600)
        // A pack for each object.
        settings.blobs.packByteCount = 4096
        let fixture = try ArchiveFixture(settings)
        for number in 1...3 { try fixture.store(smooth(number)) }
        let target = fixture.directory + "-" + UUID().uuidString
        let files = FileManager.default
        try files.createDirectory(atPath: target + "/blobs", withIntermediateDirectories: true)
        let listed = try files.contentsOfDirectory(atPath: fixture.directory + "/blobs").sorted()
        _ = try compress(fixture, "1.2.9.2")
        #expect(try fixture.archive.destroyFormer() == 0)
        for name in listed {
            try files.copyItem(atPath: fixture.directory + "/blobs/" + name, toPath: target + "/blobs/" + name)
        }
        try files.copyItem(atPath: fixture.directory + "/keys", toPath: target + "/keys")
        let copied = try ArchiveFixture(opening: target, settings)
        try expectAllThree(copied)
        #expect(try !isCompressed(copied, "1.2.9.2"))

        settings.formerPeriod = .zero
        try fixture.reopen(settings)
        #expect(try fixture.archive.destroyFormer() == 1)
        #expect(try liveCount(fixture) == 3)
        try expectAllThree(fixture)
        #expect(try isCompressed(fixture, "1.2.9.2"))
    }

    @Test func writesASecondTimeNoMoreThanHalfOfWhatIsFree() {
        #expect(Archive.hasRoom(former: 0, free: 10, reserve: 10))
        #expect(Archive.hasRoom(former: 5, free: 15, reserve: 10))
        #expect(!Archive.hasRoom(former: 6, free: 15, reserve: 10))
        #expect(!Archive.hasRoom(former: 0, free: 9, reserve: 10))
    }
}

/// What became of a transfer, seen from another thread.
private final class Outcomes: Sendable {
    private let values = Mutex<[ArrivedObject]>([])

    var all: [ArrivedObject] { values.withLock { $0 } }

    func note(_ objects: [ArrivedObject]) { values.withLock { $0 = objects } }
}
