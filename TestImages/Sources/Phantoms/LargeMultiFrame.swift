import DICOM
import Foundation

/// One object of very many 16-bit frames, written frame by frame on demand and never committed.
public struct LargeMultiFrame: Sendable {
    /// Bytes of pixel data: from one frame up to what a native element's 32-bit length can say. PS3.5 §7.1.2.
    public static let byteCountLimits = 512...0xFFFF_FFFE
    /// Rows and columns of a frame.
    public static let sizeLimits = LargeSeries.sizeLimits

    public let frameCount: Int
    private let seed: Seed
    private let size: Int

    /// - Parameter byteCount: of pixel data, rounded down to whole frames.
    /// - Throws: `.outOfBounds` for a size or byte count outside the limits, or for less than one frame.
    public init(seed: Seed, byteCount: Int, size: Int) throws(GeneratorError) {
        try GeneratorError.check("size", size, within: Self.sizeLimits)
        let frameByteCount = size * size * 2
        try GeneratorError.check("byte-count", byteCount, within: frameByteCount...Self.byteCountLimits.upperBound)
        self.seed = seed
        self.size = size
        frameCount = byteCount / frameByteCount
    }

    /// Writes one file; holds one frame at a time.
    public func write(to url: URL, progress: (_ written: Int) -> Void = { _ in }) throws(GeneratorError) {
        do {
            try Data(beginning()).write(to: url)
            let file = try FileHandle(forWritingTo: url)
            defer { try? file.close() }
            try file.seekToEnd()
            var source = frames()
            for frame in 1...frameCount {
                try file.write(contentsOf: source.next())
                progress(frame)
            }
        } catch {
            throw .unwritable(file: url.lastPathComponent)
        }
    }

    /// Everything up to the first frame.
    func beginning() -> [UInt8] {
        let visit = Visit(
            key: "large multi-frame", subject: .suWanqing, description: "大对象 large object", date: "20260123")
        let series = Series(
            visit: visit, key: "large multi-frame", number: 1, modality: "OT", description: "\(frameCount) frames")
        var phantom = Phantom(
            "large-multiframe-\(frameCount)-\(size)", shows: "Moving rings with noise, \(frameCount) frames",
            sopClassUID: SOPClassUID.multiFrameGrayscaleWordSecondaryCapture, series: series, number: 1, seed: seed)
        phantom.setGray([], columns: size, rows: size, bitsStored: 16)
        phantom.pixels = nil
        // SC Multi-frame Image module. PS3.3 §C.8.6.3.
        phantom.dataset.put([
            "ImageType": ["DERIVED", "SECONDARY"], "ConversionType": "SYN", "PatientOrientation": .empty,
            "Laterality": .empty, "BurnedInAnnotation": "NO", "NumberOfFrames": .number(frameCount),
            "FrameIncrementPointer": "FrameTime", "FrameTime": 40, "RescaleIntercept": 0, "RescaleSlope": 1,
            "RescaleType": "US", "PresentationLUTShape": "IDENTITY", "WindowCenter": 32_768, "WindowWidth": 65_536,
        ])
        return phantom.part10Beginning(pixelByteCount: UInt32(frameCount * size * size * 2))
    }

    func frames() -> LargeFrames { LargeFrames(size: size, numbers: seed.numbers("large multi-frame")) }
}

/// Frame after frame: one picture of rings, shifted by a row each time, with fresh noise in its low bits.
struct LargeFrames {
    private let picture: [UInt16]
    private let size: Int
    private var shift = 0
    private var numbers: SplitMix64

    init(size: Int, numbers: SplitMix64) {
        self.size = size
        self.numbers = numbers
        let center = Double(size) / 2
        let plane = Plane(columns: size, rows: size) { x, y in
            let distance = ((x - center) * (x - center) + (y - center) * (y - center)).squareRoot()
            return 32_000 + 28_000 * Curve.sine(distance * 40 / Double(size))
        }
        picture = plane.samples.map { UInt16($0.rounded()) }
    }

    mutating func next() -> Data {
        var frame = Data(count: picture.count * 2)
        frame.withUnsafeMutableBytes { bytes in
            let words = bytes.assumingMemoryBound(to: UInt16.self)
            var noise: UInt64 = 0
            for index in words.indices {
                if index % 8 == 0 { noise = numbers.next() }
                var source = index + shift
                if source >= picture.count { source -= picture.count }
                words[index] = (picture[source] ^ UInt16(noise & 0xFF)).littleEndian
                noise >>= 8
            }
        }
        shift = (shift + size) % picture.count
        return frame
    }
}
