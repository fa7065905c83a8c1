import DICOM
import Testing

/// An object to plan for: its header and where its pixels lie, read from bytes as everywhere.
struct PlannedObject {
    var rows = 4
    var columns = 6
    var samples = 1
    var allocated = 16
    var stored = 12
    var highBit: Int?
    var isSigned = false
    var photometric = "MONOCHROME2"
    var planar: Int?
    var frames = 1
    var vr = VR.OW
    /// Bytes of native pixel data; nil for as many as there should be.
    var byteCount: Int?
    /// Bytes of each fragment of compressed pixel data; nil for native.
    var fragments: [Int]?
    var more = Dataset()

    static func color(_ photometric: String, planar: Int = 0) -> PlannedObject {
        PlannedObject(samples: 3, allocated: 8, stored: 8, photometric: photometric, planar: planar, vr: .OB)
    }

    func scanned(_ syntax: TransferSyntax) throws -> ScannedDataset {
        var header = more
        header.set(.samplesPerPixel, .US, ints: [samples])
        header.set(.photometricInterpretation, .CS, string: photometric)
        if let planar { header.set(.planarConfiguration, .US, ints: [planar]) }
        if frames > 1 { header.set(.numberOfFrames, .IS, ints: [frames]) }
        header.set(.rows, .US, ints: [rows])
        header.set(.columns, .US, ints: [columns])
        header.set(.bitsAllocated, .US, ints: [allocated])
        if vr != .OF {
            header.set(.bitsStored, .US, ints: [stored])
            header.set(.highBit, .US, ints: [highBit ?? stored - 1])
            header.set(.pixelRepresentation, .US, ints: [isSigned ? 1 : 0])
        }
        var stream = Stream()
        stream.isBigEndian = syntax.isBigEndian
        stream.bytes = header.encoded(transferSyntax: syntax)
        if let fragments {
            stream.explicit(.pixelData, "OB", length: Stream.undefined)
            for count in [0] + fragments { stream.implicit(.item, [UInt8](repeating: 1, count: count)) }
            stream.implicit(.sequenceDelimitationItem, length: 0)
        } else {
            let count = byteCount ?? (rows * columns * samples * allocated * frames + 7) / 8
            let tag: Tag = vr == .OF ? .floatPixelData : .pixelData
            if syntax.isExplicitVR {
                stream.explicit(tag, vr.description, [UInt8](repeating: 1, count: count))
            } else {
                stream.implicit(tag, [UInt8](repeating: 1, count: count))
            }
        }
        return try scan(stream.bytes, syntax)
    }

    func plan(
        _ from: TransferSyntax, _ to: TransferSyntax,
        limits: TranscodingLimits = TranscodingLimits()
    ) throws -> TranscodingPlan {
        let object = try scanned(from)
        return try Transcoding.plan(
            header: object.header, from: from, to: to, layout: object.pixelData, limits: limits)
    }

    /// From explicit VR little endian.
    func plan(_ to: TransferSyntax) throws -> TranscodingPlan { try plan(.explicitVRLittleEndian, to) }

    func refusal(
        _ to: TransferSyntax, limits: TranscodingLimits = TranscodingLimits()
    ) throws -> TranscodingError? {
        try refusal(.explicitVRLittleEndian, to, limits: limits)
    }

    /// Why there is no plan; nil when there is one.
    func refusal(
        _ from: TransferSyntax, _ to: TransferSyntax,
        limits: TranscodingLimits = TranscodingLimits()
    ) throws -> TranscodingError? {
        let object = try scanned(from)
        do throws(TranscodingError) {
            _ = try Transcoding.plan(
                header: object.header, from: from, to: to, layout: object.pixelData, limits: limits)
            return nil
        } catch { return error }
    }
}

extension TranscodingPlan {
    var frames: FrameWork? {
        if case .frames(let work) = work { work } else { nil }
    }

    var isReencoding: Bool {
        if case .reencode = work { true } else { false }
    }

