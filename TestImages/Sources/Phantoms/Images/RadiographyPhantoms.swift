import DICOM

/// Projection radiographs: CR, DX and mammography. PS3.3 §A.2, §A.26 and §A.27.
enum RadiographyPhantoms {
    private static let chest = Visit(key: "chest", subject: .heShubai, description: "胸部正位", date: "20260109")
    private static let breast = Visit(key: "breast", subject: .yeZhiwei, description: "乳腺 X 线", date: "20260110")

    static let recipes: [TomographyPhantoms.Recipe] = [computed, digital, mammogram]

    /// Computed Radiography Image Storage: low exposure is bright in MONOCHROME1.
    private static func computed(_ seed: Seed) -> Phantom {
        let series = Series(visit: chest, key: "cr", number: 1, modality: "CR", description: "PA", bodyPart: "CHEST")
        var phantom = Phantom(
            "cr", shows: "CR: chest with lungs, heart, ribs and spine, inverted grayscale",
            sopClassUID: SOPClassUID.computedRadiography, series: series, number: 1, seed: seed)
        var numbers = seed.numbers("noise cr")
        let plane = thorax(columns: 512, rows: 512, scale: 3600, noise: 14, from: &numbers)
        phantom.setGray([plane.words(in: 0...4095)], columns: 512, rows: 512, bitsStored: 12)
        phantom.dataset.put([
            "PhotometricInterpretation": "MONOCHROME1", "ImageType": ["ORIGINAL", "PRIMARY"], "KVP": 110,
            "PlateID": "P01", "ImagerPixelSpacing": [0.8, 0.8], "CassetteSize": "35CMX43CM", "ViewPosition": "PA",
            "AcquisitionNumber": 1, "PatientOrientation": ["L", "F"], "WindowCenter": 1900, "WindowWidth": 3400,
        ])
        return phantom
    }

    /// Digital X-Ray Image Storage - For Presentation.
    private static func digital(_ seed: Seed) -> Phantom {
        let series = Series(visit: chest, key: "dx", number: 2, modality: "DX", description: "PA DR", bodyPart: "CHEST")
        var phantom = Phantom(
            "dx", shows: "DX for presentation: the same chest from a flat detector, 14 bits",
            sopClassUID: SOPClassUID.digitalXRay, series: series, number: 1, seed: seed)
        var numbers = seed.numbers("noise dx")
        var plane = thorax(columns: 480, rows: 512, scale: 14_000, noise: 40, from: &numbers)
        plane.change { _, _, sample in 16_383 - sample }
        phantom.setGray([plane.words(in: 0...16_383)], columns: 480, rows: 512, bitsStored: 14)
        putDetectorAttributes(of: &phantom, spacing: 0.8)
        phantom.dataset.put([
            "ViewPosition": "PA", "PatientOrientation": ["L", "F"], "ImageLaterality": "U",
            "AnatomicRegionSequence": .code(Code("43799004", "SCT", "Chest")), "PositionerType": .empty, "KVP": 120,
            "WindowCenter": 8000,
            "WindowWidth": 15_000,
        ])
        putView(Code("272479007", "SCT", "postero-anterior"), of: &phantom)
        return phantom
    }

    /// Digital Mammography X-Ray Image Storage - For Presentation.
    private static func mammogram(_ seed: Seed) -> Phantom {
        let series = Series(
            visit: breast, key: "mg", number: 1, modality: "MG", description: "L CC", bodyPart: "BREAST")
        var phantom = Phantom(
            "mg", shows: "Mammography for presentation: left breast with glandular tissue, a mass and calcifications",
            sopClassUID: SOPClassUID.mammography, series: series, number: 1, seed: seed)
        var numbers = seed.numbers("noise mg")
        let plane = mamma(columns: 432, rows: 576, from: &numbers)
        phantom.setGray([plane.words(in: 0...4095)], columns: 432, rows: 576, bitsStored: 12)
        putDetectorAttributes(of: &phantom, spacing: 0.4)
        phantom.dataset.put([
            "PositionerType": "MAMMOGRAPHIC", "PositionerPrimaryAngle": 0, "PatientOrientation": ["A", "R"],
            "ImageLaterality": "L", "OrganExposed": "BREAST", "BreastImplantPresent": "NO", "PartialView": "NO",
            "AnatomicRegionSequence": .code(Code("76752008", "SCT", "Breast")), "KVP": 28, "CompressionForce": 90,
            "BodyPartThickness": 52, "AnodeTargetMaterial": "MOLYBDENUM", "WindowCenter": 2000, "WindowWidth": 3800,
        ])
        putView(Code("399162004", "SCT", "cranio-caudal"), of: &phantom)
        return phantom
    }

