import DICOM

/// What makes an image that lost something another image. PS3.3 §C.7.6.1.1.5, §C.12.4.1.2.
struct LossyDerivation {
    private static let derivationCodeSequence = Tag(0x0008_9215)
    private static let purposeOfReferenceCodeSequence = Tag(0x0040_A170)

    let header: Dataset
    let derivedUID: String

    /// A UID of its own, Image Type DERIVED, and the source named; beside the attributes of the loss itself.
    func apply(to replacing: inout Dataset) {
        replacing.set(.sopInstanceUID, .UI, strings: [derivedUID])
        var type = header.strings(.imageType)
        if type.isEmpty { type = ["DERIVED", "SECONDARY"] } else { type[0] = "DERIVED" }
        replacing.set(.imageType, .CS, strings: type)
        replacing.set(Self.derivationCodeSequence, items: [Self.code("113040", "Lossy Compression")])
        guard let sopClass = header.string(.sopClassUID), let source = header.string(.sopInstanceUID) else { return }
        var item = Dataset()
        item.set(.referencedSOPClassUID, .UI, strings: [sopClass])
        item.set(.referencedSOPInstanceUID, .UI, strings: [source])
        item.set(
            Self.purposeOfReferenceCodeSequence, items: [Self.code("121320", "Uncompressed predecessor")])
        replacing.set(.sourceImageSequence, items: [item])
    }

    private static func code(_ value: String, _ meaning: String) -> Dataset {
        var code = Dataset()
        code.set(.codeValue, .SH, strings: [value])
        code.set(.codingSchemeDesignator, .SH, strings: ["DCM"])
        code.set(.codeMeaning, .LO, strings: [meaning])
        return code
    }
}
