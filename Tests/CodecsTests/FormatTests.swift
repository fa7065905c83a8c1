import Codecs
import DICOM
import Testing

/// Bounds and claims, all checked before memory is taken.
@Suite struct FormatTests {
    @Test func takesFramesUpToTheLimitAndNoByteMore() throws {
        let limit = 1000 * 1000
        let format = try FrameFormat(
            rows: 1000, columns: 500, bitsAllocated: 16, photometricInterpretation: .monochrome2,
            byteCountLimit: limit)
        #expect(format.byteCount == limit)
        #expect(throws: CodecError.tooLarge(byteCount: limit, limit: limit - 1)) {
            try FrameFormat(
                rows: 1000, columns: 500, bitsAllocated: 16, photometricInterpretation: .monochrome2,
                byteCountLimit: limit - 1)
        }
    }

    @Test func refusesAHugeClaimOfATinyFile() throws {
        #expect(throws: CodecError.tooLarge(byteCount: 65535 * 65535 * 2, limit: FrameFormat.byteCountLimit)) {
            try Frames.format(65535, 65535, bits: 16)
        }
        #expect(throws: CodecError.badFormat(attribute: "rows")) { try Frames.format(65536, 1) }
        #expect(throws: CodecError.badFormat(attribute: "columns")) { try Frames.format(1, 0) }
        #expect(try Frames.format(65535, 1).byteCount == 65535)
    }

    @Test func readsTheAttributesOfAnImage() throws {
        var header = Dataset()
        header.set(.rows, .US, bytes: [2, 0])
        header.set(.columns, .US, bytes: [3, 0])
        header.set(.bitsAllocated, .US, bytes: [16, 0])
        header.set(.bitsStored, .US, bytes: [12, 0])
        header.set(.pixelRepresentation, .US, bytes: [1, 0])
        header.set(.photometricInterpretation, .CS, string: "MONOCHROME1 ")
        let format = try FrameFormat(header: header)
        #expect(format.byteCount == 12 && format.highBit == 11 && format.isSigned)
        #expect(format.photometricInterpretation == .monochrome1)
        #expect(throws: CodecError.badFormat(attribute: "rows")) { try FrameFormat(header: Dataset()) }
    }

    @Test func refusesAttributesThatContradictOneAnother() {
        #expect(throws: CodecError.badFormat(attribute: "bitsStored")) {
            try FrameFormat(
                rows: 1, columns: 1, bitsAllocated: 8, bitsStored: 9, photometricInterpretation: .monochrome2)
        }
        #expect(throws: CodecError.badFormat(attribute: "bitsAllocated")) {
            try FrameFormat(rows: 1, columns: 1, bitsAllocated: 12, photometricInterpretation: .monochrome2)
        }
        #expect(throws: CodecError.badFormat(attribute: "photometricInterpretation")) {
            try FrameFormat(rows: 1, columns: 1, bitsAllocated: 8, photometricInterpretation: .rgb)
        }
        #expect(throws: CodecError.badFormat(attribute: "highBit")) {
            try FrameFormat(
                rows: 1, columns: 1, bitsAllocated: 16, bitsStored: 12, highBit: 10,
                photometricInterpretation: .monochrome2)
        }
        #expect(throws: CodecError.badFormat(attribute: "samplesPerPixel")) {
            try FrameFormat(
                rows: 1, columns: 1, samplesPerPixel: 5, bitsAllocated: 8, photometricInterpretation: .other)
        }
    }

    @Test(arguments: RoundTripTests.lossless.filter { ![.rleLossless, .deflatedImageFrameCompression].contains($0) })
    func refusesAStreamOfAnotherSizeThanClaimed(_ syntax: TransferSyntax) throws {
        let real = try Frames.format(16, 16, bits: 12)
        let stream = try FrameCodec.convert(Frames.pixels(real), .encoding(real, to: syntax))
        for claimed in [
            try Frames.format(16, 17, bits: 12), try Frames.format(15, 16, bits: 12),
            try Frames.format(8, 32, bits: 12),
            try Frames.format(16, 16, bits: 8), try Frames.format(16, 16, bits: 12, samples: 3),
        ] {
            #expect(throws: CodecError.self) { try FrameCodec.convert(stream, .decoding(syntax, claimed)) }
        }
    }

    /// A stream's own claim is compared with the image's before a library sees it.
    @Test func refusesAHugeStreamInASmallImage() throws {
        let format = try Frames.format(16, 16, bits: 12)
        let places: [(TransferSyntax, marker: UInt8, offset: Int)] = [
            (.jpegLosslessSV1, 0xC3, 3), (.jpegLSLossless, 0xF7, 3), (.jpeg2000Lossless, 0x51, 4),
            (.htj2kLossless, 0x51, 4),
        ]
        for (syntax, marker, offset) in places {
            var stream = try FrameCodec.convert(Frames.pixels(format), .encoding(format, to: syntax))
            let at = try #require(stream.indices.first { stream[$0] == 0xFF && stream[$0 + 1] == marker })
            for byte in 0..<4 { stream[at + 2 + offset + byte] = marker == 0x51 && byte < 2 ? 0 : 0xFF }
            if marker == 0x51 {
                for byte in 0..<4 { stream[at + 2 + offset + 4 + byte] = byte < 2 ? 0 : 0xFF }
            }
            #expect(throws: CodecError.self, "\(syntax.name)") {
                try FrameCodec.convert(stream, .decoding(syntax, format))
            }
        }
    }

    @Test func refusesWhatASyntaxCannotHold() throws {
        #expect(throws: CodecError.unsupported(coding: "JPEG")) {
            try FrameConversion.encoding(Frames.format(8, 8, bits: 12), to: .jpegBaseline)
        }
        #expect(throws: CodecError.unsupported(coding: "JPEG")) {
            try FrameConversion.encoding(Frames.format(8, 8, bits: 8, isSigned: true), to: .jpegBaseline)
        }
        #expect(throws: CodecError.unsupported(coding: "JPEG")) {
            try FrameConversion.encoding(Frames.format(8, 8, bits: 13), to: .jpegExtended)
        }
        for video in TransferSyntax.all where video.isVideo {
            #expect(!FrameCodec.canDecode(video) && !FrameCodec.canEncode(video))
        }
        #expect(FrameCodec.canDecode(.htj2kLosslessRPCL) && !FrameCodec.canEncode(.htj2kLosslessRPCL))
        #expect(!FrameCodec.canDecode(.jpegXL))
        #expect(!FrameCodec.canDecode(TransferSyntax(uid: "1.2.3")))
    }

    @Test func refusesLossWhereNoneIsAllowed() throws {
        let format = try Frames.format(8, 8)
        #expect(throws: CodecError.badFormat(attribute: "options")) {
            try FrameConversion.encoding(format, to: .jpegLSLossless, options: EncodingOptions(nearLossless: 1))
        }
        #expect(throws: CodecError.badFormat(attribute: "options")) {
            try FrameConversion.encoding(format, to: .htj2kLossless, options: EncodingOptions(quantisation: 0.01))
        }
    }
}
