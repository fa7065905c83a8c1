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
        var result = basic
        for (index, option) in Self.columns.enumerated() where options.contains(option) {
            switch cells[index] {
            case UInt8(ascii: "C"): return .c
            case UInt8(ascii: "K"): result = .k
            default: continue
            }
        }
        return result
    }

    /// Of a concept under another value type than the table's, by value and scheme.
    static let others: [String: StructuredContentRow] = rows.reduce(into: [:]) { result, entry in
        let key = entry.key.value + "|" + entry.key.scheme
        // What removes wins.
        if result[key]?.basic != .x { result[key] = entry.value }
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
