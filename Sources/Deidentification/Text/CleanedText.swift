/// What a text became.
public struct CleanedText: Hashable, Sendable {
    public var text: String
    /// What was found, in the order of the rules; no rule twice.
    public var findings: [TextFinding]

    public init(text: String, findings: [TextFinding]) {
        self.text = text
        self.findings = findings
    }
}

/// How often a rule changed something.
public struct TextFinding: Hashable, Sendable {
    public var rule: TextRule
    public var count: Int

    public init(rule: TextRule, count: Int) {
        self.rule = rule
        self.count = count
    }
}

/// What was taken out of a text, and why.
public enum TextRule: String, Hashable, Sendable, CaseIterable {
    /// A name that the object itself holds, in any of its forms.
    case knownName
    /// An identifier that the object itself holds.
    case knownIdentifier
    /// A telephone number, address or other contact that the object itself holds.
    case knownContact
    /// An institution that the object itself names.
    case knownInstitution
    /// The day of birth.
    case birthDate
    /// Ideographs that are read as a name which the object holds in letters only.
    case readingOfName
    /// A name beside a label or title.
    case labelledName
    case residentNumber
    case documentNumber
    case recordNumber
    case telephoneNumber
    case bankCard
    case longNumber
    case vehiclePlate
    case electronicAddress
    case networkAddress
    case address
    case institution
    case date
    /// An age over 89 years.
    case advancedAge
    /// The text has more bytes, or the object more names, than are looked at: all of it was taken out.
    case overlong

    /// What stands in place of what was taken out of a Chinese text, and of another.
    var marks: (chinese: String, other: String) {
        switch self {
        case .knownName, .readingOfName, .labelledName: ("〔姓名〕", "[NAME]")
        case .knownIdentifier, .documentNumber, .recordNumber, .longNumber: ("〔编号〕", "[ID]")
        case .residentNumber: ("〔证件号〕", "[ID]")
        case .knownContact: ("〔联系方式〕", "[CONTACT]")
        case .telephoneNumber: ("〔电话〕", "[PHONE]")
        case .bankCard: ("〔卡号〕", "[ID]")
        case .vehiclePlate: ("〔车牌〕", "[PLATE]")
        case .electronicAddress: ("〔邮箱〕", "[EMAIL]")
        case .networkAddress: ("〔网址〕", "[URL]")
        case .address: ("〔地址〕", "[ADDRESS]")
        case .knownInstitution, .institution: ("〔机构〕", "[INSTITUTION]")
        case .date, .birthDate: ("〔日期〕", "[DATE]")
        case .advancedAge: ("〔90以上〕", "[90+]")
        case .overlong: ("〔文本〕", "[TEXT]")
        }
    }
}