    var isNothing: Bool {
        if case .none = work { true } else { false }
    }
}

/// What happens to an object on its way into another transfer syntax.
@Suite struct TranscodingTests {
    private static let lossless: [TransferSyntax] = [
        .rleLossless, .jpegLossless, .jpegLosslessSV1, .jpegLSLossless, .jpeg2000Lossless, .htj2kLossless,
    ]

    @Test func doesNothingOrOnlyReencodesWhereThePixelsMayStay() throws {
        let object = PlannedObject()
        #expect(try object.plan(.explicitVRLittleEndian, .explicitVRLittleEndian).isNothing)
        for from in [TransferSyntax.implicitVRLittleEndian, .explicitVRBigEndian, .explicitVRLittleEndian] {
            for to in [TransferSyntax.implicitVRLittleEndian, .explicitVRBigEndian, .explicitVRLittleEndian]
            where from != to {
                let plan = try object.plan(from, to)
                #expect(plan.isReencoding && plan.replacing().isEmpty && plan.removing.isEmpty)
            }
        }
        let compressed = PlannedObject(fragments: [10])
        #expect(try compressed.plan(.jpeg2000Lossless, .jpeg2000).isReencoding)
        #expect(try compressed.plan(.jpegLosslessSV1, .jpegLossless).isReencoding)
        #expect(try compressed.plan(.htj2kLosslessRPCL, .htj2k).isReencoding)
        #expect(try compressed.plan(.jpeg2000, .jpeg2000Lossless).frames?.isCopy == false)
        #expect(try compressed.plan(.jpegLossless, .jpegLosslessSV1).frames?.isCopy == false)
    }

    @Test func compressesGreyWithoutChangingAnAttribute() throws {
        for isSigned in [false, true] {
            for to in Self.lossless + [.jpeg2000, .htj2k, .deflatedImageFrameCompression] {
                let plan = try PlannedObject(isSigned: isSigned, frames: 3).plan(to)
                let work = try #require(plan.frames)
                #expect(work.source == work.target && work.native == work.source && work.frameCount == 3)
                #expect(plan.replacing().isEmpty && !plan.isLossy)
                #expect(plan.removing == [.extendedOffsetTable, .extendedOffsetTableLengths])
            }
        }
    }

