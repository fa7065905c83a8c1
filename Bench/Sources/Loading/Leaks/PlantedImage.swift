import DICOM
import Foundation

/// Pictures that name their patient.
enum PlantedImage {
    private static let ct = "1.2.840.10008.5.1.4.1.1.2"
    private static let secondaryCapture = "1.2.840.10008.5.1.4.1.1.7"
    /// Of 16 × 16 samples, as a baseline JPEG and as JPEG 2000.
    private static let jpegStream = """
        /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxOUlNSMj5aYVpQ\
        YEpRUk//wAALCAAQABABAREA/8QAFAABAAAAAAAAAAAAAAAAAAAABv/EABcQAAMBAAAAAAAAAAAAAAAAAAABBTH/2gAIAQEAAD8ANz1gnnrA1PWC\
        iesP/9k=
        """
    private static let jpeg2000Stream = """
        /0//UQApAAAAAAAQAAAAEAAAAAAAAAAAAAAAEAAAABAAAAAAAAAAAAABBwEB/1IADAAAAAEABAQEAAH/XAAQQEBISFBISFBISFBISFD/ZAAlAAFD\
        cmVhdGVkIGJ5IE9wZW5KUEVHIHZlcnNpb24gMi41LjT/kAAKAAAAAAA7AAH/k8fUAgjH2gUB8IIEXwPD6gOAdCANAhELO8HzhYAiACIaCF1/A3/A\
        +QIANqGZz//Z
        """

