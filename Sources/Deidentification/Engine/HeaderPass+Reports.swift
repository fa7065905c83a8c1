import DICOM
import Keys

/// Content items of structured reports and of acquisition contexts, by the concept that names them. PS3.15 §E.3.4.
extension HeaderPass {
    /// What remains of a content item; nil when it goes.
    func contentItem(_ source: Dataset, in parent: Tag) throws(Quarantine) -> Dataset? {
        let valueType = Self.valueType(source)
        let action = action(source, valueType)
        switch action {
        case .remove:
            guard keepsContentPlaces || Self.isMarker(source) else {
                for element in source.elements where element.tag != .conceptNameCodeSequence {
                    note(element, .structuredContent, .remove)
                }
                return nil
            }
            return try withoutValue(source, valueType, in: parent)
        case .dummy, .empty: return try withoutValue(source, valueType, in: parent)
        default: break
        }
        var result = try dataset(source, in: parent)
        try settle(&result, source, action)
        return result
    }

    /// A container that structures the document is emptied rather than left out.
    private static func isMarker(_ item: Dataset) -> Bool { item.string(.valueType) == "CONTAINER" }

    private func action(_ item: Dataset, _ valueType: String) -> Action {
        guard let concept = item.items(.conceptNameCodeSequence).first else { return .keep }
        let value =
            concept.string(.codeValue) ?? concept.string(.longCodeValue) ?? concept.string(.urnCodeValue) ?? ""
        let key = StructuredContentRow.Concept(
            value: value, scheme: concept.string(.codingSchemeDesignator) ?? "", valueType: valueType)
        guard let row = StructuredContentRow.of(key) else { return .clean }
        switch row.code(profile.options) {
        case .k: return .keep
        case .c, .u: return .clean
        case .x: return .remove
        default: return .dummy
        }
    }

    /// Value Type (0040,A040), which acquisition contexts leave to the values.
    private static func valueType(_ item: Dataset) -> String {
        if let type = item.string(.valueType), !type.isEmpty { return type }
        if item.contains(.textValue) { return "TEXT" }
        if item.contains(.personName) { return "PNAME" }
        if item.contains(.dateTime) { return "DATETIME" }
        if item.contains(.date) { return "DATE" }
        if item.contains(.time) { return "TIME" }
        if item.contains(.uid) { return "UIDREF" }
        if item.contains(.conceptCodeSequence) { return "CODE" }
        return "NUM"
    }

    // MARK: Values

    /// The values of a content item, over which the tables speak: dates by the concept, not the attribute.
    private func settle(_ result: inout Dataset, _ source: Dataset, _ action: Action) throws(Quarantine) {
        for tag in [Tag.date, .dateTime, .time] {
            guard let element = source[tag], let element = ofItsVR(element), !element.isEmpty else { continue }
            let keeps = profile.has(.retainFullDates) || profile.has(.retainModifiedDates)
            let ruling = Ruling(
                action: keeps ? (shift == nil ? .keep : .shift) : .dummy, rule: .structuredContent, needsValue: true)
            if let element = try apply(ruling, to: element) { result.set(element) }
        }
        if action == .keep || profile.has(.retainUIDs), let element = source[.uid], let element = ofItsVR(element) {
            let keeps = profile.has(.retainUIDs)
            let ruling = Ruling(action: keeps ? .keep : .uid, rule: .structuredContent, needsValue: true)
            if let element = try apply(ruling, to: element) { result.set(element) }
        }
        try capAge(&result)
    }

    /// Subject Age (121033, DCM) over 89 years.
    private func capAge(_ item: inout Dataset) throws(Quarantine) {
        guard item.items(.conceptNameCodeSequence).first?.string(.codeValue) == "121033",
            var measured = item.items(.measuredValueSequence).first, let number = measured.double(.numericValue)
        else { return }
        let unit = measured.items(.measurementUnitsCodeSequence).first?.string(.codeValue) ?? "a"
        let perYear = Self.unitsPerYear(unit)
        guard number / perYear >= 90 else { return }
        measured.set(.numericValue, .DS, string: String(Int(89 * perYear)))
        measured.remove(Tag(0x0040_A161))
        measured.remove(Tag(0x0040_A162))
        measured.remove(Tag(0x0040_A163))
        item.set(.measuredValueSequence, items: [measured])
    }

    private static func unitsPerYear(_ unit: String) -> Double {
        switch unit {
        case "mo": 12
        case "wk": 52
        case "d": 365
        default: 1
        }
    }

    /// The item with a value that says nothing, and without what is below it.
    private func withoutValue(_ source: Dataset, _ valueType: String, in parent: Tag) throws(Quarantine) -> Dataset {
        for element in source.elements where Self.isValue(element.tag) {
            note(element, .structuredContent, .dummy)
        }
        var rest = source
        rest.removeAll { Self.isValue($0.tag) }
        var result = try dataset(rest, in: parent)
        switch valueType {
        case "TEXT": result.set(.textValue, .UT, string: DummyValue.text)
        case "PNAME":
            let name = source.string(.personName) ?? ""
            let text = try failing { () throws(KeyError) in try pseudonyms.person(name) }
            result.set(.personName, .PN, string: text)
        case "DATE": result.set(.date, .DA, bytes: DummyValue.bytes(.DA))
        case "TIME": result.set(.time, .TM, bytes: DummyValue.bytes(.TM))
        case "DATETIME": result.set(.dateTime, .DT, bytes: DummyValue.bytes(.DT))
        case "CODE": result.set(.conceptCodeSequence, items: [DummyValue.code])
        case "NUM": result.set(.measuredValueSequence, items: [])
        case "UIDREF":
            let uid = source.string(.uid) ?? ""
            let mapped = try failing { () throws(KeyError) in try pseudonyms.uid(uid) }
            result.set(.uid, .UI, string: mapped)
        default:
            // References: their UIDs are mapped, what refers to them stays.
            for tag in [Tag(0x0008_1199), Tag(0x0008_1115)] {
                guard let element = source[tag] else { continue }
                if let element = try kept(element, Ruling(action: .clean, rule: .structuredContent)) {
                    result.set(element)
                }
            }
        }
        return result
    }

    /// What holds the value of a content item, or items below it.
    private static func isValue(_ tag: Tag) -> Bool {
        switch tag.rawValue {
        case 0x0040_A160, 0x0040_A123, 0x0040_A121, 0x0040_A122, 0x0040_A120, 0x0040_A124, 0x0040_A168, 0x0040_A300,
            0x0040_A730, 0x0008_1199, 0x0008_1115, 0x0040_A30A, 0x0040_08EA, 0x0070_0022, 0x0040_A132, 0x0040_A138,
            0x0040_A13A:
            true
        default: false
        }
    }
}
