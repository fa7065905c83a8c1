import DICOM

/// Secondary captures in colour: both planar configurations, a palette and several frames. PS3.3 §A.8.
enum SecondaryCapturePhantoms {
    private static let columns = 256
    private static let rows = 192
    private static let visit = Visit(
        key: "sc", subject: .suWanqing, description: "截图 secondary capture", date: "20260114")

    static let recipes: [TomographyPhantoms.Recipe] = [
        { trueColor("sc-rgb-interleaved", planarConfiguration: 0, number: 1, seed: $0) },
        { trueColor("sc-rgb-planar", planarConfiguration: 1, number: 2, seed: $0) },
        palette, multiFrame,
    ]

    private static func series(_ number: Int, _ description: String) -> Series {
        Series(visit: visit, key: "\(number)", number: number, modality: "OT", description: description)
    }

    private static func trueColor(_ name: String, planarConfiguration: Int, number: Int, seed: Seed) -> Phantom {
        var phantom = Phantom(
            name, shows: "Secondary capture: colour bars and ramps, RGB, planar configuration \(planarConfiguration)",
            sopClassUID: SOPClassUID.secondaryCapture, series: series(1, "RGB"), number: number, seed: seed)
        let picture = ColorPlane(columns: columns, rows: rows) { bars($0, $1) }
        phantom.setColor(
            [planarConfiguration == 0 ? picture.interleaved() : picture.planar()], columns: columns, rows: rows,
            planarConfiguration: planarConfiguration)
        putCaptureAttributes(of: &phantom)
        return phantom
    }

    private static func putCaptureAttributes(of phantom: inout Phantom) {
        phantom.dataset.put([
            "ImageType": ["DERIVED", "SECONDARY"], "ConversionType": "SYN", "PatientOrientation": .empty,
            "Laterality": .empty, "BurnedInAnnotation": "NO", "DateOfSecondaryCapture": .text(visit.date),
            "TimeOfSecondaryCapture": .text(visit.time),
        ])
    }

    /// Saturated bars above, ramps of each colour and of gray below.
    private static func bars(_ x: Double, _ y: Double) -> Color {
        let part = Int(x) * 8 / columns
        func on(_ bit: Int) -> Double { part & bit == 0 ? 255 : 0 }
        switch Int(y) * 6 / rows {
        case 0, 1: return Color(on(2), on(4), on(1))
        case 2: return Color(x, 0, 0)
        case 3: return Color(0, x, 0)
        case 4: return Color(0, 0, x)
        default: return Color(x, x, x)
        }
    }

    /// PALETTE COLOR with 16-bit tables. PS3.3 §C.7.6.3.1.5 and §C.7.9.
    private static func palette(_ seed: Seed) -> Phantom {
        var phantom = Phantom(
            "sc-palette", shows: "Secondary capture: rings in palette colour, 256 entries of 16 bits",
            sopClassUID: SOPClassUID.secondaryCapture, series: series(2, "PALETTE COLOR"), number: 1, seed: seed)
        let plane = Plane(columns: columns, rows: rows) { x, y in
            let distance = ((x - 128) * (x - 128) + (y - 96) * (y - 96)).squareRoot()
            return 127.5 + 127.5 * Curve.sine(distance / 7)
        }
        phantom.setGray([plane.bytes()], columns: columns, rows: rows, bitsStored: 8)
        putCaptureAttributes(of: &phantom)
        func table(_ level: (Double) -> Double) -> AttributeValue {
            .words(
                (0..<256).flatMap { index in
                    let value = UInt16(min(255, max(0, level(Double(index)).rounded()))) * 257
                    return [UInt8(truncatingIfNeeded: value), UInt8(value >> 8)]
                })
        }
        phantom.dataset.put([
            "PhotometricInterpretation": "PALETTE COLOR", "RedPaletteColorLookupTableDescriptor": [256, 0, 16],
            "GreenPaletteColorLookupTableDescriptor": [256, 0, 16],
            "BluePaletteColorLookupTableDescriptor": [256, 0, 16],
            "RedPaletteColorLookupTableData": table { 3 * $0 },
            "GreenPaletteColorLookupTableData": table { 3 * ($0 - 85) },
            "BluePaletteColorLookupTableData": table { 3 * ($0 - 170) },
        ])
        return phantom
    }

    /// Multi-frame True Color Secondary Capture Image Storage. PS3.3 §A.8.5.
    private static func multiFrame(_ seed: Seed) -> Phantom {
        var phantom = Phantom(
            "sc-multiframe", shows: "Multi-frame true colour secondary capture: a ball on a coloured ground, 6 frames",
            sopClassUID: SOPClassUID.multiFrameTrueColorSecondaryCapture, series: series(3, "Multi-frame"), number: 1,
            seed: seed)
        let frames = (0..<6).map { index in
            let ball = Ellipse.circle(24 + 22 * Double(index), 60, 18)
            return ColorPlane(columns: 160, rows: 120) { x, y in
                let level = ball.level(x, y)
                if level < 1 { return Color(250, 200, 40).lit(by: 1 - 0.6 * level) }
                return Color(30 + x / 2, 60 + y, 180 - x / 2)
            }.interleaved()
        }
        phantom.setColor(frames, columns: 160, rows: 120)
        putCaptureAttributes(of: &phantom)
        phantom.dataset.put([
            "NumberOfFrames": .number(frames.count), "FrameIncrementPointer": "FrameTime", "FrameTime": 200,
            "InstanceCreatorUID": .text(seed.uid("creator")),
        ])
        return phantom
    }
}
