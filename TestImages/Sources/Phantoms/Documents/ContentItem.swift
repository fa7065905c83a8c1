import DICOM

/// The content items of structured reports. PS3.3 §C.17.3.
enum ContentItem {
    static func text(_ concept: Code, _ text: String) -> Dataset {
        item("CONTAINS", "TEXT", concept, ["TextValue": .text(text)])
    }

    static func code(_ relationship: String, _ concept: Code, _ value: Code, _ children: [Dataset] = []) -> Dataset {
        item(relationship, "CODE", concept, ["ConceptCodeSequence": .code(value)], children)
    }

    static func personName(_ relationship: String, _ concept: Code, _ name: String) -> Dataset {
        item(relationship, "PNAME", concept, ["PersonName": .text(name)])
    }

    static func uid(_ relationship: String, _ concept: Code, _ uid: String) -> Dataset {
        item(relationship, "UIDREF", concept, ["UID": .text(uid)])
    }

    static func number(_ concept: Code, _ value: Double, unit: Code, _ children: [Dataset] = []) -> Dataset {
        item(
            "CONTAINS", "NUM", concept,
            [
                "MeasuredValueSequence": .item([
                    "NumericValue": .decimal(value), "MeasurementUnitsCodeSequence": .code(unit),
                ])
            ], children)
    }

    static func container(_ concept: Code, _ children: [Dataset]) -> Dataset {
        item("CONTAINS", "CONTAINER", concept, ["ContinuityOfContent": "SEPARATE"], children)
    }

    static func image(_ relationship: String, _ reference: Dataset) -> Dataset {
        item(relationship, "IMAGE", nil, ["ReferencedSOPSequence": .items([reference])])
    }

    /// A graphic in an image's pixels: column and row of each point.
    static func graphic(_ type: String, _ points: [Double], on reference: Dataset) -> Dataset {
        item(
            "INFERRED FROM", "SCOORD", nil, ["GraphicType": .text(type), "GraphicData": .decimals(points)],
            [image("SELECTED FROM", reference)])
    }

    private static func item(
        _ relationship: String, _ valueType: String, _ concept: Code?,
        _ attributes: KeyValuePairs<String, AttributeValue>, _ children: [Dataset] = []
    ) -> Dataset {
        var item = Dataset(attributes)
        item.put(["RelationshipType": .text(relationship), "ValueType": .text(valueType)])
        if let concept { item.put("ConceptNameCodeSequence", .code(concept)) }
        if !children.isEmpty { item.put("ContentSequence", .items(children)) }
        return item
    }
}

/// References from one phantom to another, which need only its name.
enum Reference {
    static func instance(_ name: String, _ sopClassUID: String, seed: Seed) -> Dataset {
        Dataset([
            "ReferencedSOPClassUID": .text(sopClassUID),
            "ReferencedSOPInstanceUID": .text(seed.uid("instance \(name)")),
        ])
    }

    static func ctSlice(_ number: Int, seed: Seed) -> Dataset {
        instance(TomographyPhantoms.name(number), SOPClassUID.ct, seed: seed)
    }

    /// A study's series with some of its instances: Hierarchical SOP Instance Reference macro. PS3.3 §C.17.2.1.
    static func evidence(_ series: Series, _ instances: [Dataset], seed: Seed) -> AttributeValue {
        .item([
            "StudyInstanceUID": .text(series.studyUID(seed)),
            "ReferencedSeriesSequence": .item([
                "SeriesInstanceUID": .text(series.uid(seed)), "ReferencedSOPSequence": .items(instances),
            ]),
        ])
    }
}
