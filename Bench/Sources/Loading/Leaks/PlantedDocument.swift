import DICOM

/// Objects without pictures that name their patient.
enum PlantedDocument {
    private static func code(_ value: String, _ meaning: String) -> Dataset {
        PlantedObject.item([0x0008_0100: value, 0x0008_0102: "DCM", 0x0008_0104: meaning])
    }

    /// A content item. PS3.3 §C.17.3.
    private static func content(_ type: String, _ name: Dataset, _ values: [UInt32: String]) -> Dataset {
        var result = PlantedObject.item(values)
        result.set(Tag(0x0040_A010), .CS, string: "CONTAINS")
        result.set(Tag(0x0040_A040), .CS, string: type)
        result.set(Tag(0x0040_A043), items: [name])
        return result
    }

    static func report(_ planter: inout Planter) -> [UInt8] {
        var object = PlantedObject("1.2.840.10008.5.1.4.1.1.88.33", "SR", number: 5)
        object[0x0040_A040] = "CONTAINER"
        object[0x0040_A050] = "SEPARATE"
        object[0x0040_A491] = "COMPLETE"
        object[0x0040_A493] = "UNVERIFIED"
        object.items(0x0040_A043, code("121060", "History"))
        object.items(
            0x0040_A730,
            content(
                "TEXT", code("121071", "Finding"),
                [0x0040_A160: object.name(in: "the patient's name in Text Value of a report", &planter)]),
            content("PNAME", code("121008", "Person Observer Name"), [0x0040_A123: planter.name("PNAME of a report")]),
            content("DATE", code("121031", "Subject Birth Date"), [0x0040_A121: planter.date("DATE of a report")]),
            content(
                "UIDREF", code("121018", "Procedure Study Instance UID"),
                [0x0040_A124: planter.uid("UIDREF of a report")]),
            content(
                "TEXT",
                PlantedObject.item([
                    0x0008_0100: "1", 0x0008_0102: "99X",
                    0x0008_0104: object.name(in: "the patient's name in Code Meaning", &planter),
                ]), [0x0040_A160: "none"]))
        object.items(
            0x0040_A073, PlantedObject.item([0x0040_A075: planter.name("Verifying Observer Name")]))
        return object.file()
    }

    static func pdf(_ planter: inout Planter) -> [UInt8] {
        var object = PlantedObject("1.2.840.10008.5.1.4.1.1.104.1", "DOC", number: 6)
        object[0x0042_0010] = object.name(in: "the patient's name in Document Title", &planter)
        object[0x0042_0012] = "application/pdf"
        object[0x0028_0301] = "YES"
        object.bytes(0x0042_0011, .OB, "%PDF-1.4\n% \(planter.word("Encapsulated Document"))\n%%EOF\n")
        return object.file()
    }

    static func waveform(_ planter: inout Planter) -> [UInt8] {
        var object = PlantedObject("1.2.840.10008.5.1.4.1.1.9.1.1", "ECG", number: 7)
        var channel = Dataset()
        channel.set(Tag(0x003A_0203), .SH, string: object.name(in: "the patient's name in Channel Label", &planter))
        channel.set(Tag(0x003A_0208), items: [code("5.6.3-9-1", "Lead I")])
        channel.set(Tag(0x003A_021A), .US, ints: [16])
        var group = Dataset()
        group.set(Tag(0x003A_0004), .CS, string: "ORIGINAL")
        group.set(Tag(0x003A_0005), .US, ints: [1])
        group.set(Tag(0x003A_0010), .UL, ints: [8])
        group.set(Tag(0x003A_001A), .DS, string: "500")
        group.set(
            Tag(0x003A_0020), .SH, string: object.name(in: "the patient's name in Multiplex Group Label", &planter))
        group.set(Tag(0x003A_0200), items: [channel])
        group.set(Tag(0x5400_1004), .US, ints: [16])
        group.set(Tag(0x5400_1006), .CS, string: "SS")
        let samples = (0..<16).map { UInt8($0) }
        group.set(Tag(0x5400_1010), .OW, bytes: samples + Array(planter.word("behind the samples").utf8))
        object.dataset.set(Tag(0x5400_0100), items: [group])
        object.items(
            0x0040_B020,
            PlantedObject.item([
                0x0070_0006: object.name(in: "the patient's name in an annotation of a waveform", &planter)
            ]))
        return object.file()
    }

    static func presentation(_ planter: inout Planter) -> [UInt8] {
        var object = PlantedObject("1.2.840.10008.5.1.4.1.1.11.1", "PR", number: 8)
        object[0x0070_0080] = object.name(in: "the patient's name in Content Label", &planter)
        object[0x0070_0081] = object.name(in: "the patient's name in Content Description", &planter)
        object[0x0070_0084] = planter.name("Content Creator's Name")
        var annotation = PlantedObject.item([0x0070_0002: "LAYER"])
        annotation.set(
            Tag(0x0070_0008),
            items: [
                PlantedObject.item([
                    0x0070_0006: object.name(in: "the patient's name in Unformatted Text Value", &planter)
                ])
            ])
        object.dataset.set(Tag(0x0070_0001), items: [annotation])
        object.items(
            0x0070_0060,
            PlantedObject.item([
                0x0070_0002: "LAYER",
                0x0070_0068: object.name(in: "the patient's name in Graphic Layer Description", &planter),
            ]))
        return object.file()
    }
}
