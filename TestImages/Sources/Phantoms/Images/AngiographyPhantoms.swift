import DICOM

/// X-Ray Angiographic Image Storage: contrast running down a branching vessel. PS3.3 §A.14.
enum AngiographyPhantoms {
    private static let size = 256
    private static let frameCount = 20
    private static let visit = Visit(key: "xa", subject: .heShubai, description: "冠状动脉造影", date: "20260113")
    private static let series = Series(
        visit: visit, key: "cine", number: 1, modality: "XA", description: "LAO 30 cine", bodyPart: "HEART")

    static let recipes: [TomographyPhantoms.Recipe] = [cine]

    private static func cine(_ seed: Seed) -> Phantom {
        var phantom = Phantom(
            "xa-cine", shows: "X-ray angiography: contrast fills a branching vessel with a stenosis, 20 frames",
            sopClassUID: SOPClassUID.angiography, series: series, number: 1, seed: seed)
        phantom.setGray(
            (0..<frameCount).map { frame($0, seed: seed).bytes() }, columns: size, rows: size, bitsStored: 8)
        // XA/XRF Image, X-Ray Acquisition and XA Positioner modules. PS3.3 §C.8.7.
        phantom.dataset.put([
            "ImageType": ["ORIGINAL", "PRIMARY", "SINGLE PLANE"], "NumberOfFrames": .number(frameCount),
            "FrameIncrementPointer": "FrameTime", "FrameTime": 66.67, "CineRate": 15,
            "PixelIntensityRelationship": "LIN", "KVP": 74, "ExposureTime": 8, "XRayTubeCurrent": 620, "Exposure": 5,
            "RadiationSetting": "GR", "IntensifierSize": 170, "DistanceSourceToDetector": 1050,
            "DistanceSourceToPatient": 780, "ImagerPixelSpacing": [0.66, 0.66], "PositionerMotion": "STATIC",
            "PositionerPrimaryAngle": 30, "PositionerSecondaryAngle": 0, "AcquisitionNumber": 1,
            "PatientOrientation": .empty, "LossyImageCompression": "00", "CalibrationImage": "NO",
            "WindowCenter": 128, "WindowWidth": 256, "RecommendedDisplayFrameRate": 15,
        ])
        return phantom
    }

    private static func frame(_ index: Int, seed: Seed) -> Plane {
        var numbers = seed.numbers("xa-cine \(index)")
        let front = 30 + 16 * Double(index)
        let sway = 4 * Curve.sine(2 * .pi * Double(index) / 10)
        return Plane(columns: size, rows: size) { x, y in
            var brightness = 190 - 30 * Curve.bell(x, center: 128, width: 60)
            let main = 108 + 26 * Curve.sine(y / 52) + sway
            var width = 7 - y / 60
            // The stenosis.
            width *= 1 - 0.6 * Curve.bell(y, center: 92, width: 7)
            let branch = main + (y - 120) * 0.8
            let filled = Curve.step(front, edge: y, width: 24)
            let inMain = abs(x - main) < width
            let inBranch = y > 120 && abs(x - branch) < 3.2
            if inMain || inBranch { brightness -= 110 * filled }
            return brightness + 5 * numbers.noise()
        }
    }
}
