import DICOM

/// The rules as tables for people, from what the engine goes by. PS3.15 §E.1: a conformance statement lists them.
public enum RuleTables {
    /// What each named profile is made of.
    public static var profiles: [[String]] {
        Profile.named.map { profile in
            let options = profile.orderedOptions.map { "\($0.codeValue) \($0.codeMeaning)" }
            return ["`\(profile.name)`", options.isEmpty ? "–" : options.joined(separator: "; ")]
        }
    }

    /// Tag, keyword, and the action code of each named profile.
    public static var attributes: [[String]] {
        Confidentiality.lines(ConfidentialityTable.lines).compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count == 5, let row = ConfidentialityRow(fields) else { return nil }
            let digits = fields[0]
            let tag = "(\(digits.prefix(4)),\(digits.suffix(4)))"
            // Repeating groups go whole, whatever the table leaves open.
            let isBeside = ["50", "60"].contains(String(digits.prefix(2)))
            return [tag, String(fields[4])]
                + Profile.named.map { isBeside ? ActionCode.x.rawValue : row.code($0.options).rawValue }
        }
    }

    /// Code, scheme, value type, meaning, and the action code of each named profile.
    public static var structuredContent: [[String]] {
        Confidentiality.lines(StructuredContentTable.lines).compactMap { line in
            let fields = line.split(separator: "|", maxSplits: 5, omittingEmptySubsequences: false).map { String($0) }
            guard fields.count == 6 else { return nil }
            let concept = StructuredContentRow.Concept(value: fields[0], scheme: fields[1], valueType: fields[2])
            guard let row = StructuredContentRow.rows[concept] else { return nil }
            return [fields[0], fields[1], fields[2], fields[5]]
                + Profile.named.map { profile in
                    profile.has(.cleanStructuredContent) ? row.code(profile.options).rawValue : ActionCode.x.rawValue
                }
        }
    }

    /// Group and element, VR, creator.
    public static var safePrivate: [[String]] {
        Confidentiality.lines(SafePrivateTable.lines).map { line in
            let fields = line.split(separator: " ", maxSplits: 2).map { String($0) }
            return [
                "(\(fields[0].prefix(4)),xx\(fields[0].suffix(2)))", fields[1] == "--" ? "numbers" : fields[1],
                fields[2],
            ]
        }
    }

    /// VR and what stands in place of a value.
    public static var dummies: [[String]] {
        VR.allCases.sorted { $0.description < $1.description }.map { vr in
            let text: String =
                switch vr {
                case .PN: "a pseudonym of the person: `HZ-P` and 26 letters and digits"
                case .UI: "the project's UID: `2.25.` and a number of 122 bits"
                case .SQ: "one item with a dummy for each attribute the original's first item had"
                case .OB, .OW, .UN:
                    "two zero bytes; an encapsulated document: a document of its type that says it was removed"
                default:
                    vr.isString
                        ? "`\(String(decoding: DummyValue.bytes(vr), as: UTF8.self))`"
                        : "zero, as often as there were values"
                }
            return [vr.description, text]
        }
    }

    /// Words of the report and what they mean.
    public static var rules: [[String]] {
        Rule.allCases.map { ["`\($0.rawValue)`", $0.chinese, $0.english] }
    }

    private static let cleanerReason =
        "the pixels cannot be cleaned; the reason follows: their depth, colours or coding, or no tesseract here"

    /// Why instances are quarantined, and what to do.
    public static var quarantine: [[String]] {
        let reasons: [Quarantine] = [
            .unreadable(.truncated(byteOffset: 0)), .damaged, .truncated, .noIdentity, .directory, .transferSyntax,
            .burnedInText, .pixelsNotCleaned, .featuresNotCleaned, .voice, .document, .stream(.notCleanable),
            .frameTooLarge(byteCountLimit: FrameCleaner.frameByteCountLimit), .pixelDataSize,
            .notReplaceable(.iccProfile), .pixelCleaner(reason: Self.cleanerReason),
            .escrow(.tooLong(byteCountLimit: Escrow.byteCountLimit)),
            .failed(operation: "reading the file"),
        ]
        return reasons.map { ["`\($0.kind)`", $0.description] }
    }
}
