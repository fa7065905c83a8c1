import Codecs
import DICOM
import Testing

/// Colours and layouts. PS3.3 §C.7.6.3.1.2.
@Suite struct ColourTests {
    private static let native = TransferSyntax.explicitVRLittleEndian

    private func convert(_ pixels: [UInt8], _ from: FrameFormat, _ to: FrameFormat) throws -> [UInt8] {
        try FrameCodec.convert(pixels, FrameConversion(from: Self.native, from, to: Self.native, to))
    }

    @Test func turnsPlanesIntoPixelsAndBack() throws {
        let planes = try Frames.format(1, 2, samples: 3, isPlanar: true)
        let pixels = try Frames.format(1, 2, samples: 3)
        #expect(try convert([1, 2, 3, 4, 5, 6], planes, pixels) == [1, 3, 5, 2, 4, 6])
        #expect(try convert([1, 3, 5, 2, 4, 6], pixels, planes) == [1, 2, 3, 4, 5, 6])
        #expect(try convert([1, 2, 3, 4, 5, 6], planes, planes) == [1, 2, 3, 4, 5, 6])
    }

    @Test func sharesChromaBetweenTwoPixels() throws {
        let half = try Frames.format(1, 4, samples: 3, colours: .ybrFull422)
        #expect(half.byteCount == 8)
        let full = try half.with(photometricInterpretation: .ybrFull)
        #expect(
            try convert([10, 20, 1, 2, 30, 40, 3, 4], half, full) == [10, 1, 2, 20, 1, 2, 30, 3, 4, 40, 3, 4])
        #expect(try convert([10, 20, 1, 2, 30, 40, 3, 4], half, half) == [10, 20, 1, 2, 30, 40, 3, 4])
    }

    /// Values worked out by hand from the standard's equations.
    @Test func convertsChromaToRGB() throws {
        let ybr = try Frames.format(1, 4, samples: 3, colours: .ybrFull)
        let rgb = try Frames.format(1, 4, samples: 3)
        let red: [UInt8] = [76, 85, 255]
        let grey: [UInt8] = [100, 128, 128]
        let blue: [UInt8] = [29, 255, 107]
        let bright: [UInt8] = [255, 255, 255]
        let result = try convert(red + grey + blue + bright, ybr, rgb)
        #expect(result == [254, 0, 0, 100, 100, 100, 0, 0, 254, 255, 121, 255])
        #expect(
            try convert([255, 0, 0, 100, 100, 100, 0, 0, 255, 9, 9, 9], rgb, ybr).prefix(9)
                == [76, 85, 255, 100, 128, 128, 29, 255, 107])
    }

    @Test func deliversTheColoursOfABaselineJPEGEitherWay() throws {
        let rgb = try Frames.format(16, 16, samples: 3)
        let ybr = try rgb.with(photometricInterpretation: .ybrFull422)
        let pixels = Array((0..<256).map { _ in [UInt8(200), 40, 90] }.joined())
        let stream = try FrameCodec.convert(
            pixels, FrameConversion(from: Self.native, rgb, to: .jpegBaseline, ybr))
        #expect(FrameCodec.colours(ofJPEG: stream) == .ybrFull)
        let back = try FrameCodec.convert(stream, FrameConversion(from: .jpegBaseline, ybr, to: Self.native, rgb))
        #expect(zip(pixels, back).allSatisfy { abs(Int($0) - Int($1)) <= 3 })
        let full = try rgb.with(photometricInterpretation: .ybrFull)
        let kept = try FrameCodec.convert(stream, FrameConversion(from: .jpegBaseline, ybr, to: Self.native, full))
        let expected = try convert(pixels, rgb, full)
        #expect(zip(expected, kept).allSatisfy { abs(Int($0) - Int($1)) <= 2 })
    }

    @Test func believesAJPEGThatSaysItIsRGB() throws {
        let rgb = try Frames.format(16, 16, samples: 3)
        let ybr = try rgb.with(photometricInterpretation: .ybrFull)
        let pixels = Array((0..<256).map { _ in [UInt8(200), 40, 90] }.joined())
        let stream = try FrameCodec.convert(pixels, FrameConversion(from: Self.native, rgb, to: .jpegBaseline, rgb))
        #expect(FrameCodec.colours(ofJPEG: stream) == .rgb)
        // The image says otherwise; the stream knows.
        let back = try FrameCodec.convert(stream, FrameConversion(from: .jpegBaseline, ybr, to: Self.native, rgb))
        #expect(zip(pixels, back).allSatisfy { abs(Int($0) - Int($1)) <= 3 })
    }

    @Test func refusesColoursItCannotConvert() throws {
        let rgb = try Frames.format(4, 4, bits: 8, samples: 3, isSigned: true)
        let ybr = try Frames.format(4, 4, bits: 8, samples: 3, isSigned: true, colours: .ybrFull)
        #expect(throws: CodecError.self) { try convert(Frames.pixels(rgb), rgb, ybr) }
    }
}
