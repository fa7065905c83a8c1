import Codecs
import DICOM
import Testing

/// Streams that were found by mutation, and what became of them.
@Suite struct BrokenStreamTests {
    /// A code block of HTJ2K of which OpenJPH warns.
    private static let warned = """
        ff4fff5100294000000000090000000a0000000000000000000000090000000a000000000000000000018f0101ff5000
        0800020000000cff52000c00020001000304044001ff5c000d20909898a0989898909098ff64001600014f70656e4a50
        482056657220302e392e302eff90000a00000000007c0001ff93c0001380344e540046b400c00009600004d00001fb89
        20b3004b740036fe0081740000477400c00009a0000554000094a5872ef0940051644899f803937eb5004be4119300c0
        0013400016ac7c0001ff93c0000100000000000000000000000000000008ffc400004b740036fe0081740000477400c0
        0009a0000554000094a5872ef0940051644899f803000098d6fec062340060fcf1fb89a2288ae00fe0001beb08fe1081
        bebd00e0d800807500ffd9
        """

    @Test func survivesAWarningOfTheLibrary() throws {
        let digits = Self.warned.filter(\.isHexDigit)
        let stream = try stride(from: 0, to: digits.count, by: 2).map { offset in
            try #require(UInt8(digits.dropFirst(offset).prefix(2), radix: 16))
        }
        let format = try Frames.format(10, 9, bits: 16, isSigned: true)
        // What the library makes of it differs from run to run; it must come back with either.
        do {
            let frame = try FrameCodec.convert(stream, .decoding(.htj2kLossless, format))
            #expect(frame.count == format.byteCount)
        } catch { #expect("\(error)".contains("HTJ2K")) }
    }
}
