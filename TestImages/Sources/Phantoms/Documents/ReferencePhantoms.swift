import DICOM

/// Objects that say something of the CT series: a key object selection and a presentation state.
/// PS3.3 §A.35.4 and §A.33.1.
enum ReferencePhantoms {
    static let recipes: [TomographyPhantoms.Recipe] = [keyObjects, presentationState]

    private static func keyObjects(_ seed: Seed) -> Phantom {
        let series = Series(
            visit: TomographyPhantoms.series.visit, key: "ko", number: 30, modality: "KO", description: "重点图像")
        var phantom = Phantom(
            "key-objects", shows: "Key object selection: CT slices 1, 6 and 12 are of interest",
            sopClassUID: SOPClassUID.keyObjectSelection, series: series, number: 1, seed: seed)
        let slices = [1, 6, 12].map { Reference.ctSlice($0, seed: seed) }
        phantom.dataset.put([
            "ReferencedPerformedProcedureStepSequence": .empty,
            "CurrentRequestedProcedureEvidenceSequence": Reference.evidence(
                TomographyPhantoms.series, slices, seed: seed),
            "ValueType": "CONTAINER", "ConceptNameCodeSequence": .code(Code("113000", "DCM", "Of Interest")),
            "ContinuityOfContent": "SEPARATE",
            "ContentTemplateSequence": .item(["MappingResource": "DCMR", "TemplateIdentifier": "2010"]),
            "ContentSequence": .items(
                [ContentItem.text(Code("113012", "DCM", "Key Object Description"), "请重点看这三层")]
                    + slices.map { ContentItem.image("CONTAINS", $0) }),
        ])
        return phantom
    }

    private static func presentationState(_ seed: Seed) -> Phantom {
        let series = Series(
            visit: TomographyPhantoms.series.visit, key: "pr", number: 31, modality: "PR", description: "显示状态")
        var phantom = Phantom(
            "presentation-state", shows: "Grayscale presentation state: bone window, a circle and a text on CT slice 6",
            sopClassUID: SOPClassUID.grayscalePresentationState, series: series, number: 1, seed: seed)
        let image = Reference.ctSlice(6, seed: seed)
        phantom.removeContentDate()
        phantom.dataset.put([
            "Laterality": .empty,
            "PresentationCreationDate": .text(series.visit.date), "PresentationCreationTime": .text(series.visit.time),
            "ContentLabel": "BONE", "ContentDescription": "骨窗", "ContentCreatorName": "Shen^Moyan=沈^墨言",
            "ReferencedSeriesSequence": .item([
                "SeriesInstanceUID": .text(TomographyPhantoms.series.uid(seed)),
                "ReferencedImageSequence": .items([image]),
            ]),
            "GraphicLayerSequence": .item(["GraphicLayer": "NOTES", "GraphicLayerOrder": 1]),
            "GraphicAnnotationSequence": .items([annotation(on: image)]),
            "DisplayedAreaSelectionSequence": .item([
                "DisplayedAreaTopLeftHandCorner": [1, 1],
                "DisplayedAreaBottomRightHandCorner": [256, 256],
                "PresentationSizeMode": "SCALE TO FIT", "PresentationPixelSpacing": [1.25, 1.25],
            ]),
            "SoftcopyVOILUTSequence": .item(["WindowCenter": 300, "WindowWidth": 1500]), "RescaleIntercept": -1024,
            "RescaleSlope": 1, "RescaleType": "HU", "PresentationLUTShape": "IDENTITY",
        ])
        return phantom
    }

    /// Graphic Annotation module. PS3.3 §C.10.5.
    private static func annotation(on image: Dataset) -> Dataset {
        Dataset([
            "ReferencedImageSequence": .items([image]), "GraphicLayer": "NOTES",
            "GraphicObjectSequence": .item([
                "GraphicAnnotationUnits": "PIXEL", "GraphicDimensions": 2, "NumberOfGraphicPoints": 2,
                "GraphicData": [127.5, 66, 142.5, 66], "GraphicType": "CIRCLE", "GraphicFilled": "N",
            ]),
            "TextObjectSequence": .item([
                "AnchorPointAnnotationUnits": "PIXEL", "AnchorPoint": [142.5, 66], "AnchorPointVisibility": "Y",
                "UnformattedTextValue": "骨 bone",
            ]),
        ])
    }
}
