import DICOM

extension SiteRules {
    /// Each rule in plain words, Chinese and English in one line; what loosens says so, and why.
    public var words: [String] {
        options.map { $0.words } + attributes.map { $0.words } + privates.map { $0.words }
            + (voiceReason.map { ["语音录音放行，放宽，理由：\($0)；voices may pass, loosens: \($0)"] } ?? [])
    }
}

extension SiteRules.OptionRule {
    fileprivate var words: String {
        let (chinese, english) = isTaken ? ("采用", "taken") : ("不采用", "left away")
        return Self.reasoned(
            "选项 \(option.codeValue) \(chinese)", "option \(option.codeValue) \(english)", loosens, reason)
    }

    fileprivate static func reasoned(_ chinese: String, _ english: String, _ loosens: Bool, _ reason: String) -> String
    {
        let why = reason.isEmpty ? ("", "") : (loosens ? ("，放宽，理由：", ", loosens: ") : ("，理由：", ", because: "))
        return "\(chinese)\(why.0)\(reason)；\(english)\(why.1)\(reason)"
    }
}

extension SiteRules.AttributeRule {
    fileprivate var words: String {
        let name = "\(tag) \(DICOM.Dictionary.keyword(of: tag) ?? "")"
        return SiteRules.OptionRule.reasoned("\(name) \(wish.chinese)", "\(wish.rawValue)", loosens, reason)
    }
}

extension SiteRules.Wish {
    fileprivate var chinese: String {
        switch self {
        case .keep: "保留"
        case .clean: "清理"
        case .dummy: "以固定值替换"
        case .empty: "置空"
        case .remove: "去除"
        }
    }
}

extension SiteRules.PrivateRule {
    fileprivate var words: String {
        func digits(_ number: some BinaryInteger, _ count: Int) -> String {
            let text = String(number, radix: 16, uppercase: true)
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        let name = "(\(digits(group, 4)),xx\(digits(element, 2))) \(creator) \(vr)"
        return SiteRules.OptionRule.reasoned("私有属性 \(name) 保留", "private attribute stays", true, reason)
    }
}
