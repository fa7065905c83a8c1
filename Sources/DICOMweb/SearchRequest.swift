import Catalog
import DICOM
import HTTP

/// A search as its address says it. PS3.18 §8.3.4 and §10.6.1.
struct SearchRequest: Sendable {
    var level: QueryLevel
    var path: ResourcePath
    /// What is matched, with text in UTF-8.
    var keys = Dataset()
    var included: Set<Tag> = []
    var includesAll = false
    var limit: Int?
    var offset = 0
    var options = MatchingOptions()
    /// Whether the answer says how many matches there are, whatever the limit; not of PS3.18.
    var wantsTotal = false
    /// Whether something was asked for that is not matched here.
    var ignoresKeys = false

    /// Items within items of a dotted path.
    static let depthLimit = 8

    /// - Parameter policy: the private attributes that may be asked for.
    /// - Throws: 400 in plain words.
    init(
        level: QueryLevel, path: ResourcePath, query: String?, keeping policy: PrivatePolicy = .none
    ) throws(Problem) {
        self.level = level
        self.path = path
        var privates = PrivateParameters()
        for (name, value) in try QueryText(query).parameters { try take(name, value, &privates) }
        try take(privates, policy)
        if let study = path.study { keys.set(.studyInstanceUID, .UI, string: study) }
        if let series = path.series { keys.set(.seriesInstanceUID, .UI, string: series) }
    }

    private mutating func take(
        _ name: String, _ value: String, _ privates: inout PrivateParameters
    ) throws(Problem) {
        switch name {
        case "limit": limit = try Self.count(value, name)
        case "offset": offset = try Self.count(value, name)
        case "fuzzymatching": options.isFuzzy = try Self.flag(value, name)
        case "emptyvaluematching": options.matchesEmptyValues = try Self.flag(value, name)
        case "multiplevaluematching": options.matchesMultipleValues = try Self.flag(value, name)
        case "totalcount": wantsTotal = try Self.flag(value, name)
        case "includefield":
            for field in value.split(separator: ",") {
                if field == "all" {
                    includesAll = true
                    continue
                }
                let tag = try Self.path(String(field))[0]
                if tag.isPrivate { privates.fields.insert(tag) } else { included.insert(tag) }
            }
        default:
            let path = try Self.path(name)
            // Private attributes are known by their creators, which may come behind them.
            if path.count == 1, path[0].isPrivate { privates.values[path[0]] = value } else { try match(path, value) }
        }
    }

    /// Private attributes of a query as they were written.
    private struct PrivateParameters {
        var values: [Tag: String] = [:]
        var fields: Set<Tag> = []
    }

    /// Takes the private attributes that are kept: each needs the parameter that names its creator. PS3.18 §8.3.4.1 and
    /// §8.3.4.3.
    private mutating func take(_ privates: PrivateParameters, _ policy: PrivatePolicy) throws(Problem) {
        var named = Dataset()
        for (tag, value) in privates.values where tag.isPrivateCreator { named.set(tag, .LO, string: value) }
        for tag in privates.fields.union(privates.values.keys) where !tag.isPrivateCreator {
            named.set(tag, .UN, bytes: [])
        }
        let layout = PrivateLayout(named, policy)
        for element in named.elements {
            if let creator = layout.creator(at: element.tag) {
                keys.set(element.tag, .LO, string: creator)
                included.insert(element.tag)
            } else if let vr = layout.vr(at: element.tag) {
                included.insert(element.tag)
                let value = privates.values[element.tag] ?? ""
                keys.set(
                    try Self.element([element.tag], value, vr) ?? Element(element.tag, vr, .bytes([])))
            } else if privates.values[element.tag] != nil {
                ignoresKeys = true
            }
        }
    }

