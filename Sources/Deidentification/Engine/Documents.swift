import DICOM

/// A document in place of an encapsulated one, of the same type, so that the object stays what it is. PS3.3 §C.24.2.
enum Placeholder {
    /// Nil when no document of a type can be made.
    static func document(mimeType: String) -> [UInt8]? {
        switch mimeType.lowercased() {
        case "application/pdf": pdf
        case "text/xml", "text/hl7+xml", "application/xml": cda
        case "model/stl", "application/sla": stl
        case "model/obj": Array("# removed\nv 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n".utf8)
        case "model/mtl": Array("# removed\nnewmtl removed\nKd 1 1 1\n".utf8)
        case "text/plain": Array("Removed by de-identification.\n".utf8)
        default: nil
        }
    }

    /// One page that says what happened.
    private static let pdf: [UInt8] = {
        let stream = "BT /F1 14 Tf 72 720 Td (Document removed by de-identification) Tj ET"
        let objects = [
            "<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
                + "/Resources << /Font << /F1 5 0 R >> >> >>",
            "<< /Length \(stream.utf8.count) >>\nstream\n\(stream)\nendstream",
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        ]
        var text = "%PDF-1.4\n"
        var offsets: [Int] = []
        for (index, object) in objects.enumerated() {
            offsets.append(text.utf8.count)
            text += "\(index + 1) 0 obj\n\(object)\nendobj\n"
        }
        let start = text.utf8.count
        text += "xref\n0 \(objects.count + 1)\n0000000000 65535 f \n"
        for offset in offsets {
            let digits = String(offset)
            text += String(repeating: "0", count: 10 - digits.count) + digits + " 00000 n \n"
        }
        text += "trailer\n<< /Size \(objects.count + 1) /Root 1 0 R >>\nstartxref\n\(start)\n%%EOF\n"
        return Array(text.utf8)
    }()

    private static let cda = Array(
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <ClinicalDocument xmlns="urn:hl7-org:v3"><typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>\
        <id nullFlavor="MSK"/><code nullFlavor="MSK"/><title>Removed by de-identification</title>\
        <effectiveTime nullFlavor="MSK"/><confidentialityCode nullFlavor="MSK"/></ClinicalDocument>

        """.utf8)

    /// A binary file of one flat triangle.
    private static let stl: [UInt8] = {
        var bytes = [UInt8](repeating: 0, count: 80) + [1, 0, 0, 0]
        let numbers: [Float] = [0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0]
        for number in numbers {
            for shift in stride(from: UInt32(0), to: 32, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: number.bitPattern >> shift))
            }
        }
        return bytes + [0, 0]
    }()
}
