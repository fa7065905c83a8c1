import DICOM
import Foundation
import Synchronization
import Testing

@testable import Archive

/// What goes out in another transfer syntax than it came in.
struct TranscodingTests {
    static let uncompressed: [TransferSyntax] = [
        .explicitVRLittleEndian, .implicitVRLittleEndian, .explicitVRBigEndian, .deflatedExplicitVRLittleEndian,
    ]

    /// Turns every byte of a frame around, after a while that grows shorter with the frames.
    private final class TurningCoder: FrameCoder {
        struct Broken: Error {}

        let concurrency: Int
        let brokenFrame: UInt8?
        let busy = Atomic<Int>(0)
        let mostBusy = Atomic<Int>(0)

        init(concurrency: Int, brokenFrame: UInt8? = nil) {
            self.concurrency = concurrency
            self.brokenFrame = brokenFrame
        }

        func code(_ frame: [UInt8], _ work: FrameWork) throws -> [UInt8] {
            let now = busy.add(1, ordering: .relaxed).newValue
            mostBusy.max(now, ordering: .relaxed)
            defer { busy.subtract(1, ordering: .relaxed) }
            // Later frames are ready earlier: their order must not come from luck.
            for _ in 0..<(20 - Int(frame[0]) % 20) { sched_yield() }
            if frame[0] == brokenFrame { throw Broken() }
            return frame.map { ~$0 }
        }
    }

