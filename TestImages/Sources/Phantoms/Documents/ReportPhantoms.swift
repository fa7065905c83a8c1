import DICOM

/// Basic Text SR and Comprehensive SR. PS3.3 §A.35.1 and §A.35.3.
enum ReportPhantoms {
    static let recipes: [TomographyPhantoms.Recipe] = [basicText, comprehensive]

    private static let millimetre = Code("mm", "UCUM", "mm")
    private static let hounsfield = Code("[hnsf'U]", "UCUM", "Hounsfield unit")

    private static func series(_ key: String, _ number: Int, _ description: String) -> Series {
        Series(
            visit: TomographyPhantoms.series.visit, key: key, number: number, modality: "SR", description: description)
    }

    private static func basicText(_ seed: Seed) -> Phantom {
        var phantom = Phantom(
            "sr-basic-text", shows: "Basic text report in Chinese on the CT series",
            sopClassUID: SOPClassUID.basicTextSR, series: series("sr", 20, "诊断报告"), number: 1, seed: seed)
        let reader = "Shen^Moyan=沈^墨言"
        let content = [
            ContentItem.code(
                "HAS CONCEPT MOD", Code("121049", "DCM", "Language of Content Item and Descendants"),
                Code("zh-CN", "RFC5646", "Chinese (China)")),
            ContentItem.personName("HAS OBS CONTEXT", Code("121008", "DCM", "Person Observer Name"), reader),
            ContentItem.container(
                Code("121070", "DCM", "Findings"),
                [
                    ContentItem.text(Code("121071", "DCM", "Finding"), "水模圆柱均匀，插件密度符合预期。\r\n锥形插件随层面渐大。"),
                    ContentItem.image("CONTAINS", Reference.ctSlice(6, seed: seed)),
                ]),
            ContentItem.container(
                Code("121072", "DCM", "Impressions"),
                [ContentItem.text(Code("121073", "DCM", "Impression"), "未见异常。测试数据，并非真人。")]),
        ]
        putDocument(
            title: Code("18748-4", "LN", "Diagnostic Imaging Report"), content, template: "2000", on: [6],
            of: &phantom, seed: seed)
        phantom.dataset.put([
            "VerificationFlag": "VERIFIED",
            "VerifyingObserverSequence": .item([
                "VerifyingOrganization": "Phantom Hospital", "VerificationDateTime": "20260105103000",
                "VerifyingObserverName": .text(reader), "VerifyingObserverIdentificationCodeSequence": .empty,
            ]),
        ])
        return phantom
    }

    private static func comprehensive(_ seed: Seed) -> Phantom {
        var phantom = Phantom(
            "sr-comprehensive", shows: "Comprehensive SR: measurements of two inserts with graphics on CT slices",
            sopClassUID: SOPClassUID.comprehensiveSR, series: series("sr-measurements", 21, "测量 measurements"),
            number: 1, seed: seed)
        let bone = Reference.ctSlice(6, seed: seed)
        let fat = Reference.ctSlice(7, seed: seed)
        let groups = [
            group("Bone insert", on: bone, center: (127.5, 66), diameter: 32.5, density: 900, seed: seed),
            group("Fat insert", on: fat, center: (172, 92), diameter: 32.5, density: -100, seed: seed),
        ]
        let content = [
            ContentItem.code(
                "HAS CONCEPT MOD", Code("121049", "DCM", "Language of Content Item and Descendants"),
                Code("en", "RFC5646", "English")),
            ContentItem.personName(
                "HAS OBS CONTEXT", Code("121008", "DCM", "Person Observer Name"), "Shen^Moyan=沈^墨言"),
            ContentItem.code(
                "HAS CONCEPT MOD", Code("121058", "DCM", "Procedure reported"), Code("77477000", "SCT", "CT")),
            ContentItem.container(
                Code("111028", "DCM", "Image Library"),
                [ContentItem.image("CONTAINS", bone), ContentItem.image("CONTAINS", fat)]),
            ContentItem.container(Code("126010", "DCM", "Imaging Measurements"), groups),
        ]
        putDocument(
            title: Code("126000", "DCM", "Imaging Measurement Report"), content, template: "1500", on: [6, 7],
            of: &phantom, seed: seed)
        return phantom
    }

    /// A planar measurement group, after TID 1410 of PS3.16.
    private static func group(
        _ name: String, on reference: Dataset, center: (x: Double, y: Double), diameter: Double, density: Double,
        seed: Seed
    ) -> Dataset {
        let radius = 13.0
        let circle = ContentItem.graphic(
            "CIRCLE", [center.x, center.y, center.x + radius, center.y], on: reference)
        let line = ContentItem.graphic(
            "POLYLINE", [center.x - radius, center.y, center.x + radius, center.y], on: reference)
        var tracking = ContentItem.text(Code("112039", "DCM", "Tracking Identifier"), name)
        tracking.put("RelationshipType", "HAS OBS CONTEXT")
        return ContentItem.container(
            Code("125007", "DCM", "Measurement Group"),
            [
                tracking,
                ContentItem.uid(
                    "HAS OBS CONTEXT", Code("112040", "DCM", "Tracking Unique Identifier"), seed.uid("tracking \(name)")
                ),
                ContentItem.code("CONTAINS", Code("121071", "DCM", "Finding"), Code("4147007", "SCT", "Mass")),
                ContentItem.number(Code("81827009", "SCT", "Diameter"), diameter, unit: millimetre, [line]),
                ContentItem.number(
                    Code("112031", "DCM", "Attenuation Coefficient"), density, unit: hounsfield, [circle]),
            ])
    }

    /// SR Document Series, SR Document General and SR Document Content modules. PS3.3 §C.17.
    private static func putDocument(
        title: Code, _ content: [Dataset], template: String, on slices: [Int], of phantom: inout Phantom, seed: Seed
    ) {
        phantom.dataset.put([
            "ReferencedPerformedProcedureStepSequence": .empty, "PerformedProcedureCodeSequence": .empty,
            "CompletionFlag": "COMPLETE", "VerificationFlag": "UNVERIFIED", "PreliminaryFlag": "FINAL",
            "CurrentRequestedProcedureEvidenceSequence": Reference.evidence(
                TomographyPhantoms.series, slices.map { Reference.ctSlice($0, seed: seed) }, seed: seed),
            "ReferencedRequestSequence": .item([
                "StudyInstanceUID": .text(TomographyPhantoms.series.studyUID(seed)),
                "ReferencedStudySequence": .empty, "AccessionNumber": .text("A26010501"),
                "PlacerOrderNumberImagingServiceRequest": .empty, "FillerOrderNumberImagingServiceRequest": .empty,
                "RequestedProcedureID": "RP1", "RequestedProcedureDescription": "CT phantom",
                "RequestedProcedureCodeSequence": .empty,
            ]),
            "ValueType": "CONTAINER", "ConceptNameCodeSequence": .code(title), "ContinuityOfContent": "SEPARATE",
            "ContentTemplateSequence": .item(["MappingResource": "DCMR", "TemplateIdentifier": .text(template)]),
            "ContentSequence": .items(content),
        ])
    }
}
