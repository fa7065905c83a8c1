import DICOM

/// MR Image Storage: a head drawn with ellipses, after Shepp and Logan. PS3.3 §A.4.
enum ResonancePhantoms {
    static let sliceCount = 8
    private static let size = 192
    private static let visit = Visit(key: "mr", subject: .suWanqing, description: "头颅 MR 平扫", date: "20260107")
    private static let series = Series(
        visit: visit, key: "t2", number: 3, modality: "MR", description: "T2 轴位", bodyPart: "HEAD")

    static let recipes: [TomographyPhantoms.Recipe] = (1...sliceCount).map { number in
        { seed in slice(number, seed: seed) }
    }

    private static func slice(_ number: Int, seed: Seed) -> Phantom {
        let name = "mr-0\(number)"
        var phantom = Phantom(
            name, shows: "MR: head of ellipses with ventricles and a lesion, slice \(number) of \(sliceCount)",
            sopClassUID: SOPClassUID.mr, series: series, number: number, seed: seed)
        var numbers = seed.numbers("noise \(name)")
        let plane = head(position: Double(number - 1) / Double(sliceCount - 1), from: &numbers)
        phantom.setGray([plane.words(in: 0...4095)], columns: size, rows: size, bitsStored: 12)
        let depth = -20 + 5.5 * Double(number - 1)
        // General Image, Image Plane, Frame of Reference and MR Image modules. PS3.3 §C.7.6 and §C.8.3.
        phantom.dataset.put([
            "ImageType": ["ORIGINAL", "PRIMARY", "M_SE"], "AcquisitionDate": .text(visit.date),
            "AcquisitionTime": .text(visit.time), "AcquisitionNumber": 1, "ScanningSequence": "SE",
            "SequenceVariant": ["SK", "SP"], "ScanOptions": .empty, "MRAcquisitionType": "2D", "SequenceName": "tse2d",
            "SliceThickness": 5, "RepetitionTime": 4200, "EchoTime": 96, "NumberOfAverages": 1,
            "ImagingFrequency": 63.86, "ImagedNucleus": "1H", "EchoNumbers": 1, "MagneticFieldStrength": 1.5,
            "SpacingBetweenSlices": 5.5, "EchoTrainLength": 12, "FlipAngle": 150, "PatientPosition": "HFS",
            "FrameOfReferenceUID": .text(series.frameOfReferenceUID(seed)), "PositionReferenceIndicator": .empty,
            "ImagePositionPatient": [-119.375, -119.375, .decimal(depth)],
            "ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "SliceLocation": .decimal(depth),
            "PixelSpacing": [1.25, 1.25], "WindowCenter": 900, "WindowWidth": 1800,
            "InPlanePhaseEncodingDirection": "ROW",
        ])
        return phantom
    }

    private static func head(position: Double, from numbers: inout SplitMix64) -> Plane {
        let shrink = 1 - 0.25 * position * position
        let ventricle = 1 - position * 0.6
        func ellipse(_ x: Double, _ y: Double, _ width: Double, _ height: Double, _ angle: Double = 0) -> Ellipse {
            Ellipse(95.5 + x * shrink, 95.5 + y * shrink, width * shrink, height * shrink, angle: angle)
        }
        let shapes: [(Ellipse, Double)] = [
            (ellipse(0, 0, 68, 86), 1100), (ellipse(0, 0, 63, 81), 120), (ellipse(0, 0, 60, 78), 1700),
            (ellipse(0, 2, 56, 73), 720), (ellipse(0, 4, 44, 60), 560),
            (ellipse(-13, -4, 8 * ventricle, 26 * ventricle, -0.25), 1750),
            (ellipse(13, -4, 8 * ventricle, 26 * ventricle, 0.25), 1750), (ellipse(0, 34, 5, 8), 1500),
            (ellipse(-30, 30, 5, 4), 1300),
        ]
        return Plane(columns: size, rows: size) { x, y in
            var signal = 0.0
            for (ellipse, value) in shapes where ellipse.contains(x, y) { signal = value }
            // Magnitude of a complex signal: noise never makes it negative.
            let real = signal + 22 * numbers.noise()
            let imaginary = 22 * numbers.noise()
            return (real * real + imaginary * imaginary).squareRoot()
        }
    }
}
