import DICOM
import Testing

@testable import Deidentification

/// Encapsulated pixel data: what is no pixel goes, the rest stays byte for byte.
@Suite struct PixelTests {
    private func little(_ count: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) } }

    /// An object with fragments, the first being the offset table.
    private func encapsulated(_ image: Dataset, _ fragments: [[UInt8]]) -> [UInt8] {
        var header = image
        header.remove(.pixelData)
        var bytes = header.encoded(transferSyntax: .explicitVRLittleEndian)
        bytes += [0xE0, 0x7F, 0x10, 0x00] + Array("OB".utf8) + [0, 0, 0xFF, 0xFF, 0xFF, 0xFF]
        for fragment in fragments { bytes += [0xFE, 0xFF, 0x00, 0xE0] + little(fragment.count) + fragment }
        return bytes + [0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]
    }

    private func image(frames: Int) -> Dataset {
        var image = Sample.image()
        image.set(.bitsAllocated, .US, ints: [8])
        image.set(.bitsStored, .US, ints: [8])
        image.set(.highBit, .US, ints: [7])
        image.set(.numberOfFrames, .IS, string: "\(frames)")
        return image
    }

    /// One segment of four literal bytes. PS3.5 §G.
    private func runLength(_ seed: UInt8) -> [UInt8] {
        little(1) + little(64) + [UInt8](repeating: 0, count: 56) + [3, seed, seed, seed, seed, 0]
    }

    private func run(_ bytes: [UInt8], pieceByteCount: Int = 1 << 20) throws -> Outcome {
        try Deidentifier(profile: .basic, key: Sample.key()).run(bytes, .rleLossless, pieceByteCount: pieceByteCount)
    }

    @Test func everyFrameComesInAFragmentOfItsOwn() throws {
        let bytes = encapsulated(image(frames: 3), [[], runLength(1), runLength(2), runLength(3)])
        let outcome = try run(bytes)
        #expect(outcome.output.header?.transferSyntax == .rleLossless)
        let tail = encapsulated(Dataset(), [[], runLength(1), runLength(2), runLength(3)])
        #expect(outcome.output.bytes.suffix(tail.count) == tail[...])
        for count in [1, 5, 64] { #expect(try run(bytes, pieceByteCount: count).output.bytes == outcome.output.bytes) }
    }

    @Test func theOffsetTableTellsWhichFragmentsAreOneFrame() throws {
        let (one, two) = (runLength(1), runLength(2))
        let halves = [Array(one[..<32]), Array(one[32...]), Array(two[..<16]), Array(two[16...])]
        let table = little(0) + little(halves[0].count + halves[1].count + 16)
        let outcome = try run(encapsulated(image(frames: 2), [table] + halves))
        let tail = encapsulated(Dataset(), [[], one, two])
        #expect(outcome.output.bytes.suffix(tail.count) == tail[...])
    }

    @Test func theExtendedOffsetTableTellsWhichFragmentsAreOneFrame() throws {
        let (one, two) = (runLength(1), runLength(2))
        let halves = [Array(one[..<32]), Array(one[32...]), Array(two[..<16]), Array(two[16...])]
        var image = image(frames: 2)
        image.set(.extendedOffsetTable, .OV, ints: [0, halves[0].count + halves[1].count + 16])
        let outcome = try run(encapsulated(image, [[]] + halves))
        let tail = encapsulated(Dataset(), [[], one, two])
        #expect(outcome.output.bytes.suffix(tail.count) == tail[...])
        #expect(try !outcome.dataset.contains(.extendedOffsetTable))
    }

    /// Cut in pieces of which some are shorter than what tells the beginning of a picture.
    private func cut(_ frame: [UInt8], _ counts: [Int]) -> [[UInt8]] {
        var rest = frame[...]
        let pieces = counts.map { count in
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
        return pieces + [Array(rest)]
    }

    private func jpeg(_ seed: UInt8) -> [UInt8] {
        let parts =
            FrameCleanerTests.start + FrameCleanerTests.quantisation + FrameCleanerTests.frame(0xC0)
            + FrameCleanerTests.huffman + FrameCleanerTests.scan
        return parts + [seed, seed, 0x12, 0x34] + (parts.count % 2 == 1 ? [seed] : []) + FrameCleanerTests.end
    }

    private func jpegImage(frames: Int) -> Dataset {
        var image = image(frames: frames)
        image.set(.rows, .US, ints: [8])
        image.set(.columns, .US, ints: [8])
        return image
    }

    @Test func withoutATableThePicturesTellWhichFragmentsAreOneFrame() throws {
        let frames = [jpeg(1), jpeg(2), jpeg(3)]
        let fragments = cut(frames[0], [2, 2, 70]) + cut(frames[1], [40, 0, 2]) + [frames[2]]
        let deidentifier = Deidentifier(profile: .basic, key: Sample.key())
        let tail = encapsulated(Dataset(), [[]] + frames)
        // Of more than one frame no table at all, one that is too short, and one that begins anew at 4 GiB.
        for table in [[], little(0), little(0) + little(64) + little(0)] {
            let bytes = encapsulated(jpegImage(frames: 3), [table] + fragments)
            for count in [1, 5, 64, 1 << 20] {
                let outcome = try deidentifier.run(bytes, .jpegBaseline, pieceByteCount: count)
                #expect(outcome.output.bytes.suffix(tail.count) == tail[...])
            }
        }
        for count in [2, 4] {
            let bytes = encapsulated(jpegImage(frames: count), [[]] + fragments)
            #expect(deidentifier.reason(bytes, .jpegBaseline) == .pixelDataSize)
        }
    }

    @Test func aFrameOfSeveralFragmentsThatNothingTellsApartIsHeldBack() {
        let (one, two) = (runLength(1), runLength(2))
        let halves = [Array(one[..<32]), Array(one[32...]), Array(two[..<16]), Array(two[16...])]
        let bytes = encapsulated(image(frames: 2), [[]] + halves)
        #expect(Deidentifier(profile: .basic, key: Sample.key()).reason(bytes, .rleLossless) != nil)
    }

    @Test func bytesBehindTheCodedDataGo() throws {
        let outcome = try run(encapsulated(image(frames: 1), [[], runLength(1) + Array("CNRYZQ".utf8)]))
        #expect(!Canary.isFound(Canary.word, in: outcome.output.bytes))
    }

    @Test func moreOrFewerFramesThanAreSaidHoldItBack() {
        let deidentifier = Deidentifier(profile: .basic, key: Sample.key())
        let more = encapsulated(image(frames: 2), [[], runLength(1), runLength(2), runLength(3)])
        #expect(deidentifier.reason(more, .rleLossless) == .pixelDataSize)
        let fewer = encapsulated(image(frames: 3), [[], runLength(1), runLength(2)])
        #expect(deidentifier.reason(fewer, .rleLossless) == .pixelDataSize)
    }

    @Test func aFrameUpToTheBoundIsHeldAndNoLonger() {
        var limits = DeidentificationLimits()
        let frame = runLength(1)
        for (limit, isHeld) in [(frame.count, true), (frame.count - 1, false)] {
            limits.frameByteCount = limit
            let reason = Deidentifier(profile: .basic, key: Sample.key(), limits: limits)
                .reason(encapsulated(image(frames: 1), [[], frame]), .rleLossless)
            #expect(reason == (isHeld ? nil : .frameTooLarge(byteCountLimit: limit)))
        }
    }

    @Test func videoIsHeldBack() {
        let video = TransferSyntax(uid: "1.2.840.10008.1.2.4.102")
        let bytes = encapsulated(image(frames: 3), [[], [0, 0, 1, 9]])
        #expect(Deidentifier(profile: .basic, key: Sample.key()).reason(bytes, video) != nil)
    }

    // MARK: A cleaner of pixels

    /// Makes every frame zero.
    private final class Blank: PixelCleaner, PixelCleaning, @unchecked Sendable {  // each is one instance's
        let transferSyntax = TransferSyntax.explicitVRLittleEndian
        let changes = Dataset()
        private(set) var done = PixelCleaningDemand()
        private(set) var count = PixelCleaningCount()
        private let isAsked: Bool

        init(hasRule: Bool = false) { isAsked = hasRule }

        func hasRule(for header: Dataset) -> Bool { isAsked }
        func mayRecode(_ transferSyntax: TransferSyntax) -> Bool { transferSyntax.isEncapsulated }

        func begin(
            header: Dataset, transferSyntax: TransferSyntax, demand: PixelCleaningDemand
        ) throws(Quarantine) -> any PixelCleaning {
            done = demand
            return self
        }

        func clean(frame: [UInt8], frameIndex: Int) throws(Quarantine) -> [UInt8] {
            count.rectangles += 1
            count.rectangleByteCount += frame.count
            count.words += 2
            count.wordByteCount += 1
            count.recodedFrames += 1
            count.recodedByteCount += frame.count
            return [UInt8](repeating: UInt8(frameIndex), count: frame.count)
        }
    }

    // MARK: What may pass

    @Test(arguments: Profile.named) func whatIsDeclaredIsCleanedOrHeldBackUnderEveryProfile(profile: Profile) throws {
        let deidentifier = Deidentifier(profile: profile, key: Sample.key())
        #expect(deidentifier.reason(Sample.image()) == nil)
        var burned = Sample.image()
        burned.set(.burnedInAnnotation, .CS, string: "YES")
        #expect(deidentifier.reason(burned) == (profile.has(.cleanPixelData) ? .pixelsNotCleaned : .burnedInText))
        var face = Sample.image()
        face.set(Tag(0x0028_0302), .CS, string: "YES")
        #expect(deidentifier.reason(face) == .featuresNotCleaned)
    }

    @Test(arguments: Profile.named) func whatOftenHoldsTextPassesWithoutTheOptionAlone(profile: Profile) {
        let deidentifier = Deidentifier(profile: profile, key: Sample.key())
        for sopClass in [Sample.secondaryCapture, "1.2.840.10008.5.1.4.1.1.6.1", "1.2.840.10008.5.1.4.1.1.77.1.1"] {
            var image = Sample.image(sopClass)
            image.set(.burnedInAnnotation, .CS, string: "NO")
            #expect(deidentifier.reason(image) == (profile == .basic ? nil : .pixelsNotCleaned), "\(sopClass)")
        }
        // What is released for a consultation, and what a grant of the masking `clinical` gives.
        #expect(Profile.consultation.has(.cleanPixelData))
    }

    /// Of a picture that would pass, under a profile that demands nothing of pixels.
    @Test(arguments: [Profile.basic, .consultation, .research])
    func aSitesRectangleIsBlankedWhateverIsDemanded(profile: Profile) throws {
        func run(_ hasRule: Bool) throws -> Outcome {
            try Deidentifier(profile: profile, key: Sample.key(), pixelCleaner: Blank(hasRule: hasRule))
                .run(Sample.image())
        }
        #expect(try run(false).output.bytes.suffix(8) == [1, 0, 2, 0, 3, 0, 4, 0])
        let outcome = try run(true)
        #expect(outcome.output.bytes.suffix(8) == [0, 0, 0, 0, 0, 0, 0, 0])
        // A rectangle is not the option: nobody looked for text elsewhere.
        let result = try outcome.dataset
        let codes = result.items(.deidentificationMethodCodeSequence).compactMap { $0.string(.codeValue) }
        #expect(!codes.contains("113101") && !result.contains(.burnedInAnnotation))
    }

    @Test func theReportTellsWhatWasBlankedAndCodedAnew() throws {
        var object = Sample.image(Sample.secondaryCapture)
        object.set(.numberOfFrames, .IS, string: "2")
        object.set(.pixelData, .OW, bytes: Array(1...16))
        let report = try Deidentifier(profile: .consultation, key: Sample.key(), pixelCleaner: Blank()).run(object)
            .report
        #expect(report.counts[.pixelRectangle] == 2)
        #expect(report.counts[.burnedInText] == 4)
        #expect(report.counts[.recoded] == 2)
        #expect(!report.isCut)
        let line = String(decoding: report.line(source: "a", output: "b"), as: UTF8.self)
        #expect(
            line.contains(
                #"{"path":"(7FE0,0010)","rule":"burnedInText","action":"cleaned","byteCount":2,"count":4}"#), "\(line)")
        #expect(
            line.contains(#"{"path":"(7FE0,0010)","rule":"recoded","action":"recoded","byteCount":16,"count":2}"#))
        let untouched = try Deidentifier(profile: .consultation, key: Sample.key(), pixelCleaner: Blank())
            .run(Sample.image()).report
        for rule in [Rule.pixelRectangle, .burnedInText, .recoded] { #expect(untouched.counts[rule] == nil) }
    }

    @Test func aCleanersFramesTakeThePlaceOfTheOriginals() throws {
        var object = Sample.image(Sample.secondaryCapture)
        object.set(.numberOfFrames, .IS, string: "2")
        object.set(.pixelData, .OW, bytes: Array(1...16))
        let deidentifier = Deidentifier(
            profile: try Sample.profile([.cleanPixelData]), key: Sample.key(), pixelCleaner: Blank())
        let outcome = try deidentifier.run(object)
        #expect(outcome.output.bytes.suffix(16) == [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1])
        let result = try outcome.dataset
        #expect(result.string(.burnedInAnnotation) == "NO")
        let codes = result.items(.deidentificationMethodCodeSequence).compactMap { $0.string(.codeValue) }
        #expect(codes == ["113100", "113101"])
    }

    @Test func whatWasNotCleanedIsNotSaidToBe() throws {
        let research = Deidentifier(profile: .research, key: Sample.key())
        let result = try research.run(Sample.image()).dataset
        let codes = result.items(.deidentificationMethodCodeSequence).compactMap { $0.string(.codeValue) }
        #expect(!codes.contains("113101") && !codes.contains("113102"))
        #expect(!result.contains(.burnedInAnnotation))
    }
}
