import Deidentification

/// The tables of Docs/DEIDENTIFICATION.md, made from the rules themselves.
enum DeidentificationTables {
    typealias Table = ConformanceTables.Table

    private static let profileNames = Profile.named.map(\.name)

    static var profiles: Table {
        Table("deidentification-profiles", ["profile", "options (CID 7050)"], RuleTables.profiles)
    }

    static var all: [Table] {
        [
            profiles,
            Table("deidentification-rules", ["in the report", "规则", "rule"], RuleTables.rules),
            Table("deidentification-quarantine", ["in the report", "why, and what to do"], RuleTables.quarantine),
            Table("deidentification-dummies", ["VR", "in place of a value"], RuleTables.dummies),
            Table("deidentification-attributes", ["tag", "attribute"] + profileNames, RuleTables.attributes),
            Table(
                "deidentification-content", ["code", "scheme", "value type", "concept"] + profileNames,
                RuleTables.structuredContent),
            Table("deidentification-private", ["element", "VR", "private creator"], RuleTables.safePrivate),
        ]
    }

    /// The tables that a document has places for.
    static func tables(of text: String) -> [Table] {
        text.contains("<!-- table: deidentification-attributes -->") ? all : ConformanceTables.all
    }
}
