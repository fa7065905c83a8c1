import DICOM

/// One small CT slice in every encoding that this generator writes. PS3.5 §10 and Annex A.
enum EncodingPhantoms {
    private static let visit = Visit(
        key: "encodings", subject: .linYunqi, description: "编码 encodings", date: "20260121")
    private static let series = Series(
        visit: visit, key: "encodings", number: 1, modality: "CT", description: "128×128", bodyPart: "CHEST")

    private static let encodings: [(String, TransferSyntax)] = [
        ("explicit-little", .explicitVRLittleEndian), ("implicit-little", .implicitVRLittleEndian),
        ("explicit-big", .explicitVRBigEndian), ("deflated", .deflatedExplicitVRLittleEndian),
        ("rle", .rleLossless), ("encapsulated-uncompressed", .encapsulatedUncompressedExplicitVRLittleEndian),
    ]

    static let recipes: [TomographyPhantoms.Recipe] = encodings.enumerated().map { index, encoding in
        { seed in
            TomographyPhantoms.slice(
                "ct-encoding", series: series, number: 1, of: 1, size: 128, noise: 8, seed: seed
            ).copy(
                "ct-\(encoding.0)", shows: "The same small CT slice: \(encoding.1.name)", in: encoding.1,
                number: index + 1, seed: seed)
        }
    }
}