    private func written(
        _ fixture: ArchiveFixture, _ uid: String, in target: TransferSyntax
    ) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try fixture.archive.write(
            fixture.archive.open(fixture.holding(uid)), in: target, through: PieceBuffer()
        ) { bytes += $0 }
        return bytes
    }

    /// An image of several RLE frames, each filled with its number; the coder does not care that they are none.
    private func multiframe(_ frames: Int) -> [UInt8] {
        var bytes = header(frames)
        bytes += [0xE0, 0x7F, 0x10, 0, 0x4F, 0x42, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]
        bytes += [0xFE, 0xFF, 0x00, 0xE0, 0, 0, 0, 0]
        for frame in 0..<frames {
            bytes += [0xFE, 0xFF, 0x00, 0xE0, 64, 0, 0, 0] + [UInt8](repeating: UInt8(frame), count: 64)
        }
        return bytes + [0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]
    }

    /// The same uncompressed.
    private func nativeMultiframe(_ frames: Int) -> [UInt8] {
        var bytes = header(frames) + [0xE0, 0x7F, 0x10, 0, 0x4F, 0x42, 0, 0]
        bytes += withUnsafeBytes(of: UInt32(64 * frames).littleEndian) { Array($0) }
        for frame in 0..<frames { bytes += [UInt8](repeating: UInt8(frame), count: 64) }
        return bytes
    }

    /// Of frames of 8 by 8 bytes.
    private func header(_ frames: Int) -> [UInt8] {
        var header = image(1, pixels: [])
        header.remove(.pixelData)
        header.set(.rows, .US, ints: [8])
        header.set(.columns, .US, ints: [8])
        header.set(.bitsAllocated, .US, ints: [8])
        header.set(.bitsStored, .US, ints: [8])
        header.set(.highBit, .US, ints: [7])
        header.set(.samplesPerPixel, .US, ints: [1])
        header.set(.pixelRepresentation, .US, ints: [0])
        header.set(.photometricInterpretation, .CS, string: "MONOCHROME2")
        header.set(.numberOfFrames, .IS, string: String(frames))
        return header.encoded(transferSyntax: .explicitVRLittleEndian)
    }

    @Test func saysBeforehandWhatCanBeHad() throws {
        let mpeg = TransferSyntax(uid: "1.2.840.10008.1.2.4.100")
        for (object, from) in [
            (multiframe(3), TransferSyntax.rleLossless), (nativeMultiframe(3), .explicitVRLittleEndian),
            (multiframe(3), mpeg),
            (
                encoded(image(1, pixels: noise(100, seed: 1)), .deflatedExplicitVRLittleEndian),
                .deflatedExplicitVRLittleEndian
            ),
        ] {
            var settings = ArchiveFixture.settings
            settings.frameCoder = TurningCoder(concurrency: 2)
            let fixture = try ArchiveFixture(settings)
            try fixture.store(object, from)
            let stored = try fixture.archive.open(fixture.holding("1.2.9.1"))
            var possible: Set<TransferSyntax> = []
            for target in TransferSyntax.all where target.isStorable {
                guard (try? fixture.archive.checkWriting(stored, in: target)) != nil else {
                    expectError("notTranscodable") { _ = try written(fixture, "1.2.9.1", in: target) }
                    continue
                }
                #expect(try !written(fixture, "1.2.9.1", in: target).isEmpty, "\(from.name) in \(target.name)")
                possible.insert(target)
            }
            #expect(possible.contains(from))
            #expect(from == mpeg || possible.count > 3)
            #expect(try Set(InstanceContent(stored).transferSyntaxes()) == possible)
        }
    }

    @Test func putsUncompressedFramesIntoFragments() throws {
        let fixture = try ArchiveFixture()
        try fixture.store(nativeMultiframe(3), .explicitVRLittleEndian)
        let target = TransferSyntax.encapsulatedUncompressedExplicitVRLittleEndian
        #expect(try written(fixture, "1.2.9.1", in: target) == multiframe(3))
    }

    @Test(arguments: uncompressed, [TransferSyntax.explicitVRLittleEndian, .implicitVRLittleEndian])
    func writesUncompressedObjectsInEveryUncompressedSyntax(_ from: TransferSyntax, _ to: TransferSyntax) throws {
        let fixture = try ArchiveFixture()
        let object = image(1, pixels: noise(300_000, seed: 3))
        try fixture.store(object, from)
        #expect(try written(fixture, "1.2.9.1", in: to) == encoded(object, to))
    }

    @Test func givesFramesInTheirOrderFromSeveralThreads() throws {
        let coder = TurningCoder(concurrency: 4)
        var settings = ArchiveFixture.settings
        settings.frameCoder = coder
        let fixture = try ArchiveFixture(settings)
        try fixture.store(multiframe(50), .rleLossless)
        let bytes = try written(fixture, "1.2.9.1", in: .explicitVRLittleEndian)
        #expect(Array(bytes.suffix(50 * 64)) == (0..<50).flatMap { [UInt8](repeating: ~UInt8($0), count: 64) })
        #expect(coder.mostBusy.load(ordering: .relaxed) <= 4)
    }

    @Test func failsTruthfullyWhenAFrameIsBrokenAndGoesOn() throws {
        var settings = ArchiveFixture.settings
        settings.frameCoder = TurningCoder(concurrency: 3, brokenFrame: 20)
        let fixture = try ArchiveFixture(settings)
        try fixture.store(multiframe(50), .rleLossless)
        expectError("transcodingFailed") { _ = try written(fixture, "1.2.9.1", in: .implicitVRLittleEndian) }
        #expect(try fixture.content("1.2.9.1") == multiframe(50))
        try fixture.store(image(2))
        #expect(try !written(fixture, "1.2.9.2", in: .implicitVRLittleEndian).isEmpty)
    }

    @Test func refusesWhatCannotBeHadBeforeAnythingIsGiven() throws {
        let fixture = try ArchiveFixture()
        try fixture.store(multiframe(2), .rleLossless)
        try fixture.store(encoded(image(2), .explicitVRLittleEndian), TransferSyntax(uid: "1.2.840.10008.1.2.4.100"))
        var fewer = multiframe(3)
        let count = try #require(fewer.firstRange(of: Array("IS".utf8) + [2, 0] + Array("3 ".utf8)))
        fewer.replaceSubrange(count, with: Array("IS".utf8) + [2, 0] + Array("9 ".utf8))
        let uid = try #require(fewer.firstRange(of: Array("1.2.9.1\0".utf8)))
        fewer.replaceSubrange(uid, with: Array("1.2.9.7\0".utf8))
        try fixture.store(fewer, .rleLossless)
        for (instance, target) in [
            ("1.2.9.1", TransferSyntax(uid: "1.2.840.10008.1.2.4.100")),
            ("1.2.9.2", .explicitVRLittleEndian), ("1.2.9.7", .explicitVRLittleEndian),
        ] {
            var given = 0
            expectError("notTranscodable") {
                try fixture.archive.write(
                    fixture.archive.open(fixture.holding(instance)), in: target, through: PieceBuffer()
                ) { given += $0.count }
            }
            #expect(given == 0)
        }
    }
}
