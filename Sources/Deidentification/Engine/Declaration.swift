import DICOM

/// What a de-identified object says of its de-identification. PS3.15 §E.1.1, PS3.16 CID 7050.
enum Declaration {
    static func elements(profile: Profile, done: PixelCleaningDemand, source: Dataset) -> Dataset {
        var result = Dataset()
        result.set(.specificCharacterSet, .CS, string: "ISO_IR 192")
        result.set(.patientIdentityRemoved, .CS, string: "YES")
        result.set(
            .deidentificationMethod, .LO, strings: ["Huizhen", "PS3.15-2025e Annex E", "profile \(profile.name)"])
        let codes =
            [("113100", "Basic Application Confidentiality Profile")]
            + profile.orderedOptions.filter { isDone($0, done) }.map { ($0.codeValue, $0.codeMeaning) }
        result.set(.deidentificationMethodCodeSequence, items: codes.map { code($0, $1) })
        result.set(Tag(0x0028_0303), .CS, string: dates(profile))
        if done.text { result.set(.burnedInAnnotation, .CS, string: "NO") }
        if done.features { result.set(Tag(0x0028_0302), .CS, string: "NO") }
        return result
    }

    /// Options about pixels count only where they were really done.
    private static func isDone(_ option: ConfidentialityOption, _ done: PixelCleaningDemand) -> Bool {
        switch option {
        case .cleanPixelData: done.text
        case .cleanRecognizableVisualFeatures: done.features
        default: true
        }
    }

    private static func code(_ value: String, _ meaning: String) -> Dataset {
        var item = Dataset()
        item.set(.codeValue, .SH, string: value)
        item.set(.codingSchemeDesignator, .SH, string: "DCM")
        item.set(.codeMeaning, .LO, string: String(meaning.prefix(64)))
        return item
    }

    /// (0028,0303) Longitudinal Temporal Information Modified. PS3.3 §C.12.1.
    private static func dates(_ profile: Profile) -> String {
        if profile.has(.retainFullDates) { return "UNMODIFIED" }
        return profile.has(.retainModifiedDates) ? "MODIFIED" : "REMOVED"
    }
}
