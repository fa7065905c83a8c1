import DICOM
import Deidentification
import Testing

/// Rectangles are blanked and every other byte stays.
struct NativeFrameTests {
    private static func header(
        _ color: String, samples: Int, allocated: Int = 8, stored: Int? = nil, isSigned: Bool = false, planar: Int = 0
    ) -> Dataset {
        var header = Dataset()
        for (tag, number) in [
            (Tag.rows, 4), (.columns, 6), (.samplesPerPixel, samples), (.bitsAllocated, allocated),
            (.bitsStored, stored ?? allocated), (.highBit, (stored ?? allocated) - 1),
            (.pixelRepresentation, isSigned ? 1 : 0),
            (.planarConfiguration, planar),
        ] { header.set(tag, .US, ints: [number]) }
        header.set(.photometricInterpretation, .CS, string: color)
        return header
    }

    /// Whether a byte belongs to a pixel, for each way pixels lie.
    private static func pixel(_ index: Int, _ kind: Kind) -> (row: Int, column: Int) {
        let pixel: Int
        switch kind {
        case .bytes: pixel = index
        case .words: pixel = index / 2
        case .byPixel: pixel = index / 3
        case .byPlane: pixel = index % 24
        case .subsampled: pixel = index / 4 * 2
        }
        return (pixel / 6, pixel % 6)
    }

    enum Kind: CaseIterable { case bytes, words, byPixel, byPlane, subsampled }

    @Test(arguments: Kind.allCases)
    func blanksARectangleAndNothingElse(kind: Kind) throws {
        let header =
            switch kind {
            case .bytes: Self.header("MONOCHROME2", samples: 1)
            case .words: Self.header("MONOCHROME2", samples: 1, allocated: 16)
            case .byPixel: Self.header("RGB", samples: 3)
            case .byPlane: Self.header("RGB", samples: 3, planar: 1)
            case .subsampled: Self.header("YBR_FULL_422", samples: 3)
            }
        let native = try #require(NativeFrame(header))
        let source = (0..<native.byteCount).map { UInt8(100 + $0 % 100) }
        var frame = source
        #expect(native.blank([PixelRegion(left: 2, top: 1, width: 2, height: 2)], in: &frame))
        var kept = source
        native.keepOnly([PixelRegion(left: 2, top: 1, width: 2, height: 2)], in: &kept)
        for index in source.indices {
            let (row, column) = Self.pixel(index, kind)
            let isInside = (1...2).contains(row) && (2...3).contains(column)
            if isInside { #expect(frame[index] != source[index] && kept[index] == source[index], "\(index)") }
            if !isInside { #expect(frame[index] == source[index] && kept[index] != source[index], "\(index)") }
        }
        #expect(!native.blank([PixelRegion(left: 6, top: 0, width: 5, height: 5)], in: &frame))
    }

    @Test func blanksToWhatLooksDark() throws {
        func blanked(_ header: Dataset) throws -> [UInt8] {
            let native = try #require(NativeFrame(header))
            var frame = [UInt8](repeating: 9, count: native.byteCount)
            native.keepOnly([], in: &frame)
            return Array(frame.prefix(4))
        }
        #expect(try blanked(Self.header("MONOCHROME1", samples: 1)) == [255, 255, 255, 255])
        #expect(
            try blanked(Self.header("MONOCHROME2", samples: 1, allocated: 16, stored: 12, isSigned: true)) == [
                0, 0xF8, 0, 0xF8,
            ])
        #expect(
            try blanked(Self.header("MONOCHROME1", samples: 1, allocated: 16, stored: 12)) == [0xFF, 0x0F, 0xFF, 0x0F])
        #expect(try blanked(Self.header("YBR_FULL", samples: 3)) == [0, 128, 128, 0])
        #expect(try blanked(Self.header("YBR_FULL_422", samples: 3)) == [0, 0, 128, 128])
    }

    @Test func showsAFrameAsGrey() throws {
        let mono = try #require(
            NativeFrame(Self.header("MONOCHROME2", samples: 1, allocated: 16, stored: 12, isSigned: true)))
        var frame = [UInt8](repeating: 0, count: mono.byteCount)
        frame[0] = 0x00
        frame[1] = 0x08  // The least value there is.
        frame[2] = 0xFF
        frame[3] = 0x07  // The greatest.
        #expect(Array(mono.grey(frame).prefix(3)) == [0, 255, 127])
        let color = try #require(NativeFrame(Self.header("RGB", samples: 3, planar: 1)))
        var planes = [UInt8](repeating: 0, count: color.byteCount)
        (planes[0], planes[24], planes[48]) = (255, 255, 255)
        planes[25] = 255
        #expect(Array(color.grey(planes).prefix(3)) == [255, 149, 0])
        var header = Self.header("PALETTE COLOR", samples: 1)
        #expect(NativeFrame(header) == nil)
        for place in 0..<3 {
            header.set(Tag(0x0028_1101 + UInt32(place)), .US, ints: [2, 0, 16])
            header.set(Tag(0x0028_1201 + UInt32(place)), .OW, bytes: [0, 255, 0, 0])
        }
        let palette = try #require(NativeFrame(header))
        #expect(Array(palette.grey([0, 1] + [UInt8](repeating: 7, count: 22)).prefix(3)) == [255, 0, 0])
    }

    @Test func refusesWhatItCannotLayOut() {
        for header in [
            Dataset(), Self.header("MONOCHROME2", samples: 3), Self.header("RGB", samples: 1),
            Self.header("YBR_ICT", samples: 3),
            Self.header("MONOCHROME2", samples: 1, allocated: 32), Self.header("YBR_FULL_422", samples: 3, planar: 1),
        ] { #expect(NativeFrame(header) == nil) }
    }
}
