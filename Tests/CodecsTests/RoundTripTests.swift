import Codecs
import DICOM
import Testing

/// What is encoded without loss comes back bit for bit.
@Suite struct RoundTripTests {
    static let lossless: [TransferSyntax] = [
        .rleLossless, .deflatedImageFrameCompression, .jpegLossless, .jpegLosslessSV1, .jpegLSLossless,
        .jpegLSNearLossless, .jpeg2000Lossless, .jpeg2000, .htj2kLossless, .htj2k,
    ]
    static let sizes = [(1, 1), (1, 7), (5, 1), (3, 5), (16, 16), (33, 65), (64, 31)]

    private func expectBack(_ syntax: TransferSyntax, _ format: FrameFormat) throws {
        let pixels = Frames.pixels(format)
        let stream = try FrameCodec.convert(pixels, .encoding(format, to: syntax))
        let back = try FrameCodec.convert(stream, .decoding(syntax, format))
        #expect(back == pixels, "\(syntax.name) \(format)")
    }

    @Test(arguments: lossless)
    func bringsGreyBackWhateverItsDepthAndSign(_ syntax: TransferSyntax) throws {
        for (rows, columns) in Self.sizes {
            for bits in [2, 7, 8, 9, 10, 12, 15, 16] {
                for isSigned in [false, true] {
                    try expectBack(syntax, Frames.format(rows, columns, bits: bits, isSigned: isSigned))
                    guard bits <= 8 else { continue }
                    try expectBack(syntax, Frames.format(rows, columns, bits: bits, allocated: 16, isSigned: isSigned))
                }
            }
        }
    }

    @Test(arguments: lossless)
    func bringsColoursBackByPixelAndByPlane(_ syntax: TransferSyntax) throws {
        for (rows, columns) in Self.sizes {
            for bits in [8, 16] {
                for isPlanar in [false, true] {
                    try expectBack(syntax, Frames.format(rows, columns, bits: bits, samples: 3, isPlanar: isPlanar))
                }
            }
            try expectBack(syntax, Frames.format(rows, columns, bits: 8, samples: 3, colours: .ybrFull))
            try expectBack(syntax, Frames.format(rows, columns, bits: 8, colours: .paletteColor))
        }
    }

    @Test(arguments: lossless)
    func bringsAWholeSliceBack(_ syntax: TransferSyntax) throws {
        try expectBack(syntax, Frames.format(512, 512, bits: 12))
    }

    @Test(arguments: [TransferSyntax.jpeg2000Lossless, .htj2kLossless])
    func bringsColoursBackThroughTheReversibleTransform(_ syntax: TransferSyntax) throws {
        for (rows, columns) in Self.sizes {
            for bits in [8, 12, 16] {
                let native = try Frames.format(rows, columns, bits: bits, samples: 3)
                let transformed = try native.with(photometricInterpretation: .ybrRCT)
                let pixels = Frames.pixels(native)
                let stream = try FrameCodec.convert(
                    pixels, FrameConversion(from: .implicitVRLittleEndian, native, to: syntax, transformed))
                let back = try FrameCodec.convert(
                    stream, FrameConversion(from: syntax, transformed, to: .explicitVRLittleEndian, native))
                #expect(back == pixels)
            }
        }
    }

    @Test(arguments: [32, 64]) func bringsWideSamplesBack(_ bits: Int) throws {
        for syntax in [TransferSyntax.rleLossless, .deflatedImageFrameCompression] {
            try expectBack(syntax, Frames.format(9, 7, bits: bits, allocated: bits))
        }
        #expect(throws: CodecError.self) {
            try FrameConversion.encoding(Frames.format(9, 7, bits: bits, allocated: bits), to: .jpegLSLossless)
        }
    }

    @Test func bringsBitmapsBackDeflated() throws {
        let format = try FrameFormat(
            rows: 9, columns: 5, bitsAllocated: 1, photometricInterpretation: .monochrome2)
        #expect(format.byteCount == 6)
        let pixels: [UInt8] = [1, 2, 3, 250, 0, 31]
        let stream = try FrameCodec.convert(pixels, .encoding(format, to: .deflatedImageFrameCompression))
        #expect(try FrameCodec.convert(stream, .decoding(.deflatedImageFrameCompression, format)) == pixels)
    }

    @Test func goesFromOneCodingStraightToAnother() throws {
        let format = try Frames.format(33, 65, bits: 12, isSigned: true)
        let pixels = Frames.pixels(format)
        var stream = try FrameCodec.convert(pixels, .encoding(format, to: .rleLossless))
        for (from, to) in zip(Self.lossless, Self.lossless.dropFirst()) {
            stream = try FrameCodec.convert(stream, FrameConversion(from: from, format, to: to, format))
        }
        #expect(try FrameCodec.convert(stream, .decoding(.htj2k, format)) == pixels)
    }

    @Test func staysWithinTheErrorThatWasAskedFor() throws {
        let format = try Frames.format(64, 48, bits: 8)
        let pixels = Frames.pixels(format)
        let stream = try FrameCodec.convert(
            pixels, .encoding(format, to: .jpegLSNearLossless, options: EncodingOptions(nearLossless: 3)))
        let back = try FrameCodec.convert(stream, .decoding(.jpegLSNearLossless, format))
        #expect(zip(pixels, back).allSatisfy { abs(Int($0) - Int($1)) <= 3 })
        #expect(back != pixels)
    }

    @Test(arguments: [(TransferSyntax.jpegBaseline, 8), (.jpegExtended, 8), (.jpegExtended, 12)])
    func comesCloseWithADCT(_ syntax: TransferSyntax, _ bits: Int) throws {
        let format = try Frames.format(40, 50, bits: bits)
        // A slope: a DCT has no trouble with it.
        var pixels: [UInt8] = []
        for row in 0..<40 {
            for column in 0..<50 {
                let value = (row + column) << (bits - 8)
                pixels.append(UInt8(value & 255))
                if bits > 8 { pixels.append(UInt8(value >> 8)) }
            }
        }
        let stream = try FrameCodec.convert(
            pixels, .encoding(format, to: syntax, options: EncodingOptions(quality: 100)))
        let back = try FrameCodec.convert(stream, .decoding(syntax, format))
        let (before, after) = (samples(pixels, bits), samples(back, bits))
        #expect(zip(before, after).allSatisfy { abs($0 - $1) <= 2 << (bits - 8) })
    }

    private func samples(_ bytes: [UInt8], _ bits: Int) -> [Int] {
        guard bits > 8 else { return bytes.map(Int.init) }
        return stride(from: 0, to: bytes.count, by: 2).map { Int(bytes[$0]) | Int(bytes[$0 + 1]) << 8 }
    }
}
