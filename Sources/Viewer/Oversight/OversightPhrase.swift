import Access

/// What the pages of oversight say.
enum OversightPhrase: String, CaseIterable, Sendable {
    case oversight, emergencies, grants, consents, review, audit, alerts, statistics, sections, notDone, none
    case takeEmergency, emergencyHow, patientID, issuer, studyUID, reason, reasonHow, start, mine, toReview
    case who, institution, subject, from, until, state, underWay, ended, end, openReview, lateReview
    case justified, notJustified, note, submitReview, patientOf, studyOf, addGrant, to, toInstitution
    case toPerson, name, owner, studies, studiesHow, series, seriesHow, verbs, masking, days, because
    case becauseHow, consent, noConsent, make, revoke, everything, notStanding, over, holds, addConsent, kind
    case purpose, evidence, evidenceHow, institutions, people, withdraw, withdrawn, toCome, confirm, reviewHow
    case lastUsed, confirmed, due, expired, expires, about, never, account, peer, grant, destination, client
    case time, act, outcome, object, door, search, actor, anyAct, found, cut, auditHow, success, refused
    case failed, alert, month, modality, count, fewer, statisticsHow, full, clinical, deidentified
    case institutionsAndRoles, accounts, peers, given, received, destinations, abroad, role, roles, rolesHow
    case openAlerts, acknowledgedAlerts, noOpenAlert, acknowledge, acknowledgeHow, choose, acknowledgedAt
    case acknowledgedBy
    case reachGranted, reachOwn, storeVerb, commitVerb, sendVerb, removeVerb
    case statisticsOnly, searchVerb, readVerb, retrieveVerb, kindConsent, kindAuthorisation, kindAbroad

    func text(_ language: Language) -> String {
        let pair = both
        return language == .chinese ? pair.0 : pair.1
    }