    private mutating func match(_ path: [Tag], _ value: String) throws(Problem) {
        guard let first = path.first, LevelAttributes.isSupported(first) else {
            ignoresKeys = true
            return
        }
        guard self.path.study == nil || first != .studyInstanceUID,
            self.path.series == nil || first != .seriesInstanceUID
        else { throw Problem(.badRequest, "The path names the study or series already; the query may not.") }
        included.insert(first)
        guard let element = try Self.element(path[...], value) else { return }
        keys.set(Self.joined(keys[first], element))
    }

    /// An element for the last tag within items for those before it; nil for a value that matches everything.
    ///
    /// - Parameter vr: where the dictionary has none.
    private static func element(
        _ path: ArraySlice<Tag>, _ value: String, _ vr: VR = .UN
    ) throws(Problem) -> Element? {
        guard let tag = path.first else { return nil }
        let vr = Dictionary.vr(of: tag) ?? vr
        if path.count > 1 {
            guard vr == .SQ else {
                throw Problem(.badRequest, "A dotted name has an attribute in it that is no sequence.")
            }
            guard let inner = try element(path.dropFirst(), value) else { return nil }
            var item = Dataset()
            item.set(inner)
            return Element(tag, .SQ, .items([item]))
        }
        guard vr != .SQ else { throw Problem(.badRequest, "A sequence is matched by an attribute in it.") }
        guard !value.isEmpty else { return nil }
        var keys = Dataset()
        // Several UIDs are parted by commas here, and by backslashes in a key. PS3.18 §8.3.4.1.
        let values = vr == .UI ? value.split(whereSeparator: { ",\\".contains($0) }).map(String.init) : [value]
        if vr == .UI, !values.allSatisfy({ ResourcePath.isUID($0) || $0 == "*" }) {
            throw Problem(.badRequest, "A UID is 1 to 64 digits and dots.")
        }
        if vr.isString || vr == .UN {
            keys.set(tag, vr, strings: values)
        } else {
            guard let number = try Self.number(tag, vr, value) else { return nil }
            keys.set(number)
        }
        return keys[tag]
    }

    /// A key that is compared as a number; nil for a value that matches everything.
    private static func number(_ tag: Tag, _ vr: VR, _ value: String) throws(Problem) -> Element? {
        if value.allSatisfy({ $0 == "*" }) { return nil }
        // The dictionary says US for US or SS.
        let vr = vr == .US && value.contains("-") ? .SS : vr
        var keys = Dataset()
        keys.set(tag, vr, numbers: value.split(separator: "\\").map(String.init))
        guard let element = keys[tag], case .bytes(let bytes) = element.value, !bytes.isEmpty else {
            throw Problem(.badRequest, "A key that is a number has a value that is none of its range.")
        }
        return element
    }

    /// Two keys within one sequence are keys of one item.
    private static func joined(_ held: Element?, _ new: Element) -> Element {
        guard let held, case .items(let heldItems) = held.value, case .items(let newItems) = new.value,
            var item = heldItems.first, let added = newItems.first
        else { return new }
        for element in added.elements { item.set(joined(item[element.tag], element)) }
        return Element(new.tag, .SQ, .items([item]))
    }

    private static func path(_ name: String) throws(Problem) -> [Tag] {
        let names = name.split(separator: ".", omittingEmptySubsequences: false)
        guard names.count <= depthLimit else {
            throw Problem(.badRequest, "A dotted name has more than \(depthLimit) parts.")
        }
        var result: [Tag] = []
        for part in names {
            guard let tag = Tag.named(String(part)) else {
                throw Problem(.badRequest, "A parameter of the query is neither known nor a keyword or tag.")
            }
            result.append(tag)
        }
        return result
    }

    private static func count(_ value: String, _ name: String) throws(Problem) -> Int {
        guard let count = Int(value), (0...Int(Int32.max)).contains(count) else {
            throw Problem(.badRequest, "The parameter \(name) is a number from 0.")
        }
        return count
    }

    private static func flag(_ value: String, _ name: String) throws(Problem) -> Bool {
        switch value {
        case "true": return true
        case "false": return false
        default: throw Problem(.badRequest, "The parameter \(name) is true or false.")
        }
    }
}