    private static func putView(_ code: Code, of phantom: inout Phantom) {
        var view = code.dataset
        view.put("ViewModifierCodeSequence", .empty)
        phantom.dataset.put("ViewCodeSequence", .items([view]))
    }

    /// DX Series, DX Image, DX Detector and Acquisition Context modules. PS3.3 §C.8.11 and §C.7.6.14.
    private static func putDetectorAttributes(of phantom: inout Phantom, spacing: Double) {
        phantom.dataset.put([
            "PresentationIntentType": "FOR PRESENTATION", "ImageType": ["ORIGINAL", "PRIMARY", ""],
            "AcquisitionNumber": 1, "AcquisitionContextSequence": .empty, "PixelIntensityRelationship": "LOG",
            "PixelIntensityRelationshipSign": .signed(1), "RescaleIntercept": 0, "RescaleSlope": 1,
            "RescaleType": "US", "PresentationLUTShape": "IDENTITY", "LossyImageCompression": "00",
            "BurnedInAnnotation": "NO", "DetectorType": "DIRECT", "DetectorConfiguration": "AREA", "DetectorID": "D01",
            "ImagerPixelSpacing": .decimals([spacing, spacing]), "FieldOfViewOrigin": [0, 0],
            "FieldOfViewRotation": 0, "FieldOfViewHorizontalFlip": "NO", "DetectorActiveShape": "RECTANGLE",
        ])
    }

    /// Exposure behind a chest: 0 where nothing comes through, `scale` beside the body.
    private static func thorax(
        columns: Int, rows: Int, scale: Double, noise: Double, from numbers: inout SplitMix64
    ) -> Plane {
        let center = Double(columns) / 2
        let unit = Double(rows) / 512
        let body = Ellipse(center, 300 * unit, 230 * unit, 330 * unit)
        let lungs = [-1.0, 1].map {
            Ellipse(center + $0 * 102 * unit, 232 * unit, 76 * unit, 158 * unit, angle: $0 * -0.12)
        }
        let heart = Ellipse(center + 34 * unit, 300 * unit, 78 * unit, 96 * unit, angle: 0.5)
        return Plane(columns: columns, rows: rows) { x, y in
            var thickness = 0.0
            let depth = body.level(x, y)
            if depth < 1 { thickness += 2.2 * (1 - depth).squareRoot() }
            for lung in lungs {
                let level = lung.level(x, y)
                guard level < 1 else { continue }
                thickness -= 1.25 * (1 - level).squareRoot()
                // Ribs, bent down to the sides.
                let bend = (x - lung.x) * (x - lung.x) / (420 * unit)
                let wave = Curve.sine((y - bend) / (8.2 * unit))
                if wave > 0.55 { thickness += 0.16 }
            }
            let cardiac = heart.level(x, y)
            if cardiac < 1 { thickness += 0.9 * (1 - cardiac).squareRoot() }
            let offset = abs(x - center)
            if offset < 20 * unit { thickness += 0.45 + (Curve.sine(y / (5.5 * unit)) > 0.8 ? -0.12 : 0) }
            return scale * Curve.exponential(-max(0, thickness)) + noise * numbers.noise()
        }
    }

    private static func mamma(columns: Int, rows: Int, from numbers: inout SplitMix64) -> Plane {
        let center = Double(rows) / 2
        let outline = Ellipse(0, center, 350, 250)
        let mass = Ellipse(190, center - 50, 20, 15, angle: 0.6)
        var lobes: [Ellipse] = []
        for _ in 0..<26 {
            lobes.append(
                Ellipse(
                    70 + 200 * numbers.unit(), center - 120 + 240 * numbers.unit(), 16 + 40 * numbers.unit(),
                    6 + 14 * numbers.unit(), angle: 3 * numbers.unit()))
        }
        let grains = (0..<9).map { _ in
            Ellipse.circle(215 + 24 * numbers.unit(), center + 62 + 24 * numbers.unit(), 0.8 + numbers.unit())
        }
        return Plane(columns: columns, rows: rows) { x, y in
            let depth = outline.level(x, y)
            guard depth < 1 else { return 0 }
            var density = 900 + 500 * (1 - depth).squareRoot()
            for lobe in lobes { density += 260 * max(0, 1 - lobe.level(x, y)) }
            density += 900 * max(0, 1 - mass.level(x, y))
            if grains.contains(where: { $0.contains(x, y) }) { density = 3900 }
            return density + 25 * numbers.noise()
        }
    }
}
