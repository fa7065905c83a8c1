import DICOM

/// One key of a query and the matching it asks for. PS3.4 §C.2.2.2.
struct MatchingKey: Sendable {
    enum Rule: Sendable {
        /// Any value, or none.
        case universal
        /// One of these values.
        case single([String])
        /// All of these values, in any order. PS3.4 §C.2.2.2.8.
        case all([String])
        /// No value. PS3.4 §C.2.2.2.7.
        case empty
        case wildcard(String)
        /// Bounds as MatchText has them; empty means open.
        case dateRange(String, String)
        case timeRange(String, String)
        /// A date and the time at the tag as one moment. PS3.4 §C.2.2.2.5.
        case moment(DateTimePair.Bounds, time: Tag)
        case dateTimeRange(DateTimeText.Bounds)
        case name(NamePattern)
        case integer(Int)
        /// The keys of the sequence's one item.
        case sequence([MatchingKey])
    }

    var tag: Tag
    var vr: VR
    var rule: Rule

    /// The keys of a query or of an item.
    static func keys(
        _ dataset: Dataset, _ options: MatchingOptions, where isKey: (Tag) -> Bool = { _ in true }
    ) -> [MatchingKey] {
        let keys = dataset.elements.filter { isKey($0.tag) }.map { MatchingKey($0, of: dataset, options) }
        return options.combinesDateTime ? DateTimePair.combined(keys) : keys
    }

    init(_ element: Element, of dataset: Dataset, _ options: MatchingOptions = MatchingOptions()) {
        tag = element.tag
        vr = element.vr == .UN ? Dictionary.vr(of: element.tag) ?? .UN : element.vr
        if case .items(let items) = element.value {
            let keys = items.first.map { Self.keys($0, options) } ?? []
            rule = keys.allSatisfy(\.isUniversal) ? .universal : .sequence(keys)
            return
        }
        let values = dataset.strings(element.tag).filter { !$0.isEmpty }
        guard let first = values.first, !values.allSatisfy({ $0.allSatisfy { $0 == "*" } }) else {
            rule = .universal
            return
        }
        if options.matchesEmptyValues, values == ["\"\""] {
            rule = .empty
            return
        }
        switch vr {
        case .DA: rule = Self.range(first, bounded: MatchText.date) { .dateRange($0, $1) }
        case .TM: rule = Self.range(first, bounded: MatchText.time) { .timeRange($0, $1) }
        case .DT: rule = DateTimeText.bounds(first).map { .dateTimeRange($0) } ?? .single(values)
        case .PN: rule = .name(NamePattern(first, isFuzzy: options.isFuzzy))
        case .IS, .US, .UL, .SS, .SL:
            rule = dataset.int(element.tag).map { .integer($0) } ?? .single(values)
        case .UI: rule = .single(values)
        default:
            if first.contains("*") || first.contains("?") {
                rule = .wildcard(values.joined(separator: "\\"))
            } else {
                rule = options.matchesMultipleValues && values.count > 1 ? .all(values) : .single(values)
            }
        }
    }

    init(tag: Tag, vr: VR, rule: Rule) {
        self.tag = tag
        self.vr = vr
        self.rule = rule
    }

    var isUniversal: Bool { if case .universal = rule { true } else { false } }

    private static func range(
        _ value: String, bounded: (String) -> String, make: (String, String) -> Rule
    ) -> Rule {
        // The retired date form YYYY.MM.DD has no hyphen, so the hyphen always separates.
        guard let hyphen = value.firstIndex(of: "-") else {
            let single = bounded(value)
            return make(single, single)
        }
        return make(bounded(String(value[..<hyphen])), bounded(String(value[value.index(after: hyphen)...])))
    }

    /// Whether a dataset that holds this attribute matches.
    func matches(_ dataset: Dataset) -> Bool {
        switch rule {
        case .universal: return true
        case .single(let wanted):
            return dataset.strings(tag).contains { wanted.contains($0) }
        case .all(let wanted):
            let held = dataset.strings(tag)
            return wanted.allSatisfy { held.contains($0) }
        case .empty:
            if case .items(let items) = dataset[tag]?.value { return items.isEmpty }
            return dataset.strings(tag).allSatisfy(\.isEmpty)
        case .wildcard(let pattern):
            return dataset.strings(tag).contains { MatchText.wildcard($0, pattern) }
        case .dateRange(let low, let high):
            return dataset.strings(tag).contains { Self.isDate(MatchText.date($0), from: low, to: high) }
        case .timeRange(let low, let high):
            return dataset.strings(tag).contains { Self.isTime(MatchText.time($0), from: low, to: high) }
        case .moment(let bounds, let time):
            return bounds.contains(date: dataset.string(tag) ?? "", time: dataset.string(time) ?? "")
        case .dateTimeRange(let bounds): return dataset.strings(tag).contains { bounds.contains($0) }
        case .name(let pattern): return dataset.strings(tag).contains { Self.isName($0, pattern) }
        case .integer(let number): return dataset.ints(tag).contains(number)
        case .sequence(let keys):
            guard case .items(let items) = dataset[tag]?.value else { return false }
            return items.contains { item in keys.allSatisfy { $0.matches(item) } }
        }
    }

    static func isDate(_ value: String, from low: String, to high: String) -> Bool {
        !value.isEmpty && (low.isEmpty || value >= low) && (high.isEmpty || value <= high)
    }

    /// A bound of fewer digits stands for the whole hour or minute it names.
    static func isTime(_ value: String, from low: String, to high: String) -> Bool {
        !value.isEmpty && (low.isEmpty || value >= low || value.hasPrefix(low))
            && (high.isEmpty || value <= upperTime(high))
    }

    static func upperTime(_ value: String) -> String {
        let whole = "235959.999999"
        if value.contains(".") { return value + String(repeating: "9", count: max(0, whole.count - value.count)) }
        return value.count >= 6 ? value + ".999999" : value + whole.dropFirst(value.count)
    }

    private static func isName(_ value: String, _ pattern: NamePattern) -> Bool {
        let held = MatchText.name(value)
        return pattern.matches([held.alphabetic, held.ideographic, held.phonetic])
    }
}
