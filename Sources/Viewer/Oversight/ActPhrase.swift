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
        guard let colon = reason.firstIndex(of: ":"), let pair = alerts[String(reason[..<colon])] else { return reason }
        return (language == .chinese ? pair.0 : pair.1) + reason[colon...]
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
