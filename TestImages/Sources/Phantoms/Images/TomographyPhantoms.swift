import DICOM

/// CT Image Storage: a water cylinder with inserts. PS3.3 §A.3.
enum TomographyPhantoms {
    typealias Recipe = @Sendable (Seed) -> Phantom

    static let sliceCount = 12
    private static let visit = Visit(
        key: "ct", subject: .linYunqi, description: "体部 CT 质控 water phantom", date: "20260105")
    static let series = Series(
        visit: visit, key: "axial", number: 2, modality: "CT", description: "轴位 axial 2.5 mm", bodyPart: "CHEST")

    static let recipes: [Recipe] = (1...sliceCount).map { number in
        { seed in
            slice(
                name(number), series: series, number: number, of: sliceCount, size: 256, noise: 12, seed: seed)
        }
    }

    static func name(_ number: Int) -> String { number < 10 ? "ct-0\(number)" : "ct-\(number)" }

    /// One slice with its attributes.
    static func slice(
        _ name: String, series: Series, number: Int, of count: Int, size: Int, noise: Double, seed: Seed
    ) -> Phantom {
        var phantom = Phantom(
            name,
            shows: "CT: water cylinder with bone, fat, air, contrast and cone inserts, slice \(number) of \(count)",
            sopClassUID: SOPClassUID.ct, series: series, number: number, seed: seed)
        var numbers = seed.numbers("noise \(name)")
        let plane = cylinder(
            size: size, position: Double(number - 1) / Double(max(1, count - 1)), noise: noise, from: &numbers)
        phantom.setGray(
            [plane.words(in: -2000...4095)], columns: size, rows: size, bitsStored: 16, isSigned: true)
        phantom.dataset.put(attributes(series: series, number: number, size: size, seed: seed))
        return phantom
    }

    /// General Image, Image Plane, Frame of Reference and CT Image modules. PS3.3 §C.7.6 and §C.8.2.
    static func attributes(series: Series, number: Int, size: Int, seed: Seed) -> KeyValuePairs<String, AttributeValue>
    {
        let spacing = 320 / Double(size)
        let depth = 2.5 * Double(number - 1)
        return [
            "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"], "AcquisitionDate": .text(series.visit.date),
            "AcquisitionTime": .text(series.visit.time), "AcquisitionNumber": 1, "KVP": 120,
            "SliceThickness": 2.5, "SpacingBetweenSlices": 2.5, "DataCollectionDiameter": 320,
            "ReconstructionDiameter": 320, "GantryDetectorTilt": 0, "ExposureTime": 500, "XRayTubeCurrent": 180,
            "Exposure": 90, "ConvolutionKernel": "STANDARD", "PatientPosition": "HFS",
            "FrameOfReferenceUID": .text(series.frameOfReferenceUID(seed)), "PositionReferenceIndicator": "SN",
            "ImagePositionPatient": [.decimal(-160 + spacing / 2), .decimal(-160 + spacing / 2), .decimal(depth)],
            "ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "SliceLocation": .decimal(depth),
            "PixelSpacing": [.decimal(spacing), .decimal(spacing)], "PixelPaddingValue": .signed(-2000),
            "BurnedInAnnotation": "NO", "WindowCenter": [40, 300], "WindowWidth": [400, 1500],
            "WindowCenterWidthExplanation": ["SOFT", "BONE"], "RescaleIntercept": -1024, "RescaleSlope": 1,
            "RescaleType": "HU",
        ]
    }

    /// Stored values, that is Hounsfield units + 1024; -2000 outside the circle of reconstruction.
    ///
    /// - Parameter position: where the slice lies along the cylinder, from 0 to 1.
    static func cylinder(size: Int, position: Double, noise: Double, from numbers: inout SplitMix64) -> Plane {
        let unit = Double(size) / 256
        func circle(_ x: Double, _ y: Double, _ radius: Double) -> Ellipse {
            .circle(x * unit, y * unit, radius * unit)
        }
        let view = circle(127.5, 127.5, 127)
        let inserts: [(Ellipse, Double)] = [
            (circle(127.5, 118, 92), 110), (circle(127.5, 118, 88), 0), (circle(127.5, 66, 13), 900),
            (circle(172, 92, 13), -100), (circle(172, 144, 13), -1000), (circle(127.5, 170, 13), 300),
            (circle(83, 144, 13), 60), (circle(83, 92, 3 + 12 * position), 180),
            (circle(127.5, 118, 6), -750 + 1500 * position),
        ]
        let table = Ellipse(127.5 * unit, 176 * unit, 110 * unit, 50 * unit)
        return Plane(columns: size, rows: size) { x, y in
            guard view.contains(x, y) else { return -2000 }
            var density = -1000.0
            let depth = table.level(x, y)
            if y > 196 * unit, depth <= 1, depth > 0.9 { density = -150 }
            for (ellipse, value) in inserts where ellipse.contains(x, y) { density = value }
            return max(density + noise * numbers.noise(), -1024) + 1024
        }
    }
}
