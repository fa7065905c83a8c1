import DICOM
import Testing

@testable import Codecs

/// Pictures, in this process and in workers.
@Suite(.timeLimit(.minutes(30))) struct RenderingTests {
    static func rendering(
        _ rows: Int, _ columns: Int, syntax: TransferSyntax = .explicitVRLittleEndian,
        _ change: (inout Dataset, inout PictureOrder) -> Void = { _, _ in }
    ) throws -> FrameRendering {
        var header = Dataset()
        header.set(.rows, .US, ints: [rows])
        header.set(.columns, .US, ints: [columns])
        header.set(.bitsAllocated, .US, ints: [8])
        header.set(.photometricInterpretation, .CS, string: "MONOCHROME2")
        var order = PictureOrder()
        order.coding = .png
        change(&header, &order)
        let value = [UInt8](repeating: 0, count: rows * columns)
        var dataset = header
        dataset.set(.pixelData, .OB, bytes: value + [0])
        var scanner = DatasetScanner(transferSyntax: .explicitVRLittleEndian)
        let bytes = dataset.encoded(transferSyntax: .explicitVRLittleEndian)
        try bytes.withUnsafeBytes { try scanner.feed($0) }
        let layout = try #require(try scanner.finish().pixelData)
        let rendering = try ImageRendering(
            header: header, layout: layout, from: .explicitVRLittleEndian, frameIndex: 0, order: order
        ) { _, _ in nil }
        let format = try FrameFormat(header: header)
        return try FrameRendering(from: syntax, format, native: format, rendering)
    }

    @Test func makesTheSamePictureInAWorker() throws {
        let pool = Workers.pool()
        let rendering = try Self.rendering(33, 57) { _, order in
            order.window = .init(center: 9, width: 99, shape: .linear)
        }
        let pixels = (0..<33 * 57).map { UInt8(truncatingIfNeeded: $0 * 7) }
        let picture = try pool.start(pixels, rendering).wait()
        #expect(try picture == rendering.picture(of: pixels))
        #expect(picture.starts(with: [0x89, 0x50, 0x4E, 0x47]))
        #expect(try pool.works())
    }

    @Test func writesTheSameLettersInAWorker() throws {
        let pool = Workers.pool()
        func rendering(_ name: String, _ annotation: PictureAnnotation) throws -> FrameRendering {
            try Self.rendering(120, 160) { header, order in
                header.set(.patientName, .PN, string: name)
                order.annotation = annotation
            }
        }
        let pixels = (0..<120 * 160).map { UInt8(truncatingIfNeeded: $0 * 7) }
        func picture(_ name: String, _ annotation: PictureAnnotation) throws -> [UInt8] {
            try pool.start(pixels, rendering(name, annotation)).wait()
        }
        let written = try picture("Li^Si=李^四=", .patient)
        #expect(try written == rendering("Li^Si=李^四=", .patient).picture(of: pixels))
        #expect(try written != picture("Li^Si=李^五=", .patient))
        #expect(try picture("Li^Si=李^四=", .technique) == picture("Li^Si=李^四=", []))
        // Letters that no font has, and ones that are none.
        for name in ["\u{20BB7}", "\u{10FFFF}", "\u{FFFD}\u{FFFE}", "\u{202E}", String(repeating: "丙", count: 500)] {
            _ = try picture(name, .patient)
        }
        #expect(try pool.works())
    }

    @Test func refusesAFrameThatIsTooShort() throws {
        let pool = Workers.pool()
        let rendering = try Self.rendering(33, 57)
        let whole = [UInt8](repeating: 1, count: 33 * 57)
        #expect(throws: Never.self) { try pool.start(whole, rendering).wait() }
        #expect(throws: CodecError.malformed(coding: "native pixel data")) {
            try pool.start(Array(whole.dropLast()), rendering).wait()
        }
        #expect(throws: CodecError.malformed(coding: "native pixel data")) { try pool.start([], rendering).wait() }
    }

    @Test func survivesStreamsThatAreNone() throws {
        let pool = Workers.pool()
        let syntaxes = [
            TransferSyntax.rleLossless, .jpegBaseline, .jpegLosslessSV1, .jpegLSLossless, .jpeg2000Lossless,
            .htj2kLossless,
        ]
        for syntax in syntaxes {
            let rendering = try Self.rendering(17, 19, syntax: syntax)
            let format = try Frames.format(17, 19)
            let stream = try FrameCodec.convert(Frames.pixels(format), .encoding(format, to: syntax))
            #expect(throws: Never.self) { try pool.start(stream, rendering).wait() }
            for count in stride(from: 0, to: stream.count, by: max(1, stream.count / 8)) {
                _ = try? pool.start(Array(stream.prefix(count)), rendering).wait()
            }
        }
        #expect(try pool.works())
    }
}
