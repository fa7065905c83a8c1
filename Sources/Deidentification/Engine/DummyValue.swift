import DICOM

/// Values that say nothing, by VR; documented in Docs/DEIDENTIFICATION.md. PS3.15 §E.1.1.
enum DummyValue {
    static let text = "REMOVED"
    static let codeScheme = "99HUIZHEN"
    static let codeMeaning = "Removed"

    /// The bytes of a dummy; persons, identifiers and UIDs have pseudonyms instead.
    static func bytes(_ vr: VR) -> [UInt8] {
        switch vr {
        case .LO, .SH, .ST, .LT, .UT, .UC, .AE, .CS, .PN: Array(text.utf8)
        case .UR: Array("https://removed.invalid".utf8)
        case .DA: Array("19000101".utf8)
        case .DT: Array("19000101000000".utf8)
        case .TM: Array("000000".utf8)
        case .AS: Array("000Y".utf8)
        case .DS, .IS: Array("0".utf8)
        case .UI: Array("2.25.0".utf8)
        case .OB, .OW, .UN: [0, 0]
        case .AT: [0, 0, 0, 0]
        case .SQ: []
        default: [UInt8](repeating: 0, count: vr.unitByteCount)
        }
    }

    /// A code in place of one that must be there.
    static var code: Dataset {
        var item = Dataset()
        item.set(.codeValue, .SH, string: text)
        item.set(.codingSchemeDesignator, .SH, string: codeScheme)
        item.set(.codeMeaning, .LO, string: codeMeaning)
        return item
    }

    /// A content item in place of a report's content.
    static var contentItem: Dataset {
        var concept = Dataset()
        concept.set(.codeValue, .SH, string: "121106")
        concept.set(.codingSchemeDesignator, .SH, string: "DCM")
        concept.set(.codeMeaning, .LO, string: "Comment")
        var item = Dataset()
        item.set(.relationshipType, .CS, string: "CONTAINS")
        item.set(.valueType, .CS, string: "TEXT")
        item.set(.conceptNameCodeSequence, items: [concept])
        item.set(.textValue, .UT, string: text)
        return item
    }

    /// Words of enumerations without which the form of a structure would be none: a dummy keeps them, and so does an object
    /// of somebody who is called so.
    static let words: Set<String> = [
        "PIXEL", "DISPLAY", "MATRIX", "POINT", "POLYLINE", "INTERPOLATED", "CIRCLE", "ELLIPSE", "LEFT", "RIGHT",
        "CENTER",
        "Y", "N", "YES", "NO", "CONTAINS", "HAS OBS CONTEXT", "HAS CONCEPT MOD", "HAS PROPERTIES", "HAS ACQ CONTEXT",
        "INFERRED FROM", "SELECTED FROM", "TEXT", "NUM", "CODE", "DATETIME", "DATE", "TIME", "UIDREF", "PNAME",
        "COMPOSITE", "IMAGE", "WAVEFORM", "SCOORD", "SCOORD3D", "TCOORD", "TABLE", "CONTAINER", "SEPARATE",
        "CONTINUOUS", "PSN", "DEV",
    ]
}