    @Test func decompressesIntoWordsOrBytes() throws {
        let words = try #require(
            try PlannedObject(frames: 2, fragments: [10, 10]).plan(.jpegLSLossless, .explicitVRLittleEndian).frames)
        #expect(words.vr == .OW && words.nativeByteCount == 4 * 6 * 2 * 2 && !words.isCopy)
        let bytes = PlannedObject(allocated: 8, stored: 8, fragments: [10])
        #expect(try bytes.plan(.jpegLSLossless, .explicitVRLittleEndian).frames?.vr == .OB)
        #expect(try bytes.plan(.jpegLSLossless, .implicitVRLittleEndian).frames?.vr == .OW)
    }

    @Test(arguments: [
        (TransferSyntax.jpegBaseline, "YBR_FULL_422", "RGB"), (.jpegBaseline, "YBR_FULL", "RGB"),
        (.jpegBaseline, "RGB", "RGB"), (TransferSyntax(uid: "1.2.840.10008.1.2.4.55"), "YBR_FULL_422", "RGB"),
        (.jpegLosslessSV1, "YBR_FULL", "YBR_FULL"), (.jpegLosslessSV1, "RGB", "RGB"),
        (.jpegLSLossless, "YBR_FULL", "YBR_FULL"), (.jpegLSLossless, "RGB", "RGB"), (.rleLossless, "RGB", "RGB"),
        (.rleLossless, "YBR_FULL", "YBR_FULL"), (.jpeg2000Lossless, "YBR_RCT", "RGB"), (.jpeg2000, "YBR_ICT", "RGB"),
        (.htj2k, "YBR_ICT", "RGB"), (.jpeg2000Lossless, "RGB", "RGB"), (.jpeg2000Lossless, "YBR_FULL", "YBR_FULL"),
    ])
    func decodesColor(_ from: TransferSyntax, _ stored: String, _ expected: String) throws {
        var object = PlannedObject.color(stored, planar: from == .rleLossless ? 1 : 0)
        object.fragments = [10]
        let plan = try object.plan(from, .explicitVRLittleEndian)
        let work = try #require(plan.frames)
        #expect(work.native.photometricInterpretation == expected && work.native == work.target)
        #expect(work.target.planarConfiguration == 0)
        #expect(plan.replacing().string(.photometricInterpretation) == (stored == expected ? nil : expected))
        #expect(plan.replacing().int(.planarConfiguration) == (from == .rleLossless ? 0 : nil))
    }

    @Test(arguments: [
        (TransferSyntax.jpegBaseline, "RGB", "YBR_FULL_422"), (.jpegBaseline, "YBR_FULL", "YBR_FULL_422"),
        (.jpegLosslessSV1, "RGB", "RGB"), (.jpegLSLossless, "YBR_FULL", "YBR_FULL"), (.rleLossless, "RGB", "RGB"),
        (.jpeg2000Lossless, "RGB", "YBR_RCT"), (.jpeg2000, "RGB", "YBR_RCT"), (.htj2kLossless, "RGB", "YBR_RCT"),
        (.jpeg2000Lossless, "YBR_FULL", "YBR_FULL"), (.jpegLSLossless, "YBR_FULL_422", "YBR_FULL"),
        (.rleLossless, "YBR_FULL_422", "YBR_FULL"), (.jpegBaseline, "YBR_FULL_422", "YBR_FULL_422"),
    ])
    func encodesColor(_ to: TransferSyntax, _ stored: String, _ expected: String) throws {
        var object = PlannedObject.color(stored, planar: 0)
        if stored == "YBR_FULL_422" { object.byteCount = 4 * 6 * 2 }
        let plan = try object.plan(to)
        let work = try #require(plan.frames)
        #expect(work.native.photometricInterpretation == stored)
        #expect(work.target.photometricInterpretation == expected)
        #expect(work.native.frameByteCount == UInt64(stored == "YBR_FULL_422" ? 48 : 72))
        #expect(work.target.planarConfiguration == (to == .rleLossless ? 1 : 0))
        #expect(plan.replacing().string(.photometricInterpretation) == (stored == expected ? nil : expected))
    }

    @Test func turnsPlanesIntoPixels() throws {
        let plan = try PlannedObject.color("RGB", planar: 1).plan(.jpegLSLossless)
        #expect(plan.frames?.native.planarConfiguration == 1 && plan.replacing().int(.planarConfiguration) == 0)
        #expect(try PlannedObject.color("RGB", planar: 1).plan(.rleLossless).replacing().isEmpty)
    }

    /// Some writers say YBR_FULL_422 and write three samples a pixel.
    @Test func believesTheBytesAboutHalvedColor() throws {
        let work = try #require(try PlannedObject.color("YBR_FULL_422").plan(.jpegLSLossless).frames)
        #expect(work.native.photometricInterpretation == "YBR_FULL" && work.native.frameByteCount == 72)
    }

    @Test func copiesFramesOutOfFragmentsThatAreNotCompressed() throws {
        let object = PlannedObject(frames: 2, fragments: [48, 48])
        let plan = try object.plan(.encapsulatedUncompressedExplicitVRLittleEndian, .implicitVRLittleEndian)
        #expect(plan.frames?.isCopy == true && plan.replacing().isEmpty)
        let back = try PlannedObject(frames: 2).plan(
            .explicitVRBigEndian, .encapsulatedUncompressedExplicitVRLittleEndian)
        #expect(back.frames?.isCopy == true && back.frames?.swappedByteCount == 2)
        var frame: [UInt8] = [1, 2, 3, 4]
        back.frames?.orderBytes(&frame)
        #expect(frame == [2, 1, 4, 3])
    }

    @Test func notesWhatALossyTargetLoses() throws {
        var object = PlannedObject(allocated: 8, stored: 7)
        let plan = try object.plan(.jpegBaseline)
        #expect(plan.isLossy && plan.frames?.target.bitsStored == 8 && plan.frames?.target.highBit == 7)
        let attributes = plan.replacing(lossyRatio: 10.1239)
        #expect(attributes.string(.lossyImageCompression) == "01")
        #expect(attributes.strings(.lossyImageCompressionRatio) == ["10.124"])
        #expect(attributes.strings(.lossyImageCompressionMethod) == ["ISO_10918_1"])
        #expect(attributes.int(.bitsStored) == 8 && attributes.int(.highBit) == 7)
        object.more.set(.lossyImageCompression, .CS, string: "01")
        object.more.set(.lossyImageCompressionRatio, .DS, string: "4.5")
        object.more.set(.lossyImageCompressionMethod, .CS, string: "ISO_15444_1")
        let again = try object.plan(.jpegLSNearLossless).replacing(lossyRatio: 2)
        #expect(again.strings(.lossyImageCompressionRatio) == ["4.5", "2.000"])
        #expect(again.strings(.lossyImageCompressionMethod) == ["ISO_15444_1", "ISO_14495_1"])
        #expect(!plan.replacing().contains(.lossyImageCompressionRatio))
        #expect(!plan.replacing(lossyRatio: .nan).contains(.lossyImageCompressionRatio))
    }

    @Test func remembersWhatJPEGLostOnceItIsDecoded() throws {
        var object = PlannedObject(allocated: 8, stored: 8, fragments: [6])
        let fresh = try object.plan(.jpegBaseline, .explicitVRLittleEndian)
        #expect(!fresh.isLossy)
        #expect(fresh.replacing().string(.lossyImageCompression) == "01")
        #expect(fresh.replacing().strings(.lossyImageCompressionRatio) == ["4.000"])
        #expect(fresh.replacing().strings(.lossyImageCompressionMethod) == ["ISO_10918_1"])
        object.more.set(.lossyImageCompression, .CS, string: "01")
        object.more.set(.lossyImageCompressionRatio, .DS, string: "20")
        #expect(try object.plan(.jpegBaseline, .explicitVRLittleEndian).replacing().isEmpty)
        let lossy = try object.plan(.jpegLSNearLossless, .explicitVRLittleEndian)
        #expect(lossy.replacing().isEmpty)
    }

    @Test func leavesOutACompressedIcon() throws {
        var object = PlannedObject(fragments: [10])
        let icon = Element(.pixelData, .OB, .fragments(BulkFragments(offset: 0, length: 8, count: 1)))
        var scanned = try object.scanned(.jpegLSLossless)
        scanned.header.set(.iconImageSequence, items: [Dataset([icon])])
        let plan = try Transcoding.plan(
            header: scanned.header, from: .jpegLSLossless, to: .explicitVRLittleEndian, layout: scanned.pixelData)
        #expect(plan.removing.contains(.iconImageSequence))
        scanned.header.remove(.iconImageSequence)
        scanned.header.set(.referencedImageSequence, items: [Dataset([icon])])
        #expect(throws: TranscodingError.nestedPixelData(.referencedImageSequence)) {
            try Transcoding.plan(
                header: scanned.header, from: .jpegLSLossless, to: .explicitVRLittleEndian, layout: scanned.pixelData)
        }
        object.fragments = nil
        #expect(try object.plan(.jpegLSLossless).removing.contains(.iconImageSequence) == false)
    }

    @Test func plansForObjectsWithoutPixels() throws {
        var header = Dataset()
        header.set(.patientID, .LO, string: "A")
        for to in [TransferSyntax.implicitVRLittleEndian, .jpegLSLossless] {
            let plan = try Transcoding.plan(header: header, from: .explicitVRLittleEndian, to: to, layout: nil)
            #expect(plan.isReencoding)
        }
    }
}