    /// Uncompressed, with all that has no stream of its own.
    static func plain(_ planter: inout Planter) -> [UInt8] {
        var object = PlantedObject(ct, "CT", number: 1)
        object.preamble.replaceSubrange(8..<16, with: Array(planter.word("preamble").utf8))
        envelope(&object, &planter)
        identity(&object, &planter)
        circumstances(&object, &planter)
        nested(&object, &planter)
        unknown(&object, &planter)
        graphics(&object, &planter)
        object[0x0008_0008] = "ORIGINAL\\PRIMARY\\AXIAL"
        object[0x0008_0018] = planter.uid("SOP Instance UID")
        object[0x0020_000E] = planter.uid("Series Instance UID")
        object[0x0020_0052] = planter.uid("Frame of Reference UID")
        object.bytes(0x0018_0050, .DS, "1.0\0\(planter.word("behind a value's end"))")
        object.pixels(side: 16, bits: 16, stored: 12)
        // A byte in the four highest bits of every two words; what the picture itself does not use.
        let hidden = Array(planter.word("unused bits of pixels").utf8).flatMap { [$0 >> 4, $0 & 15] }
        let pixels = (0..<256).flatMap { [UInt8($0), $0 < hidden.count ? hidden[$0] << 4 : 0] }
        object.dataset.set(Tag(0x7FE0_0010), .OW, bytes: pixels + Array(planter.word("behind the pixels").utf8))
        object.bytes(0xFFFC_FFFC, .OB, planter.word("Data Set Trailing Padding"))
        return object.file()
    }

    private static func envelope(_ object: inout PlantedObject, _ planter: inout Planter) {
        for (tag, vr, name) in [
            (0x0002_0013, VR.SH, "Implementation Version Name"), (0x0002_0016, .AE, "Source AE Title"),
            (0x0002_0017, .AE, "Sending AE Title"), (0x0002_0018, .AE, "Receiving AE Title"),
        ] as [(UInt32, VR, String)] { object.meta.set(Tag(tag), vr, string: planter.word(name)) }
        object.meta.set(Tag(0x0002_0100), .UI, string: planter.uid("Private Information Creator UID"))
        object.meta.set(Tag(0x0002_0102), .OB, bytes: Array(planter.word("Private Information").utf8))
    }

    private static func identity(_ object: inout PlantedObject, _ planter: inout Planter) {
        object[0x0010_0010] = planter.name("Patient's Name")
        object[0x0010_0020] = planter.word("Patient ID")
        object[0x0010_0030] = planter.date("Patient's Birth Date")
        for (tag, name) in [
            (0x0010_0021, "Issuer of Patient ID"), (0x0010_1040, "Patient's Address"),
            (0x0010_2154, "Patient's Telephone Numbers"), (0x0010_1090, "Medical Record Locator"),
            (0x0008_0050, "Accession Number"), (0x0020_0010, "Study ID"),
            (0x0038_0010, "Admission ID"), (0x0040_0253, "Performed Procedure Step ID"),
        ] as [(UInt32, String)] { object[tag] = planter.word(name) }
        object[0x0010_1060] = planter.name("Patient's Mother's Birth Name")
        object[0x0010_2297] = planter.name("Responsible Person")
        object.items(0x0010_1002, PlantedObject.item([0x0010_0020: planter.word("Other Patient IDs Sequence")]))
    }

    private static func circumstances(_ object: inout PlantedObject, _ planter: inout Planter) {
        for (tag, name) in [
            (0x0008_0090, "Referring Physician's Name"), (0x0008_1050, "Performing Physician's Name"),
            (0x0008_1070, "Operators' Name"), (0x0032_1032, "Requesting Physician"),
        ] as [(UInt32, String)] { object[tag] = planter.name(name) }
        for (tag, name) in [
            (0x0008_0080, "Institution Name"), (0x0008_0081, "Institution Address"), (0x0008_1010, "Station Name"),
            (0x0018_1000, "Device Serial Number"), (0x0018_4000, "Acquisition Comments"),
            (0x0040_2400, "Imaging Service Request Comments"),
        ] as [(UInt32, String)] { object[tag] = planter.word(name) }
        object[0x0008_1030] = "CHEST " + object.name(in: "the patient's name in Study Description", &planter)
        object[0x0008_103E] = "AXIAL 1.0 " + planter.name("somebody's name in Series Description")
        object[0x0018_1030] = "THORAX " + object.name(in: "the patient's name in Protocol Name", &planter)
        object[0x0010_2180] = "FARMER " + object.name(in: "the patient's name in Occupation", &planter)
        object[0x0010_21B0] = "Seen by Dr. " + planter.word("a physician's name in Additional Patient History")
        object[0x0010_4000] = "Wife of " + object.name(in: "the patient's name in Patient Comments", &planter)
        object[0x0020_4000] = "Name: " + planter.word("a name behind a label in Image Comments")
        object[0x0018_1400] = "Tel. " + planter.telephone("a telephone number in a text")
        object[0x0040_0254] = "身份证 " + planter.residentNumber("a resident number in a text")
        object[0x0008_0020] = planter.date("Study Date")
        object[0x0008_0021] = planter.date("Series Date")
        object[0x0008_002A] = planter.date("Acquisition DateTime") + "101112"
        object[0x0040_0244] = planter.date("Performed Procedure Step Start Date")
    }

    private static func nested(_ object: inout PlantedObject, _ planter: inout Planter) {
        var inner = PlantedObject.item([0x0010_0010: planter.name("a name eight items deep")])
        for _ in 0..<8 {
            var outer = Dataset()
            outer.set(Tag(0x0008_1115), items: [inner])
            inner = outer
        }
        object.items(0x0008_1115, inner)
        object.items(
            0x0040_0275,
            PlantedObject.item([
                0x0040_0007: "CHEST " + object.name(in: "the patient's name in Request Attributes Sequence", &planter),
                0x0040_1001: planter.word("Requested Procedure ID in Request Attributes Sequence"),
            ]))
        object.items(0x0008_1140, PlantedObject.item([0x0008_1155: planter.uid("Referenced SOP Instance UID")]))
        object.items(0x0400_0561, PlantedObject.item([0x0010_0010: planter.name("Original Attributes Sequence")]))
        var signature = Dataset()
        signature.set(Tag(0x0400_0115), .OB, bytes: Array(planter.word("Digital Signatures Sequence").utf8))
        object.dataset.set(Tag(0xFFFA_FFFA), items: [signature])
        var icon = Dataset()
        icon.set(Tag(0x7FE0_0010), .OB, bytes: Array(planter.word("Icon Image Sequence").utf8))
        object.dataset.set(Tag(0x0088_0200), items: [icon])
    }

    private static func unknown(_ object: inout PlantedObject, _ planter: inout Planter) {
        object.bytes(0x0029_0010, .LO, planter.word("a private creator"))
        object.bytes(0x0029_1001, .LO, planter.word("a private text"))
        object.bytes(0x0029_1002, .UN, planter.word("a private value of unknown VR"))
        object.bytes(0x0029_1003, .OB, "header\0" + planter.word("inside private bytes"))
        object.dataset.set(
            Tag(0x0029_1004), items: [PlantedObject.item([0x0010_0010: planter.name("a private sequence")])])
        object.bytes(0x0029_1105, .LO, planter.word("a private text without creator"))
        object.bytes(0x0018_FFF1, .LO, planter.word("an attribute of no dictionary"))
        object[0x0072_0008] = planter.word("an attribute of another kind of object")
        object.bytes(0x0018_1151, .UN, planter.word("a number under unknown VR"))
        // A known sequence under VR UN, in implicit little endian. PS3.5 §6.2.2.
        let inner = PlantedObject.item([0x0010_0010: planter.name("a sequence under unknown VR")])
            .encoded(transferSyntax: .implicitVRLittleEndian)
        let length = withUnsafeBytes(of: UInt32(inner.count).littleEndian) { Array($0) }
        object.dataset.set(Tag(0x0008_1032), .UN, bytes: [0xFE, 0xFF, 0x00, 0xE0] + length + inner)
    }

    private static func graphics(_ object: inout PlantedObject, _ planter: inout Planter) {
        object.words(0x6000_0010, [16])
        object.words(0x6000_0011, [16])
        object.bytes(0x6000_0022, .LO, planter.word("Overlay Description"))
        object.bytes(0x6000_1500, .LO, planter.word("Overlay Label"))
        object.bytes(0x6000_4000, .LT, planter.word("Overlay Comments"))
        let bits = planter.word("Overlay Data")
        object.bytes(0x6000_3000, .OW, bits + String(repeating: "\0", count: 32 - bits.utf8.count))
        object.bytes(0x601E_1500, .LO, planter.word("Overlay Label of a later group"))
        object.bytes(0x5000_0022, .LO, planter.word("Curve Description"))
        object.bytes(0x5000_3000, .OW, planter.word("Curve Data"))
        object[0x0028_3003] = planter.word("LUT Explanation")
        object.bytes(0x0028_2000, .OB, planter.word("ICC Profile"))
    }

    /// With all text in GB18030, whose second bytes may look like the backslash between values.
    static func chinese(_ planter: inout Planter) -> [UInt8] {
        var object = PlantedObject(secondaryCapture, "OT", number: 2)
        let name = planter.chineseName("a Chinese name, in several attributes")
        object[0x0010_0010] = "Cheng^Yunjin=\(name)"
        object[0x0008_1030] = "胸部 \(name)"
        object[0x0020_4000] = name
        object[0x0008_0064] = "WSD"
        object.items(0x0008_1115, PlantedObject.item([0x0010_0010: name]))
        object[0x0010_1001] = planter.name("a name beside a Chinese one") + "=\(name)"
        object.pixels(side: 4, bits: 8, stored: 8)
        object.dataset.set(Tag(0x7FE0_0010), .OW, bytes: (0..<16).map { $0 })
        return object.file(characterSet: "GB18030")
    }

    static func jpeg(_ planter: inout Planter) -> [UInt8] {
        var object = PlantedObject(secondaryCapture, "OT", number: 3)
        object[0x0008_0064] = "WSD"
        object.pixels(side: 16, bits: 8, stored: 8)
        func segment(_ marker: UInt8, _ text: String) -> [UInt8] {
            [0xFF, marker, 0, UInt8(text.utf8.count + 2)] + Array(text.utf8)
        }
        let stream = [UInt8](Data(base64Encoded: jpegStream) ?? Data())
        let segments =
            segment(0xE1, "Exif\0\0" + planter.word("EXIF of a JPEG stream"))
            + segment(0xED, "Photoshop 3.0\0" + planter.word("APP13 of a JPEG stream"))
            + segment(0xFE, planter.word("comment of a JPEG stream"))
        object.encapsulate(
            stream[..<2] + segments + stream[2...] + Array(planter.word("behind the end of a JPEG stream").utf8))
        return object.file(.jpegBaseline)
    }

    static func jpeg2000(_ planter: inout Planter) -> [UInt8] {
        var object = PlantedObject(secondaryCapture, "OT", number: 4)
        object[0x0008_0064] = "WSD"
        object.pixels(side: 16, bits: 8, stored: 8)
        let stream = [UInt8](Data(base64Encoded: jpeg2000Stream) ?? Data())
        // Before the comment that the encoder wrote.
        let place = stream.indices.dropLast().first { stream[$0] == 0xFF && stream[$0 + 1] == 0x64 } ?? 2
        let text = Array(planter.word("comment of a JPEG 2000 stream").utf8)
        let comment = [0xFF, 0x64, 0, UInt8(text.count + 4), 0, 1] + text
        object.encapsulate(
            stream[..<place] + comment + stream[place...]
                + Array(planter.word("behind the end of a JPEG 2000 stream").utf8))
        return object.file(.jpeg2000Lossless)
    }
}