    /// Chinese, English.
    private var both: (String, String) {
        switch self {
        case .oversight: ("访问管理", "Oversight")
        case .emergencies: ("紧急访问", "Emergency access")
        case .grants: ("授权", "Grants")
        case .consents: ("同意与授权记录", "Consent records")
        case .review: ("权限复核", "Permission review")
        case .audit: ("审计检索", "Audit search")
        case .alerts: ("告警", "Alerts")
        case .statistics: ("统计", "Statistics")
        case .sections: ("访问管理页面", "Pages of oversight")
        case .notDone: ("未完成，请检查填写内容", "Not done, look at what was filled in")
        case .none: ("无", "None")
        case .takeEmergency: ("申请紧急访问", "Take emergency access")
        case .emergencyHow:
            (
                "仅用于紧急救治：指定一名患者或一项检查并说明理由。访问立即生效、限时结束，全程记录，立即告警，并由影像所属机构复核。",
                "For emergencies alone: name one patient or study and give a reason. It begins at "
                    + "once, ends by itself, is recorded, alerted at once, and looked at by the institution"
                    + " whose images they are."
            )
        case .patientID: ("患者编号", "Patient ID")
        case .issuer: ("患者编号签发机构", "Issuer of the patient ID")
        case .studyUID: ("检查实例 UID（或填写患者编号）", "Study Instance UID (or a patient ID)")
        case .reason: ("理由", "Reason")
        case .reasonHow: ("8 至 1024 字节", "8 to 1024 bytes")
        case .start: ("立即开始", "Begin now")
        case .mine: ("我的紧急访问", "My emergency access")
        case .toReview: ("待复核与已复核", "To look at, and looked at")
        case .who: ("人员", "Who")
        case .institution: ("机构", "Institution")
        case .subject: ("对象", "Subject")
        case .from: ("开始", "From")
        case .until: ("截止", "Until")
        case .state: ("状态", "State")
        case .underWay: ("进行中", "Under way")
        case .ended: ("已结束", "Ended")
        case .end: ("结束", "End")
        case .openReview: ("待复核", "To be looked at")
        case .lateReview: ("逾期未复核", "Late")
        case .justified: ("合理", "Justified")
        case .notJustified: ("不合理", "Not justified")
        case .note: ("复核意见", "What you found")
        case .submitReview: ("提交复核", "Submit")
        case .patientOf: ("患者", "Patient")
        case .studyOf: ("检查", "Study")
        case .addGrant: ("新增授权", "Make a grant")
        case .to: ("授予", "To")
        case .toInstitution: ("机构", "Institution")
        case .toPerson: ("人员账号", "Account of a person")
        case .name: ("名称", "Name")
        case .owner: ("影像所属机构", "Images of")
        case .studies: ("检查", "Studies")
        case .studiesHow: ("检查实例 UID，每行一个", "Study Instance UIDs, one a line")
        case .series: ("序列", "Series")
        case .seriesHow:
            (
                "检查 UID/序列 UID，每行一个；该检查的其他序列不可见",
                "STUDY/SERIES by their UIDs, one a line; nothing else of the study is seen"
            )
        case .verbs: ("允许", "May")
        case .masking: ("显示方式", "Shown")
        case .days: ("天数", "Days")
        case .because: ("依据", "Because")
        case .becauseHow: ("所依据的会诊、同意或合同", "The consultation, consent or contract it rests on")
        case .consent: ("同意记录", "Consent record")
        case .noConsent: ("不依据记录", "None")
        case .make: ("新增", "Make it")
        case .revoke: ("撤销", "Revoke")
        case .everything: ("全部", "Everything")
        case .notStanding: ("不再有效", "Does not hold")
        case .over: ("已到期", "Over")
        case .holds: ("有效", "Holds")
        case .addConsent: ("新增记录", "Keep a record")
        case .kind: ("类别", "Kind")
        case .purpose: ("用途", "Purpose")
        case .evidence: ("凭据", "Evidence")
        case .evidenceHow:
            (
                "存放位置、由谁取得；文件由本机操作员用 huizhen consent add --document 存入",
                "Where it is, who took it; the local operator keeps files by huizhen consent add "
                    + "--document"
            )
        case .institutions: ("机构，每行一个", "Institutions, one a line")
        case .people: ("人员账号，每行一个", "Accounts of people, one a line")
        case .withdraw: ("撤回", "Withdraw")
        case .withdrawn: ("已撤回", "Withdrawn")
        case .toCome: ("未生效", "To come")
        case .confirm: ("确认", "Confirm")
        case .reviewHow:
            (
                "每项权限须定期确认；逾期未确认的自动失效。确认后恢复。",
                "Everything that stands is confirmed now and then; what is not expires by itself. "
                    + "Confirming brings it back."
            )
        case .lastUsed: ("最近使用", "Last used")
        case .confirmed: ("已确认", "Confirmed")
        case .due: ("待确认", "To be confirmed")
        case .expired: ("已失效", "Expired")
        case .expires: ("失效时间", "Expires")
        case .about: ("内容", "May")
        case .never: ("从未", "Never")
        case .account: ("账号", "Account")
        case .peer: ("DICOM 节点", "Peer")
        case .grant: ("授权", "Grant")
        case .destination: ("目的地", "Destination")
        case .client: ("接口客户端", "Client")
        case .time: ("时间", "Time")
        case .act: ("行为", "Act")
        case .outcome: ("结果", "Outcome")
        case .object: ("对象", "Object")
        case .door: ("入口", "Door")
        case .search: ("检索", "Search")
        case .actor: ("操作者", "Who")
        case .anyAct: ("全部行为", "Any act")
        case .found: ("条记录", "records")
        case .cut: ("只显示最新的", "Only the latest are shown:")
        case .auditHow:
            (
                "检索本机构人员与系统的记录；对象填写仅由本机构发送的检查的实例 UID 时，列出任何人对该检查的操作。检索本身也被记录。",
                "Records of the own institution's people and systems and, of a study that it alone sent, named by its "
                    + "Study Instance UID, what anybody did with it. That you search is recorded too."
            )
        case .success: ("成功", "Success")
        case .refused: ("被拒绝", "Refused")
        case .failed: ("失败", "Failed")
        case .alert: ("告警", "Alert")
        case .openAlerts: ("待处理的告警", "Open alerts")
        case .acknowledgedAlerts: ("已确认的告警", "Acknowledged alerts")
        case .noOpenAlert: ("没有待处理的告警", "No alert is open")
        case .acknowledge: ("确认所选告警", "Acknowledge what is chosen")
        case .acknowledgeHow:
            ("核实结果或处理措施，8 至 1024 字节；记入审计", "What was found or done, 8 to 1024 bytes; it goes on the record")
        case .choose: ("选择", "Choose")
        case .acknowledgedAt: ("确认时间", "Acknowledged at")
        case .acknowledgedBy: ("确认人", "By")
        case .month: ("月份", "Month")
        case .modality: ("检查类别", "Modality")
        case .count: ("检查数", "Studies")
        case .fewer: ("少于 5", "fewer than 5")
        case .statisticsHow: ("只含数量，不含患者；少于 5 的不显示。", "Counts alone, no patient; fewer than five are not told.")
        case .full: ("完整", "Full")
        case .clinical: ("临床（隐去身份）", "Clinical")
        case .deidentified: ("去标识", "De-identified")
        case .statisticsOnly: ("仅统计", "Counts alone")
        case .institutionsAndRoles: ("机构与角色", "Institutions and roles")
        case .accounts: ("账号", "Accounts")
        case .peers: ("DICOM 节点", "Peers")
        case .given: ("授出", "Grants given")
        case .received: ("获授", "Grants received")
        case .destinations: ("已批准目的地", "Approved destinations")
        case .abroad: ("境外", "abroad")
        case .role: ("角色", "Role")
        case .roles: ("各角色的权限", "What each role may do")
        case .rolesHow:
            (
                "未列出的一律拒绝。“本机构”指本机构发送的影像以及获授的影像。",
                "What does not stand here is refused. Own is what the own institution sent, and what was granted."
            )
        case .reachGranted: ("获授的", "granted")
        case .reachOwn: ("本机构及获授的", "own and granted")
        case .storeVerb: ("存储", "Store")
        case .commitVerb: ("存储确认", "Commitment")
        case .sendVerb: ("发送", "Send")
        case .removeVerb: ("删除", "Remove")
        case .searchVerb: ("检索", "Search")
        case .readVerb: ("查看信息", "Read attributes")
        case .retrieveVerb: ("调阅影像", "Retrieve images")
        case .kindConsent: ("患者同意", "Consent of the patient")
        case .kindAuthorisation: ("授权", "Authorisation")
        case .kindAbroad: ("出境批准", "Approval to leave the country")
        }
    }
}

