/// One row of PS3.15 Table E.3.4-1: a content item by the concept it is named with.
struct StructuredContentRow: Sendable {
    var basic: ActionCode
    private var cells: [UInt8]

    static let columns: [ConfidentialityOption] = [
        .retainUIDs, .retainDeviceIdentity, .retainInstitutionIdentity, .retainPatientCharacteristics,
        .retainFullDates, .retainModifiedDates, .cleanDescriptors,
    ]

    struct Concept: Hashable {
        var value: String
        var scheme: String
        var valueType: String
    }

    /// The code under some options.
    func code(_ options: Set<ConfidentialityOption>) -> ActionCode {
        basic.under(options, columns: Self.columns, cells: cells)
    }

    /// The row that speaks of a content item; nil where the table does not know its concept.
    static func of(_ concept: Concept) -> StructuredContentRow? {
        rows[concept] ?? others[concept.value]?[concept.scheme]
    }

    /// Of a concept under another value type than the table's, by value and scheme.
    private static let others: [String: [String: StructuredContentRow]] = rows.reduce(into: [:]) { result, entry in
        let held = result[entry.key.value]?[entry.key.scheme]
        result[entry.key.value, default: [:]][entry.key.scheme] = held.map(entry.value.stricter) ?? entry.value
    }

    /// What both allow: what either removes goes, and an option keeps or cleans where it does so in both rows.
    private func stricter(_ other: StructuredContentRow) -> StructuredContentRow {
        StructuredContentRow(
            // D and X/D are the same in content: a dummy.
            basic: [basic, other.basic].contains(.x) ? .x : .d,
            // Nothing, C, K: the stricter the smaller.
            cells: zip(cells, other.cells).map(min))
    }

    static let rows: [Concept: StructuredContentRow] = {
        var result: [Concept: StructuredContentRow] = [:]
        for line in Confidentiality.lines(StructuredContentTable.lines) {
            let fields = line.split(separator: "|", maxSplits: 5, omittingEmptySubsequences: false)
            guard fields.count == 6, let basic = ActionCode(rawValue: String(fields[3])) else { continue }
            let concept = Concept(
                value: String(fields[0]), scheme: String(fields[1]), valueType: String(fields[2]))
            result[concept] = StructuredContentRow(basic: basic, cells: Array(fields[4].utf8))
        }
        return result
    }()
}
