import DICOM

/// What becomes of each attribute of one SOP class's objects under one profile: made once, asked for every element.
///
/// Default deny: what is not in it goes.
final class Plan: Sendable {
    let profile: Profile
    let rules: SiteRules
    /// Whether the SOP class is one of which the IOD is known.
    let isKnown: Bool
    private let top: [UInt32: Ruling]
    private let nested: NestedPlan

    init(_ profile: Profile, rules: SiteRules, sopClassUID: String, nested: NestedPlan) {
        self.profile = profile
        self.rules = rules
        self.nested = nested
        let attributes = ObjectDefinitions.attributes(ofClass: sopClassUID)
        isKnown = attributes != nil
        var top: [UInt32: Ruling] = [:]
        top.reserveCapacity(512)
        for (tag, type) in attributes ?? ObjectDefinitions.union {
            top[tag] = Ruling.standard(Tag(tag), type, profile, isTypeKnown: attributes != nil)
        }
        for tag in Self.pixelNumbers where top[tag] == nil {
            top[tag] = Ruling(action: .keep, rule: .confidentialityTable)
        }
        for rule in rules.attributes { rule.apply(to: &top) }
        self.top = top
    }

    /// The ruling for an attribute; `parent` is the sequence around it.
    @inline(__always)
    func ruling(_ tag: Tag, in parent: Tag?) -> Ruling {
        let found = parent.map { nested.rulings[ObjectDefinitions.key($0.rawValue, tag.rawValue)] } ?? top[tag.rawValue]
        return found ?? Ruling(action: .remove, rule: .notOfThisObject)
    }

    /// Numbers that tell how pixels are to be read and shown: they stay in objects whose IOD does not list them, which is
    /// common, for without them the pixels would mean something else.
    private static let pixelNumbers: [UInt32] = [
        0x0028_0002, 0x0028_0004, 0x0028_0006, 0x0028_0008, 0x0028_0009, 0x0028_0010, 0x0028_0011, 0x0028_0030,
        0x0028_0034, 0x0028_0100, 0x0028_0101, 0x0028_0102, 0x0028_0103, 0x0028_0106, 0x0028_0107, 0x0028_0120,
        0x0028_0121, 0x0028_1050, 0x0028_1051, 0x0028_1052, 0x0028_1053, 0x0028_2110, 0x0028_2112, 0x0028_2114,
        0x0018_1063, 0x0018_1065,
        // What Frame Increment Pointer points to: of which window, detector, slice and time each frame is.
        0x0054_0010, 0x0054_0020, 0x0054_0050, 0x0054_0060, 0x0054_0070, 0x0054_0080, 0x0054_0090, 0x0054_0100,
    ]
}

/// The rulings inside of sequences, which are the same for all objects.
final class NestedPlan: Sendable {
    let rulings: [UInt64: Ruling]

    init(_ profile: Profile, rules: SiteRules) {
        var rulings = ObjectDefinitions.nested.reduce(into: [UInt64: Ruling](minimumCapacity: 12_000)) {
            let tag = Tag(UInt32(truncatingIfNeeded: $1.key))
            $0[$1.key] = Ruling.standard(tag, $1.value, profile, isTypeKnown: true)
        }
        if !rules.attributes.isEmpty {
            let byTag = Swift.Dictionary(rules.attributes.map { ($0.tag.rawValue, $0) }) { first, _ in first }
            for key in rulings.keys {
                guard let rule = byTag[UInt32(truncatingIfNeeded: key)], let before = rulings[key] else { continue }
                rulings[key] = rule.applied(to: before)
            }
        }
        self.rulings = rulings
    }
}

extension SiteRules.AttributeRule {
    fileprivate func apply(to rulings: inout [UInt32: Ruling]) {
        let before = rulings[tag.rawValue] ?? Ruling(action: .remove, rule: .notOfThisObject)
        rulings[tag.rawValue] = applied(to: before)
    }

    fileprivate func applied(to before: Ruling) -> Ruling {
        let wanted: Action =
            switch wish {
            case .keep: .keep
            case .clean: .clean
            case .dummy: .dummy
            case .empty: .empty
            case .remove: .remove
            }
        // Without leave a rule only tightens.
        guard loosens || wanted > before.action else { return before }
        return Ruling(action: wanted, rule: .siteRule, needsValue: before.needsValue)
    }
}

extension Ruling {
    /// What table and IOD say together. PS3.15 Tables E.1-1 and E.1-1a.
    ///
    /// - Parameter isTypeKnown: false where nothing is known of the object: then a value that says nothing stands in
    ///   place of whatever might be required.
    static func standard(
        _ tag: Tag, _ type: AttributeType, _ profile: Profile, isTypeKnown: Bool
    ) -> Ruling {
        let isRequired = type == .required
        guard let row = Confidentiality.rows[tag.rawValue] else { return unlisted(tag, type, profile) }
        var action = Action(row.code(profile.options), type, row: row, profile: profile)
        // Without these the object would be none of its class; a value that says nothing stands in their place.
        if action == .remove, isRequired, requiredAnyway.contains(tag.rawValue) { action = .dummy }
        // (0040,100A) of a hanging protocol and (0040,1001) of a report's request must be there, and may be empty.
        if action == .remove, type == .requiredMayBeEmpty, [0x0040_100A, 0x0040_1001].contains(tag.rawValue) {
            action = .empty
        }
        return Ruling(action: action, rule: .confidentialityTable, needsValue: isRequired)
    }

