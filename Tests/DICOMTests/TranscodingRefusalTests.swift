import DICOM
import Testing

/// Objects that cannot truthfully be had in a syntax, each with its reason.
@Suite struct TranscodingRefusalTests {
    @Test func refusesSyntaxesNobodyDecodesOrWrites() throws {
        let object = PlannedObject(fragments: [10])
        let undecodable: [TransferSyntax] = [
            TransferSyntax(uid: "1.2.840.10008.1.2.4.102"), .jpegXL, TransferSyntax(uid: "1.2.840.10008.1.2.4.54"),
            TransferSyntax(uid: "1.2.3.4"),
        ]
        for from in undecodable {
            #expect(try object.refusal(from, .explicitVRLittleEndian) == .sourceNotDecodable)
            #expect(try PlannedObject().refusal(from) == .targetNotEncodable)
        }
        let unwritten: [TransferSyntax] = [.htj2kLosslessRPCL, .deflatedExplicitVRLittleEndian]
        for uid in ["1.2.840.10008.1.2.4.94", "1.2.840.10008.1.2.4.53"] {
            #expect(try PlannedObject().refusal(TransferSyntax(uid: uid)) == .targetNotEncodable)
        }
        for to in unwritten { #expect(try PlannedObject().refusal(to) == .targetNotEncodable) }
    }

    @Test func refusesFramesThatAreNotThere() throws {
        #expect(
            try PlannedObject(frames: 3, byteCount: 100).refusal(.jpegLSLossless)
                == .framesMissing(declared: 3, found: 2))
        #expect(
            try PlannedObject(frames: 3, fragments: [4, 4]).refusal(.jpegLSLossless, .explicitVRLittleEndian)
                == .framesMissing(declared: 3, found: 0))
        #expect(try PlannedObject(frames: 3, byteCount: 100).refusal(.implicitVRLittleEndian) == nil)
    }

    @Test func refusesPixelsBeyondTheLimitBeforeAnythingIsTaken() throws {
        var limits = TranscodingLimits()
        limits.frameByteCount = 48
        #expect(try PlannedObject().refusal(.jpegLSLossless, limits: limits) == nil)
        limits.frameByteCount = 47
        #expect(try PlannedObject().refusal(.jpegLSLossless, limits: limits) == .frameTooLarge(limit: 47))
        let huge = PlannedObject(rows: 65_535, columns: 65_535, fragments: [10])
        #expect(try huge.refusal(.jpegLSLossless, .explicitVRLittleEndian) == .frameTooLarge(limit: 1 << 30))
        #expect(
            try PlannedObject(rows: 65_535, columns: 65_535, byteCount: 10).refusal(.jpegLSLossless)
                == .framesMissing(declared: 1, found: 0))
    }

    /// A length field holds 32 bits; all ones mean undefined, and the length is even.
    @Test(arguments: [(4096, 4095, false), (4096, 4096, true)])
    func refusesNativePixelsThatNoLengthHolds(_ rows: Int, _ columns: Int, _ isRefused: Bool) throws {
        let object = PlannedObject(
            rows: rows, columns: columns, frames: 128, fragments: [Int](repeating: 2, count: 128))
        #expect(
            try object.refusal(.jpegLSLossless, .explicitVRLittleEndian) == (isRefused ? .tooLongForNative : nil))
        #expect(try object.refusal(.jpegLSLossless, .jpeg2000Lossless) == nil)
    }

    @Test func refusesMoreBitsThanTheTargetHas() throws {
        let words = PlannedObject()
        #expect(try words.refusal(.jpegBaseline) == .bitDepthNotSupported)
        #expect(try words.refusal(.jpegExtended) == nil)
        #expect(try PlannedObject(stored: 13).refusal(.jpegExtended) == .bitDepthNotSupported)
        for to in [TransferSyntax.jpegLSLossless, .jpegLosslessSV1, .jpeg2000Lossless, .htj2k] {
            #expect(try PlannedObject(stored: 16).refusal(to) == nil)
            #expect(try PlannedObject(allocated: 32, stored: 32).refusal(to) == .bitDepthNotSupported)
        }
        #expect(try PlannedObject(allocated: 32, stored: 32).refusal(.rleLossless) == nil)
        let color = PlannedObject(samples: 3, allocated: 32, stored: 32, photometric: "RGB", planar: 0)
        #expect(try color.refusal(.rleLossless) == nil)
        let wide = PlannedObject(samples: 3, allocated: 64, stored: 64, photometric: "RGB", planar: 0)
        #expect(try wide.refusal(.rleLossless) == .bitDepthNotSupported)
        #expect(try PlannedObject(stored: 2).refusal(.jpegLSLossless) == nil)
        #expect(try PlannedObject(stored: 1).refusal(.jpegLSLossless) == .bitDepthNotSupported)
    }

    @Test func refusesSegmentsOfOneBit() throws {
        let bits = PlannedObject(rows: 8, allocated: 1, stored: 1, frames: 2)
        for to in [TransferSyntax.rleLossless, .jpegLSLossless, .jpeg2000Lossless, .jpegBaseline] {
            #expect(try bits.refusal(to) == .bitDepthNotSupported)
        }
        #expect(try bits.refusal(.encapsulatedUncompressedExplicitVRLittleEndian) == nil)
        #expect(try bits.refusal(.implicitVRLittleEndian) == nil)
        let odd = PlannedObject(rows: 3, columns: 3, allocated: 1, stored: 1, frames: 2)
        #expect(try odd.refusal(.encapsulatedUncompressedExplicitVRLittleEndian) == .framesNotByteAligned)
        #expect(try odd.refusal(.implicitVRLittleEndian) == nil)
    }

    @Test func refusesFloatingPoint() throws {
        let float = PlannedObject(allocated: 32, vr: .OF)
        for to in [TransferSyntax.rleLossless, .jpeg2000Lossless, .encapsulatedUncompressedExplicitVRLittleEndian] {
            #expect(try float.refusal(to) == .floatingPoint)
        }
        #expect(try float.refusal(.implicitVRLittleEndian) == nil)
    }

    @Test func refusesLossWhereItWouldMislead() throws {
        let palette = PlannedObject(allocated: 8, stored: 8, photometric: "PALETTE COLOR")
        #expect(try palette.refusal(.jpegBaseline) == .lossyPalette)
        #expect(try palette.refusal(.jpegLSLossless) == nil)
        let signed = PlannedObject(allocated: 8, stored: 8, isSigned: true)
        #expect(try signed.refusal(.jpegBaseline) == .signedNotSupported)
        #expect(try signed.refusal(.jpegLSNearLossless) == .signedNotSupported)
        #expect(try signed.refusal(.jpegLSLossless) == nil)
    }

    @Test func refusesColorsNobodyConverts() throws {
        for color in ["HSV", "YBR_PARTIAL_422", "YBR_ICT", "MONOCHROME2", ""] {
            #expect(try PlannedObject.color(color).refusal(.jpegLSLossless) != nil)
            var compressed = PlannedObject.color(color)
            compressed.fragments = [10]
            #expect(
                try compressed.refusal(.jpegLSLossless, .explicitVRLittleEndian) == .colorNotSupported)
        }
        #expect(try PlannedObject(photometric: "RGB").refusal(.jpegLSLossless) == .colorNotSupported)
        let four = PlannedObject(samples: 4, allocated: 8, stored: 8, photometric: "CMYK", planar: 0)
        #expect(try four.refusal(.jpegLSLossless) == .colorNotSupported)
    }

    @Test func refusesOverlaysInUnusedBits() throws {
        var object = PlannedObject()
        object.more.set(Tag(0x6002, 0x0100), .US, ints: [16])
        object.more.set(Tag(0x6002, 0x0102), .US, ints: [12])
        #expect(try object.refusal(.jpegLSLossless) == .embeddedOverlay)
        #expect(try object.refusal(.rleLossless) == nil)
        object.more.set(Tag(0x6002, 0x3000), .OW, bytes: [0, 0])
        #expect(try object.refusal(.jpegLSLossless) == nil)
    }

    @Test func refusesPixelsInHighBits() throws {
        let object = PlannedObject(highBit: 15)
        #expect(try object.refusal(.jpegLSLossless) == .badAttribute(.highBit))
        #expect(try object.refusal(.rleLossless) == nil)
    }

    @Test func refusesAttributesOutOfRange() throws {
        for (tag, value) in [
            (Tag.rows, 0), (.columns, 0), (.bitsAllocated, 12), (.bitsAllocated, 0), (.samplesPerPixel, 5),
            (.bitsStored, 17), (.pixelRepresentation, 2), (.highBit, 16),
        ] {
            var object = try PlannedObject(fragments: [10]).scanned(.jpegLSLossless)
            object.header.set(tag, .US, ints: [value])
            #expect(throws: TranscodingError.badAttribute(tag)) {
                try Transcoding.plan(
                    header: object.header, from: .jpegLSLossless, to: .explicitVRLittleEndian,
                    layout: object.pixelData)
            }
        }
    }

    @Test func refusesContradictions() throws {
        #expect(
            try PlannedObject(fragments: [10]).refusal(.explicitVRLittleEndian, .implicitVRLittleEndian)
                == .contradictoryPixelData)
        // Native pixel data under a compressed syntax is what it is.
        #expect(try PlannedObject().refusal(.jpegLSLossless, .explicitVRLittleEndian) == nil)
    }
}
