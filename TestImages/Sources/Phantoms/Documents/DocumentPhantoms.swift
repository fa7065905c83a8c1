import DICOM

/// Encapsulated PDF Storage. PS3.3 §A.45.1.
enum DocumentPhantoms {
    static let recipes: [TomographyPhantoms.Recipe] = [portableDocument]

    private static func portableDocument(_ seed: Seed) -> Phantom {
        let visit = Visit(key: "document", subject: .yeZhiwei, description: "会诊意见", date: "20260118")
        let series = Series(visit: visit, key: "pdf", number: 1, modality: "DOC", description: "会诊意见 PDF")
        var phantom = Phantom(
            "pdf", shows: "Encapsulated PDF: one page with one line of text", sopClassUID: SOPClassUID.encapsulatedPDF,
            series: series, number: 1, seed: seed)
        var document = page("Huizhen phantom: consultation opinion")
        let byteCount = document.count
        if document.count % 2 == 1 { document.append(0) }
        phantom.dataset.put([
            "ConversionType": "SYN", "AcquisitionDateTime": .text(visit.date + visit.time), "BurnedInAnnotation": "NO",
            "DocumentTitle": "会诊意见", "ConceptNameCodeSequence": .code(Code("11488-4", "LN", "Consultation Note")),
            "MIMETypeOfEncapsulatedDocument": "application/pdf", "EncapsulatedDocument": .bytes(document),
            "EncapsulatedDocumentLength": .number(byteCount),
        ])
        return phantom
    }

    /// The smallest complete PDF with text on it. ISO 32000-1 §7.5.
    private static func page(_ text: String) -> [UInt8] {
        let content = "BT /F1 18 Tf 72 720 Td (\(text)) Tj ET"
        let objects = [
            "<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
                + " /Resources << /Font << /F1 5 0 R >> >> >>",
            "<< /Length \(content.utf8.count) >>\nstream\n\(content)\nendstream",
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        ]
        var document = "%PDF-1.4\n"
        var table = "0000000000 65535 f \n"
        for (index, object) in objects.enumerated() {
            let offset = String(document.utf8.count)
            table += String(repeating: "0", count: 10 - offset.count) + offset + " 00000 n \n"
            document += "\(index + 1) 0 obj\n\(object)\nendobj\n"
        }
        let start = document.utf8.count
        document += "xref\n0 \(objects.count + 1)\n\(table)"
        document += "trailer\n<< /Size \(objects.count + 1) /Root 1 0 R >>\nstartxref\n\(start)\n%%EOF\n"
        return Array(document.utf8)
    }
}
