import DICOM

/// VL Photographic Image Storage: a tongue and a face as inspection in Chinese medicine looks at them, both drawn.
/// PS3.3 §A.32.4.
enum PhotographPhantoms {
    private static let visit = Visit(key: "inspection", subject: .luTingzhou, description: "望诊", date: "20260115")

    static let recipes: [TomographyPhantoms.Recipe] = [tongue, face]

    private static func tongue(_ seed: Seed) -> Phantom {
        let series = Series(visit: visit, key: "tongue", number: 1, modality: "XC", description: "舌象 tongue")
        var phantom = Phantom(
            "vl-tongue", shows: "VL photograph, drawn: a tongue with a thin coating, cracks and tooth marks",
            sopClassUID: SOPClassUID.photograph, series: series, number: 1, seed: seed)
        phantom.setColor([drawTongue(seed).interleaved()], columns: 400, rows: 320)
        putCameraAttributes(of: &phantom, region: Code("21974007", "SCT", "Tongue"))
        return phantom
    }

    private static func face(_ seed: Seed) -> Phantom {
        let series = Series(visit: visit, key: "face", number: 2, modality: "XC", description: "面象 face")
        var phantom = Phantom(
            "vl-face", shows: "VL photograph, drawn: an oval face with eyes, brows, nose and mouth",
            sopClassUID: SOPClassUID.photograph, series: series, number: 1, seed: seed)
        phantom.setColor([drawFace(seed).interleaved()], columns: 320, rows: 400)
        putCameraAttributes(of: &phantom, region: Code("89545001", "SCT", "Face"))
        phantom.dataset.put("Laterality", .empty)
        return phantom
    }

    /// General Image, VL Image and Acquisition Context modules. PS3.3 §C.8.12.1.
    private static func putCameraAttributes(of phantom: inout Phantom, region: Code) {
        phantom.dataset.put([
            "ImageType": ["ORIGINAL", "PRIMARY"], "PatientOrientation": .empty, "LossyImageCompression": "00",
            "BurnedInAnnotation": "NO", "AcquisitionContextSequence": .empty,
            "AnatomicRegionSequence": .code(region), "AcquisitionDateTime": .text(visit.date + visit.time),
            "ICCProfile": .bytes(ColorProfile.standardRGB), "ColorSpace": "SRGB",
        ])
    }

    private static func drawTongue(_ seed: Seed) -> ColorPlane {
        var numbers = seed.numbers("vl-tongue")
        let body = Ellipse(200, 150, 92, 128)
        let coating = Ellipse(200, 112, 62, 88)
        let mouth = Ellipse(200, 100, 132, 84)
        let papillae = (0..<90).map { _ in
            Ellipse.circle(125 + 150 * numbers.unit(), 180 + 95 * numbers.unit(), 1.5 + numbers.unit())
        }
        return ColorPlane(columns: 400, rows: 320) { x, y in
            let grain = 1 + 0.02 * numbers.noise()
            // Tooth marks ripple the edge.
            let level = body.level(x, y) + 0.035 * Curve.sine(y / 7)
            guard level < 1 else {
                if mouth.level(x, y) < 1 { return Color(70, 22, 26).lit(by: grain) }
                if mouth.level(x, y) < 1.35 { return Color(182, 96, 92).lit(by: grain) }
                return Color(222, 178, 150).lit(by: grain)
            }
            var color = Color(205, 96, 100)
            let coat = Curve.exponential(-1.6 * coating.level(x, y))
            color = color.mixed(with: Color(226, 212, 182), 0.85 * coat)
            if papillae.contains(where: { $0.contains(x, y) }) { color = Color(190, 50, 58) }
            let crack = 200 + 5 * Curve.sine(y / 11)
            if abs(x - crack) < 1.4, y > 60, y < 215 { color = color.lit(by: 0.62) }
            return color.lit(by: (1.06 - 0.3 * level) * grain)
        }
    }

    private static func drawFace(_ seed: Seed) -> ColorPlane {
        var numbers = seed.numbers("vl-face")
        let skin = Ellipse(160, 210, 108, 148)
        let hair = Ellipse(160, 168, 124, 142)
        let eyes = [112.0, 208.0].map { Ellipse($0, 192, 22, 9) }
        let irises = [112.0, 208.0].map { Ellipse.circle($0, 192, 8) }
        let brows = [112.0, 208.0].map { Ellipse($0, 166, 28, 5) }
        let cheeks = [92.0, 228.0].map { Ellipse($0, 250, 30, 24) }
        let nose = Ellipse(160, 238, 15, 32)
        let mouth = Ellipse(160, 300, 38, 11)
        return ColorPlane(columns: 320, rows: 400) { x, y in
            let grain = 1 + 0.015 * numbers.noise()
            let level = skin.level(x, y)
            guard level < 1, y > 96 else {
                if hair.contains(x, y), y < 290 { return Color(38, 30, 28).lit(by: grain) }
                return Color(168, 188, 198).lit(by: grain)
            }
            var color = Color(230, 190, 158)
            for cheek in cheeks {
                color = color.mixed(with: Color(224, 140, 124), 0.5 * Curve.exponential(-cheek.level(x, y)))
            }
            if nose.contains(x, y) { color = color.lit(by: 0.92 + 0.1 * (nose.level(x, y))) }
            if brows.contains(where: { $0.contains(x, y) }) { color = Color(52, 40, 36) }
            if eyes.contains(where: { $0.contains(x, y) }) { color = Color(244, 242, 238) }
            if irises.contains(where: { $0.contains(x, y) }) { color = Color(48, 34, 28) }
            if mouth.contains(x, y) { color = Color(186, 82, 84) }
            return color.lit(by: (1.04 - 0.18 * level) * grain)
        }
    }
}
