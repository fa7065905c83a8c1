extension Profile {
    /// The profile as rules change it, and the rules, in plain words, Chinese first.
    ///
    /// - Parameter rules: read for this profile.
    public func words(_ rules: SiteRules = .none) -> String {
        let lines = (rules.changedProfile ?? self).lines
        if rules.words.isEmpty { return lines }
        return lines + "\n本院规则 Site rules\n" + rules.words.map { "  " + $0 }.joined(separator: "\n")
    }

    private var lines: String {
        var lines = ["去标识化方案 \(name)（PS3.15 附录 E 基本方案\(options.isEmpty ? "" : "及选项")）", "  " + dropped.chinese]
        lines += orderedOptions.map { "  \($0.codeValue) \($0.chinese)" }
        lines.append(
            "De-identification profile \(name) (PS3.15 Annex E, Basic Profile\(options.isEmpty ? "" : " with options"))"
        )
        lines.append("  " + dropped.english)
        lines += orderedOptions.map { "  \($0.codeValue) \($0.english)" }
        return lines.joined(separator: "\n")
    }

    private var dropped: (chinese: String, english: String) {
        var chinese = ["姓名、编号、联系方式改为假名或去除", "不属于该类对象的属性和未知私有属性一律去除"]
        var english = [
            "names, identifiers and contacts become pseudonyms or go",
            "attributes that do not belong into the object and unknown private ones go",
        ]
        if !has(.retainFullDates), !has(.retainModifiedDates) {
            chinese.append("日期与时间去除或改为固定值")
            english.append("dates and times go or become fixed ones")
        }
        if !has(.retainUIDs) {
            chinese.append("UID 一致替换")
            english.append("UIDs are replaced, everywhere alike")
        }
        return (chinese.joined(separator: "；"), english.joined(separator: "; "))
    }
}
