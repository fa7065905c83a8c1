import DICOM

/// Ultrasound Multi-frame Image Storage: a sector with speckle, a moving target and a coloured flow. PS3.3 §A.7.
enum UltrasoundPhantoms {
    private static let columns = 320
    private static let rows = 240
    private static let frameCount = 30
    private static let visit = Visit(key: "us", subject: .luTingzhou, description: "心脏超声", date: "20260112")
    private static let series = Series(
        visit: visit, key: "cine", number: 1, modality: "US", description: "四腔心 cine", bodyPart: "HEART")

    static let recipes: [TomographyPhantoms.Recipe] = [cine]

    private static func cine(_ seed: Seed) -> Phantom {
        var phantom = Phantom(
            "us-cine", shows: "Ultrasound: a sector with speckle, a moving round target and coloured flow, 30 frames",
            sopClassUID: SOPClassUID.ultrasoundMultiFrame, series: series, number: 1, seed: seed)
        phantom.transferSyntax = .rleLossless
        // RLE holds planes, hence planar configuration 1. PS3.5 §8.2.2.
        phantom.setColor(
            (0..<frameCount).map { frame($0, seed: seed).interleavedYBR() }, columns: columns, rows: rows,
            photometricInterpretation: "YBR_FULL", planarConfiguration: 1)
        phantom.dataset.put([
            "ImageType": ["ORIGINAL", "PRIMARY", "TTE", "0011"], "NumberOfFrames": .number(frameCount),
            "FrameIncrementPointer": "FrameTime", "FrameTime": 40, "CineRate": 25, "RecommendedDisplayFrameRate": 25,
            "StartTrim": 1, "StopTrim": .number(frameCount), "HeartRate": 50, "LossyImageCompression": "00",
            "UltrasoundColorDataPresent": 1, "BurnedInAnnotation": "NO", "PatientOrientation": .empty,
            "SequenceOfUltrasoundRegions": .items([tissueRegion, flowRegion]), "TransducerType": "SECTOR_PHASED",
        ])
        return phantom
    }

    /// US Region Calibration module: 0.05 cm a pixel. PS3.3 §C.8.5.5.
    private static let tissueRegion = region(kind: 1, x: 10...309, y: 6...233)
    private static let flowRegion = region(kind: 2, x: 130...190, y: 100...170)

    private static func region(kind: Int, x: ClosedRange<Int>, y: ClosedRange<Int>) -> Dataset {
        Dataset([
            "RegionSpatialFormat": 1, "RegionDataType": .number(kind), "RegionFlags": .number(kind == 1 ? 2 : 3),
            "RegionLocationMinX0": .number(x.lowerBound), "RegionLocationMinY0": .number(y.lowerBound),
            "RegionLocationMaxX1": .number(x.upperBound), "RegionLocationMaxY1": .number(y.upperBound),
            "PhysicalUnitsXDirection": 3, "PhysicalUnitsYDirection": 3, "PhysicalDeltaX": 0.05, "PhysicalDeltaY": 0.05,
        ])
    }

    private static func frame(_ index: Int, seed: Seed) -> ColorPlane {
        let phase = 2 * Double.pi * Double(index) / Double(frameCount)
        let target = Ellipse.circle(160 + 48 * Curve.sine(phase), 128 + 22 * Curve.cosine(phase), 16)
        let chamber = Ellipse(160, 135, 58, 62 + 7 * Curve.cosine(phase))
        let flow = Ellipse(160, 135, 18, 30)
        var numbers = seed.numbers("us-cine \(index)")
        // Speckle in cells five pixels wide: they pack well by run length and look like a scan line's width.
        let cells = (0..<rows * 64).map { _ in 0.45 + 0.55 * numbers.unit() }
        return ColorPlane(columns: columns, rows: rows) { x, y in
            let across = x - 159.5
            let down = y + 20
            let range = (across * across + down * down).squareRoot()
            guard range > 30, range < 250, abs(across) < 0.72 * down, y > 6 else { return Color(0, 0, 0) }
            if target.contains(x, y) { return Color(225, 225, 225) }
            let level = chamber.level(x, y)
            if flow.contains(x, y), Curve.sine(phase) > 0 {
                return Color(200, 60 + (y * 0.8).rounded(), 30)
            }
            let brightness: Double = level < 1 ? 20 : level < 1.25 ? 190 : 95
            let value = (brightness * cells[Int(y) * 64 + Int(x) / 5]).rounded()
            return Color(value, value, value)
        }
    }
}
