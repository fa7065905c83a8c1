import DICOM

/// RT Structure Set Storage: two inserts of the CT series outlined. PS3.3 §A.19.
enum StructureSetPhantoms {
    static let recipes: [TomographyPhantoms.Recipe] = [structureSet]

    private static let slices = 1...TomographyPhantoms.sliceCount

    private static func structureSet(_ seed: Seed) -> Phantom {
        let series = Series(
            visit: TomographyPhantoms.series.visit, key: "rs", number: 40, modality: "RTSTRUCT", description: "勾画")
        var phantom = Phantom(
            "structure-set", shows: "RT structure set: the cylinder and the bone insert outlined on all CT slices",
            sopClassUID: SOPClassUID.structureSet, series: series, number: 1, seed: seed)
        let frameOfReference = AttributeValue.text(series.frameOfReferenceUID(seed))
        phantom.removeContentDate()
        phantom.dataset.put([
            "OperatorsName": "Shen^Moyan=沈^墨言", "StructureSetLabel": "PHANTOM", "StructureSetName": "水模",
            "StructureSetDate": .text(series.visit.date), "StructureSetTime": .text(series.visit.time),
            "FrameOfReferenceUID": frameOfReference, "PositionReferenceIndicator": .empty,
            "ApprovalStatus": "UNAPPROVED",
            "ReferencedFrameOfReferenceSequence": .item([
                "FrameOfReferenceUID": frameOfReference,
                "RTReferencedStudySequence": .item([
                    "ReferencedSOPClassUID": "1.2.840.10008.3.1.2.3.1",
                    "ReferencedSOPInstanceUID": .text(series.studyUID(seed)),
                    "RTReferencedSeriesSequence": .item([
                        "SeriesInstanceUID": .text(TomographyPhantoms.series.uid(seed)),
                        "ContourImageSequence": .items(slices.map { Reference.ctSlice($0, seed: seed) }),
                    ]),
                ]),
            ]),
            "StructureSetROISequence": .items([
                region(1, "BODY", frameOfReference), region(2, "骨 BONE", frameOfReference),
            ]),
            "ROIContourSequence": .items([
                contours(of: 1, color: [0, 255, 0], center: (127.5, 118), radius: 92, seed: seed),
                contours(of: 2, color: [255, 0, 0], center: (127.5, 66), radius: 13, seed: seed),
            ]),
            "RTROIObservationsSequence": .items([observation(1, "EXTERNAL"), observation(2, "ORGAN")]),
        ])
        return phantom
    }

    private static func region(_ number: Int, _ name: String, _ frameOfReference: AttributeValue) -> Dataset {
        Dataset([
            "ROINumber": .number(number), "ReferencedFrameOfReferenceUID": frameOfReference, "ROIName": .text(name),
            "ROIGenerationAlgorithm": "AUTOMATIC",
        ])
    }

    private static func observation(_ number: Int, _ kind: String) -> Dataset {
        Dataset([
            "ObservationNumber": .number(number), "ReferencedROINumber": .number(number),
            "RTROIInterpretedType": .text(kind), "ROIInterpreter": .empty,
        ])
    }

    /// A circle of 24 points on each slice, in millimetres of the patient's system. PS3.3 §C.8.8.6.
    private static func contours(
        of number: Int, color: [Int], center: (x: Double, y: Double), radius: Double, seed: Seed
    ) -> Dataset {
        let spacing = 1.25
        func millimetres(_ pixel: Double) -> Double { -160 + spacing / 2 + spacing * pixel }
        let items = slices.map { slice in
            let points = (0..<24).flatMap { index in
                let angle = 2 * Double.pi * Double(index) / 24
                return [
                    millimetres(center.x + radius * Curve.cosine(angle)),
                    millimetres(center.y + radius * Curve.sine(angle)), 2.5 * Double(slice - 1),
                ]
            }
            return Dataset([
                "ContourImageSequence": .items([Reference.ctSlice(slice, seed: seed)]),
                "ContourGeometricType": "CLOSED_PLANAR", "NumberOfContourPoints": 24,
                "ContourData": .decimals(points.map { ($0 * 100).rounded() / 100 }),
            ])
        }
        return Dataset([
            "ROIDisplayColor": .numbers(color), "ReferencedROINumber": .number(number),
            "ContourSequence": .items(items),
        ])
    }
}
