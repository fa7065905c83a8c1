extension RunReport {
    /// A page for people, Chinese first.
    public var html: String {
        var page = """
            <!DOCTYPE html>
            <html lang="zh-CN"><head><meta charset="utf-8"><title>去标识化报告 · De-identification report</title>
            <style>body{font:15px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}\
            table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #ccc;padding:.3em .6em;text-align:left;\
            vertical-align:top}td.n{text-align:right}small{color:#555}</style></head><body>
            <h1>去标识化报告 <small>De-identification report</small></h1>
            <table>
            """
        page += Self.row("项目 <small>project</small>", Self.escaped(project))
        page += Self.row("方案 <small>profile</small>", Self.escaped(profile))
        page += Self.row("选项 <small>options</small>", options.map(Self.escaped).joined(separator: "<br>"))
        if !siteRules.isEmpty {
            page += Self.row(
                "本院规则 <small>site rules</small>", siteRules.map(Self.escaped).joined(separator: "<br>"))
        }
        page += Self.row("已去标识化 <small>de-identified</small>", "\(instanceCount)")
        page += Self.row("已隔离，未放行 <small>quarantined, not passed on</small>", "\(quarantinedCount)")
        page += Self.row("非 DICOM 文件，未复制 <small>no DICOM, not copied</small>", "\(foreign.count)")
        page += "</table>\n<p>保留密钥的假名可由密钥持有人还原，因此这是去标识化。\n"
        page +=
            "<small>Who has the project's key can trace pseudonyms back, so this is de-identification.</small></p>\n"
        page += "<h2>按规则 <small>by rule</small></h2>\n<table>"
        for (rule, count) in changesByRule.sorted(by: { $0.key < $1.key }) {
            let words = Rule(rawValue: rule).map { "\($0.chinese) <small>\($0.english)</small>" } ?? Self.escaped(rule)
            page += "<tr><td>\(words)</td><td class=\"n\">\(count)</td></tr>\n"
        }
        page += "</table>\n"
        if !quarantined.isEmpty {
            page += "<h2>隔离原因 <small>why instances were quarantined</small></h2>\n<table>"
            for held in quarantined {
                page += Self.row(Self.escaped(held.source), "\(Self.escaped(held.reason)) <small>\(held.kind)</small>")
            }
            page += "</table>\n"
        }
        if !foreign.isEmpty {
            page += "<h2>非 DICOM 文件 <small>no DICOM</small></h2>\n<p>"
            page += foreign.map(Self.escaped).joined(separator: "<br>") + "</p>\n"
        }
        return page + "</body></html>\n"
    }

    private static func row(_ head: String, _ value: String) -> String {
        "<tr><th>\(head)</th><td>\(value)</td></tr>\n"
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}

extension Rule {
    public var chinese: String {
        switch self {
        case .confidentialityTable: "PS3.15 表 E.1-1"
        case .structuredContent: "结构化报告内容（表 E.3.4-1）"
        case .notOfThisObject: "不属于该类对象的属性"
        case .privateAttribute: "私有属性"
        case .dateByVR: "表外日期"
        case .identityByName: "表外标识"
        case .link: "链接与地址"
        case .freeText: "自由文本"
        case .uid: "表外 UID"
        case .notOfItsVR: "不符合值表示的内容"
        case .age: "89 岁以上年龄"
        case .siteRule: "本院规则"
        case .beside: "叠加层、曲线、签名等"
        case .pixelData: "像素中的未用位与多余字节"
        case .codedFrame: "压缩帧中的附加信息"
        case .pixelRectangle: "按规则遮盖的像素区域（超声区域之外亦遮盖）"
        case .burnedInText: "像素中识别并遮盖的文字"
        case .recoded: "重新编码的帧"
        case .encapsulatedDocument: "封装文档"
        case .iccProfile: "颜色配置文件文字"
        }
    }

    public var english: String {
        switch self {
        case .confidentialityTable: "PS3.15 Table E.1-1"
        case .structuredContent: "content of structured reports (Table E.3.4-1)"
        case .notOfThisObject: "attributes that do not belong into the object"
        case .privateAttribute: "private attributes"
        case .dateByVR: "dates of which the table does not speak"
        case .identityByName: "names and identifiers of which the table does not speak"
        case .link: "links and addresses"
        case .freeText: "free text"
        case .uid: "UIDs of which the table does not speak"
        case .notOfItsVR: "values that their VR does not allow"
        case .age: "ages over 89"
        case .siteRule: "rules of the site"
        case .beside: "overlays, curves, signatures and the like"
        case .pixelData: "unused bits and surplus bytes of pixel data"
        case .codedFrame: "additions inside coded frames"
        case .pixelRectangle: "rectangles of the site's rules, and what lay around ultrasound regions, blanked"
        case .burnedInText: "words found in pixels and blanked"
        case .recoded: "frames coded anew"
        case .encapsulatedDocument: "encapsulated documents"
        case .iccProfile: "texts of colour profiles"
        }
    }
}
