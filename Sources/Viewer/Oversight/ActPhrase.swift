import Audit

/// What the pages call acts.
enum ActPhrase {
    static func text(_ event: AuditEvent, _ language: Language) -> String {
        let pair = both(event)
        return language == .chinese ? pair.0 : pair.1
    }

    /// Chinese, English.
    private static func both(_ event: AuditEvent) -> (String, String) {
        switch event {
        case .serviceStarted: ("服务启动", "Service started")
        case .serviceStopped: ("服务停止", "Service stopped")
        case .signedIn: ("登录", "Signed in")
        case .signInRefused: ("登录被拒绝", "Sign-in refused")
        case .signedOut: ("退出", "Signed out")
        case .callerRefused: ("拒绝", "Refused")
        case .signInBegan: ("开始登录", "Sign-in began")
        case .searched: ("检索", "Searched")
        case .accessed: ("调阅", "Read")
        case .transferred: ("发送", "Sent")
        case .exported: ("导出", "Exported")
        case .storeBegan: ("开始存储", "Store began")
        case .stored: ("存储", "Stored")
        case .imported: ("导入", "Imported")
        case .removed: ("删除", "Removed")
        case .restored: ("恢复", "Restored")
        case .corrected: ("更正", "Corrected")
        case .heldOrReleased: ("保全或解除", "Held or released")
        case .configurationChanged: ("配置变更", "Configuration changed")
        case .accountChanged: ("账号变更", "Account changed")
        case .roleChanged: ("权限变更", "Permission changed")
        case .emergencyStarted: ("紧急访问开始", "Emergency access began")
        case .emergencyEnded: ("紧急访问结束", "Emergency access ended")
        case .auditRead: ("审计查阅", "Audit log read")
        case .anchored: ("审计锚定", "Anchored")
        case .alerted: ("告警", "Alert")
        case .alertAcknowledged: ("确认告警", "Alert acknowledged")
        }
    }

    /// An alert as it is recorded: its kind, a colon, and what was found.
    static func alert(_ reason: String, _ language: Language) -> String {
        if reason == "locked out" { return language == .chinese ? "登录失败过多，已锁定" : "Locked out" }
        guard let colon = reason.firstIndex(of: ":"), let pair = alerts[String(reason[..<colon])] else { return reason }
        guard language == .chinese else { return pair.1 + reason[colon...] }
        return pair.0 + "：" + inChinese(String(reason[reason.index(after: colon)...].drop { $0 == " " }))
    }

    /// What `AlertRules` and `AlertWatch` write, in Chinese; anything else as it is.
    private static func inChinese(_ text: String) -> String {
        if let said = fixed[text] { return said }
        if let found = text.wholeMatch(of: #/(\d+) refusals within (\d+) s/#) {
            return "\(found.2) 秒内被拒绝 \(found.1) 次"
        }
        if let found = text.wholeMatch(of: #/(\d+) instances within (\d+) s( outside working hours)?/#) {
            return "\(found.2) 秒内\(found.3 == nil ? "" : "于非工作时间")调阅 \(found.1) 个影像实例"
        }
        if let found = text.wholeMatch(of: #/(\d+) studies or more within (\d+) s/#) {
            return "\(found.2) 秒内调阅至少 \(found.1) 项检查"
        }
        if let found = text.wholeMatch(of: #/the clock jumped by (-?\d+) s/#) { return "时钟跳变 \(found.1) 秒" }
        if let found = text.wholeMatch(of: #/an audit sink cannot be reached for (\d+) s/#) {
            return "审计接收端 \(found.1) 秒无法连接"
        }
        return text
    }

    private static let fixed = [
        "somebody used emergency access": "有人启用了紧急访问",
        "acts are refused because they cannot be recorded": "因无法写入审计，操作被拒绝",
        "transfers were given up: see `huizhen transfer status`": "有传输已放弃，见 huizhen transfer status",
    ]

    /// What something was done to: its kind and its name.
    static func object(_ object: AuditObject, _ language: Language) -> String {
        guard language == .chinese else { return "\(object.kind.name) \(object.name)" }
        let kind =
            switch object.kind {
            case .patient: "患者"
            case .study: "检查"
            case .series: "序列"
            case .instance: "影像实例"
            case .account: "账号"
            case .peer: "节点"
            case .route: "路由"
            case .key: "密钥"
            case .destination: "目的地"
            case .query: "查询"
            case .setting: "设置"
            case .grant: "授权"
            case .auditLog: "审计记录"
            case .alert: "告警"
            }
        return "\(kind) \(object.name)"
    }

    private static let alerts = [
        "mass-export": ("大量调阅", "Mass export"),
        "repeated-refusal": ("多次被拒绝", "Repeated refusal"),
        "off-hours": ("非工作时间大量调阅", "Reading outside working hours"),
        "emergency-access": ("紧急访问", "Emergency access"),
        "clock-jump": ("时钟跳变", "Clock jump"),
        "audit-refused": ("无法写入审计", "Record could not be written"),
        "audit-altered": ("审计被篡改", "Record altered"),
        "sink-away": ("审计接收端失联", "Audit sink away"),
        "transfer-given-up": ("传输已放弃", "Transfer given up"),
    ]
}