    /// Attributes that the table removes although objects must have them: when presentation states were made and a
    /// radiopharmaceutical was given.
    private static let requiredAnyway: Set<UInt32> = [0x0070_0082, 0x0070_0083, 0x0018_1078]

    /// An attribute of the object of which the table does not speak.
    private static func unlisted(_ tag: Tag, _ type: AttributeType, _ profile: Profile) -> Ruling {
        let isRequired = type == .required
        switch Dictionary.vr(of: tag) {
        case .DA, .DT, .TM:
            if profile.has(.retainFullDates) { return Ruling(action: .keep, rule: .dateByVR, needsValue: isRequired) }
            if profile.has(.retainModifiedDates) {
                return Ruling(action: .shift, rule: .dateByVR, needsValue: isRequired)
            }
            let action: Action = isRequired ? .dummy : type == .optional ? .remove : .empty
            return Ruling(action: action, rule: .dateByVR, needsValue: isRequired)
        case .PN: return Ruling(action: .dummy, rule: .freeText, needsValue: isRequired)
        case .UI:
            let isKept = profile.has(.retainUIDs) || isClass(tag)
            return Ruling(action: isKept ? .keep : .uid, rule: .uid, needsValue: isRequired)
        case .UR where tag.rawValue != 0x0008_0120 && tag.rawValue != 0x0008_010E:
            return Ruling(action: isRequired ? .dummy : .remove, rule: .link, needsValue: isRequired)
        default: break
        }
        if isIdentity(tag, profile) {
            let action: Action = isRequired ? .dummy : type == .optional ? .remove : .empty
            return Ruling(action: action, rule: .identityByName, needsValue: isRequired)
        }
        switch tag.rawValue {
        // The birth date in another calendar.
        case 0x0010_0033, 0x0010_0034: return Ruling(action: .remove, rule: .dateByVR, needsValue: isRequired)
        // Who assigned an identifier, as (0010,0021) of which the table speaks.
        case 0x0008_0051, 0x0010_0024, 0x0040_0026, 0x0040_0027, 0x0040_0036, 0x0040_0039, 0x0040_003A:
            let isKept = profile.has(.retainInstitutionIdentity)
            return Ruling(action: isKept ? .keep : .remove, rule: .freeText, needsValue: isRequired)
        // Identifies a document in some institution's archive. PS3.3 §C.12.1.
        case 0x0040_E001: return Ruling(action: .dummy, rule: .link, needsValue: isRequired)
        // What encrypted or signed content holds cannot be looked at.
        case 0x0400_0120, 0x0400_0520, 0x0400_0500, 0x0016_0062, 0x0068_6300:
            return Ruling(action: .remove, rule: .beside, needsValue: isRequired)
        default: return Ruling(action: .keep, rule: .freeText, needsValue: isRequired)
        }
    }

    /// Attributes that name somebody, some place or some machine although no row of the table says so: who made a hanging
    /// protocol and for whom, issuers of identifiers, a breed's registration, media, authorizations, time servers; and
    /// devices, unless their identity stays.
    private static func isIdentity(_ tag: Tag, _ profile: Profile) -> Bool {
        switch tag.rawValue {
        case 0x0072_0008, 0x0072_0010, 0x0040_0031, 0x0040_0032, 0x0010_2295, 0x0088_0130, 0x0100_0424, 0x0100_0426,
            0x0018_1803:
            true
        case 0x0018_1003, 0x3002_0020: !profile.has(.retainDeviceIdentity)
        default: false
        }
    }

    /// UIDs that say what something is, not which.
    private static func isClass(_ tag: Tag) -> Bool {
        switch tag.rawValue {
        case 0x0008_0016, 0x0008_001A, 0x0008_001B, 0x0008_0062, 0x0008_010C, 0x0008_0117, 0x0008_0118, 0x0008_1150,
            0x0008_115A, 0x0008_040E, 0x0034_0003, 0x0400_0010, 0x3010_0052, 0x3010_0053, 0x0088_0140:
            true
        default: false
        }
    }
}

extension Action {
    /// One action of a code that leaves a choice.
    fileprivate init(_ code: ActionCode, _ type: AttributeType, row: ConfidentialityRow, profile: Profile) {
        switch code {
        case .k: self = row.isDated && profile.has(.retainModifiedDates) ? .shift : .keep
        case .c: self = row.isDated && profile.has(.retainModifiedDates) ? .shift : .clean
        case .u: self = .uid
        case .x: self = .remove
        case .d: self = .dummy
        case .z: self = type == .required ? .dummy : .empty
        case .zd: self = type == .required ? .dummy : .empty
        case .xz: self = type == .required ? .dummy : type == .optional ? .remove : .empty
        case .xd, .xzd: self = type == .required ? .dummy : type == .optional ? .remove : .empty
        // References whose UIDs are mapped say nothing, and other parts of the object rely on them.
        case .xzu: self = type == .optional ? .remove : .clean
        }
    }
}
