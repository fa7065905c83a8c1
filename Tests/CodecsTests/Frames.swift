import Codecs
import DICOM
import Foundation

/// Numbers that are the same in every run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Frames made for tests.
enum Frames {
    static func format(
        _ rows: Int, _ columns: Int, bits: Int = 8, allocated: Int? = nil, samples: Int = 1, isSigned: Bool = false,
        colours: PhotometricInterpretation? = nil, isPlanar: Bool = false
    ) throws -> FrameFormat {
        try FrameFormat(
            rows: rows, columns: columns, samplesPerPixel: samples, bitsAllocated: allocated ?? (bits > 8 ? 16 : 8),
            bitsStored: bits, isSigned: isSigned,
            photometricInterpretation: colours ?? (samples == 1 ? .monochrome2 : .rgb),
            planarConfiguration: isPlanar ? 1 : 0)
    }

    /// A slope with noise on it and a few extremes, its sign extended.
    static func pixels(_ format: FrameFormat, seed: UInt64 = 1) -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        let count = format.rows * format.columns * format.samplesPerPixel
        let mask = format.bitsStored == 64 ? UInt64.max : (1 << UInt64(format.bitsStored)) - 1
        let bytes = format.bitsAllocated / 8
        var result: [UInt8] = []
        result.reserveCapacity(count * bytes)
        for index in 0..<count {
            let random = generator.next()
            var value = UInt64(index % format.columns) &+ random % 9
            if random >> 56 < 4 { value = random >> 8 }
            value &= mask
            if format.isSigned, value > mask >> 1 { value |= ~mask }
            for byte in 0..<bytes { result.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * byte))) }
        }
        return result
    }
}

extension FrameConversion {
    /// To a coding of the same colours.
    static func encoding(
        _ format: FrameFormat, to target: TransferSyntax, options: EncodingOptions = EncodingOptions()
    ) throws -> FrameConversion {
        try FrameConversion(from: .explicitVRLittleEndian, format, to: target, format, options: options)
    }

    static func decoding(_ source: TransferSyntax, _ format: FrameFormat) throws -> FrameConversion {
        try FrameConversion(from: source, format, to: .explicitVRLittleEndian, format)
    }
}
