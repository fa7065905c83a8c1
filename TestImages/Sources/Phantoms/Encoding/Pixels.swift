import DICOM

/// Frames in native form: pixel after pixel (or, with planar configuration 1, plane after plane) in little endian.
struct Pixels {
    var columns: Int
    var rows: Int
    var frames: [[UInt8]]
    var samplesPerPixel = 1
    var bytesPerSample = 1

    /// Pixel Data in fragments, one a frame, with a Basic Offset Table. PS3.5 §A.4.
    func encapsulated(_ transferSyntax: TransferSyntax) -> [UInt8] {
        let fragments = frames.map { frame in
            var fragment =
                transferSyntax == .rleLossless
                ? RunLength.encode(
                    frame, columns: columns, samplesPerPixel: samplesPerPixel, bytesPerSample: bytesPerSample)
                : frame
            if fragment.count % 2 == 1 { fragment.append(0) }
            return fragment
        }
        var bytes: [UInt8] = [
            0xE0, 0x7F, 0x10, 0x00, UInt8(ascii: "O"), UInt8(ascii: "B"), 0, 0, 0xFF, 0xFF, 0xFF, 0xFF,
        ]
        var offsets: [UInt8] = []
        var offset = 0
        for fragment in fragments {
            offsets += Self.littleEndian(offset)
            offset += 8 + fragment.count
        }
        for item in [offsets] + fragments { bytes += [0xFE, 0xFF, 0x00, 0xE0] + Self.littleEndian(item.count) + item }
        return bytes + [0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]
    }

    private static func littleEndian(_ number: Int) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }
}

extension Phantom {
    /// Adds a grayscale picture: Image Pixel and, for several frames, Multi-frame module. PS3.3 §C.7.6.3 and §C.7.6.6.
    mutating func setGray(_ frames: [[UInt8]], columns: Int, rows: Int, bitsStored: Int, isSigned: Bool = false) {
        let bitsAllocated = bitsStored > 8 ? 16 : 8
        pixels = Pixels(columns: columns, rows: rows, frames: frames, bytesPerSample: bitsAllocated / 8)
        dataset.put([
            "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2", "Rows": .number(rows),
            "Columns": .number(columns), "BitsAllocated": .number(bitsAllocated), "BitsStored": .number(bitsStored),
            "HighBit": .number(bitsStored - 1), "PixelRepresentation": .number(isSigned ? 1 : 0),
        ])
    }

    /// Adds a picture in true colour.
    mutating func setColor(
        _ frames: [[UInt8]], columns: Int, rows: Int, photometricInterpretation: String = "RGB",
        planarConfiguration: Int = 0
    ) {
        pixels = Pixels(columns: columns, rows: rows, frames: frames, samplesPerPixel: 3)
        dataset.put([
            "SamplesPerPixel": 3, "PhotometricInterpretation": .text(photometricInterpretation),
            "PlanarConfiguration": .number(planarConfiguration), "Rows": .number(rows), "Columns": .number(columns),
            "BitsAllocated": 8, "BitsStored": 8, "HighBit": 7, "PixelRepresentation": 0,
        ])
    }
}
