import DICOM

/// How much an attribute is required. PS3.5 §7.4; conditional ones count as required.
enum AttributeType: UInt8, Comparable, Sendable {
    case required = 1
    case requiredMayBeEmpty = 2
    case optional = 3

    static func < (left: AttributeType, right: AttributeType) -> Bool { left.rawValue < right.rawValue }

    fileprivate init(digit: UInt8) { self = AttributeType(rawValue: digit - UInt8(ascii: "0")) ?? .optional }
}

/// The attributes that belong into objects, by information object definition. PS3.3.
enum ObjectDefinitions {
    /// The attributes of the top level of a SOP class's objects; nil when the class is not known.
    static func attributes(ofClass uid: String) -> [UInt32: AttributeType]? {
        guard let iod = classes[uid], let modules = iods[iod] else { return nil }
        return merged(modules)
    }

    /// The attributes of any object's top level; of Type 3, for nothing is known of the object.
    static let union: [UInt32: AttributeType] = merged(Array(modules.indices)).mapValues { _ in .required }

    /// Sequence and attribute in its items: how much it is required there.
    static let nested: [UInt64: AttributeType] = {
        var result: [UInt64: AttributeType] = [:]
        result.reserveCapacity(12_000)
        for line in Confidentiality.lines(NestedTable.lines) {
            guard let parent = Tag(hex: line.utf8.prefix(8)) else { continue }
            each(line.utf8.dropFirst(9)) { tag, type in result[key(parent.rawValue, tag)] = type }
        }
        return result
    }()

    /// The sequences whose items are known.
    static let sequences: Set<UInt32> = Set(
        Confidentiality.lines(NestedTable.lines).compactMap { Tag(hex: $0.utf8.prefix(8))?.rawValue })

    static func key(_ parent: UInt32, _ child: UInt32) -> UInt64 { UInt64(parent) << 32 | UInt64(child) }

    /// The IOD of a SOP class.
    static func iod(ofClass uid: String) -> String? { classes[uid] }

    private static func merged(_ numbers: [Int]) -> [UInt32: AttributeType] {
        var result: [UInt32: AttributeType] = [:]
        result.reserveCapacity(400)
        for number in numbers where modules.indices.contains(number) {
            let line = modules[number].utf8
            guard let space = line.firstIndex(of: UInt8(ascii: " ")) else { continue }
            each(line[line.index(after: space)...]) { tag, type in
                result[tag] = min(result[tag] ?? .optional, type)
            }
        }
        return result
    }

    /// Tags of eight digits, each with its type.
    private static func each(_ text: Substring.UTF8View, _ body: (UInt32, AttributeType) -> Void) {
        var rest = text
        while rest.count >= 9 {
            let digits = rest.prefix(9)
            if let tag = Tag(hex: digits.prefix(8)), let digit = digits.last {
                body(tag.rawValue, AttributeType(digit: digit))
            }
            rest = rest.dropFirst(9)
        }
    }

    private static let modules = Confidentiality.lines(ModuleTable.modules)

    private static let iods: [String: [Int]] = {
        var result: [String: [Int]] = [:]
        for line in Confidentiality.lines(ModuleTable.iods) {
            let fields = line.split(separator: " ")
            if fields.count == 2 { result[String(fields[0])] = fields[1].split(separator: ",").compactMap { Int($0) } }
        }
        return result
    }()

    private static let classes: [String: String] = {
        var result: [String: String] = [:]
        for line in Confidentiality.lines(ModuleTable.classes) {
            let fields = line.split(separator: " ")
            if fields.count == 2 { result[String(fields[0])] = String(fields[1]) }
        }
        return result
    }()
}

/// The UIDs the standard registers. PS3.6 Annex A.
enum WellKnownUIDs {
    static let all: Set<String> = Set(Confidentiality.lines(WellKnownUIDTable.lines).map { String($0) })

    /// Whether a UID names something of the standard, and so nobody.
    static func contains(_ uid: String) -> Bool {
        all.contains(uid) || SOPClass.storage[uid] != nil || TransferSyntax.isKnown(uid: uid)
    }
}

/// Private attributes that are known to be safe. PS3.15 Table E.3.10-1.
struct PrivateAttribute: Hashable, Sendable {
    /// The group and, in the low byte, the end of the element.
    var key: UInt32
    var creator: String

    init(group: UInt16, element: UInt8, creator: String) {
        key = UInt32(group) << 8 | UInt32(element)
        self.creator = creator
    }

    static let safe: [PrivateAttribute: VR?] = {
        var result: [PrivateAttribute: VR?] = [:]
        for line in Confidentiality.lines(SafePrivateTable.lines) {
            let fields = line.split(separator: " ", maxSplits: 2)
            guard fields.count == 3, let number = UInt32(fields[0], radix: 16) else { continue }
            let letters = Array(fields[1].utf8)
            let attribute = PrivateAttribute(
                group: UInt16(truncatingIfNeeded: number >> 8), element: UInt8(truncatingIfNeeded: number),
                creator: String(fields[2]))
            result[attribute] = .some(VR(bytes: letters[0], letters[1]))
        }
        return result
    }()
}