extension Verb {
    /// As a form offers it; nil for what no form does.
    var phrase: OversightPhrase? {
        switch self {
        case .search, .read, .retrieve: name
        default: nil
        }
    }

    /// What it is called.
    var name: OversightPhrase {
        switch self {
        case .search: .searchVerb
        case .read: .readVerb
        case .retrieve: .retrieveVerb
        case .store: .storeVerb
        case .commit: .commitVerb
        case .send: .sendVerb
        case .remove: .removeVerb
        case .statistics: .statistics
        }
    }
}

extension Masking {
    var phrase: OversightPhrase {
        switch self {
        case .full: .full
        case .clinical: .clinical
        case .deidentified: .deidentified
        case .statistics: .statisticsOnly
        }
    }
}

extension Consent.Kind {
    var phrase: OversightPhrase {
        switch self {
        case .consent: .kindConsent
        case .authorisation: .kindAuthorisation
        case .abroad: .kindAbroad
        }
    }
}

extension ReviewKind {
    var phrase: OversightPhrase {
        switch self {
        case .account: .account
        case .peer: .peer
        case .grant: .grant
        case .destination: .destination
        case .client: .client
        }
    }
}

extension ReviewItem.State {
    var phrase: OversightPhrase {
        switch self {
        case .confirmed: .confirmed
        case .due: .due
        case .expired: .expired
        }
    }
}
