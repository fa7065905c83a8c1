import DICOM

/// What PS3.15 Table E.1-1a calls an action code.
public enum ActionCode: String, Sendable, CaseIterable {
    case d = "D"
    case z = "Z"
    case x = "X"
    case k = "K"
    case c = "C"
    case u = "U"
    case zd = "Z/D"
    case xz = "X/Z"
    case xd = "X/D"
    case xzd = "X/Z/D"
    case xzu = "X/Z/U*"

    /// What remains of a code of the Basic Profile under some options: `cells` say for each of `columns` `K`, `C` or nothing.
    ///
    /// Where several options speak, cleaning wins over keeping, for it keeps as much as may be.
    func under(
        _ options: Set<ConfidentialityOption>, columns: [ConfidentialityOption], cells: [UInt8]
    ) -> ActionCode {
        var result = self
        for (index, option) in columns.enumerated() where options.contains(option) {
            switch cells[index] {
            case UInt8(ascii: "C"): return .c
            case UInt8(ascii: "K"): result = .k
            default: continue
            }
        }
        return result
    }
}

/// One row of PS3.15 Table E.1-1.
struct ConfidentialityRow: Sendable {
    var vr: VR?
    var basic: ActionCode
    /// `K`, `C` or nothing for each option that has a column.
    private var cells: [UInt8]

    /// The options in the order of the table's columns.
    static let columns: [ConfidentialityOption] = [
        .retainSafePrivate, .retainUIDs, .retainDeviceIdentity, .retainInstitutionIdentity,
        .retainPatientCharacteristics, .retainFullDates, .retainModifiedDates, .cleanDescriptors,
        .cleanStructuredContent, .cleanGraphics,
    ]

    init?(_ fields: [Substring]) {
        guard fields.count >= 4, let basic = ActionCode(rawValue: String(fields[2])), fields[3].utf8.count == 10 else {
            return nil
        }
        vr = fields[1].utf8.count == 2 ? VR(bytes: Array(fields[1].utf8)[0], Array(fields[1].utf8)[1]) : nil
        self.basic = basic
        cells = Array(fields[3].utf8)
    }

    /// The code under some options. Dates that are to be modified are nowhere kept as they are.
    func code(_ options: Set<ConfidentialityOption>) -> ActionCode {
        basic.under(options, columns: Self.columns, cells: cells)
    }

    /// Whether the options about dates speak of it.
    var isDated: Bool { cells[5] != UInt8(ascii: "-") }
}

/// Reads the generated tables, once and at first use.
enum Confidentiality {
    static let rows: [UInt32: ConfidentialityRow] = {
        var result: [UInt32: ConfidentialityRow] = [:]
        result.reserveCapacity(700)
        for line in lines(ConfidentialityTable.lines) {
            let fields = line.split(separator: " ")
            // Repeating groups have no one tag; `Plan` removes them whole.
            guard let tag = fields.first.flatMap({ Tag(hex: $0.utf8) }) else { continue }
            result[tag.rawValue] = ConfidentialityRow(fields)
        }
        return result
    }()

    static func lines(_ text: StaticString) -> [Substring] {
        text.description.split(separator: "\n", omittingEmptySubsequences: true)
    }
}
