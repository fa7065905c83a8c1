import Access

/// What the pages about people say.
enum PeoplePhrase: String, CaseIterable, Sendable {
    case accountName, password, next, localOperator, signInRefused, code, codeHow, verify, newPassword, newPasswordHow
    case passwordAgain, passwordsDiffer, setPassword, enrol, enrolHow, enrolSecret, enrolCode, enrolLabel, codeRefused
    case recoveryCodes, recoveryHow, recoveryLeft, recoveryNew, goOn, cancel
    case account, displayName, institution, roles, state, secondFactor, none, presentPassword, changePassword
    case sessions, started, lastUsed, address, browser, thisSession, end, endOthers
    case users, user, noUsers, searchUsers, usersCut, invite, inviteHow, lastSignIn, never, save, disable,
        enable, reset, resetHow,
        unlock
    case signInBy, signedOut, signedOutHow, signOutBy, providerRefused, useCertificate, certificates, certificatesHow,
        noCertificate, addCertificate,
        removeCertificates, oneTimePassword, oneTimeHow, history, change, by, at, details, lockedOut, actions

    func text(_ language: Language) -> String {
        let pair = both
        return language == .chinese ? pair.0 : pair.1
    }

    /// Chinese, English.
    private var both: (String, String) {
        switch self {
        case .accountName: ("用户名", "User name")
        case .password: ("密码", "Password")
        case .next: ("下一步", "Next")
        case .signInBy: ("使用统一身份认证登录：", "Sign in by")
        case .signedOut: ("已退出", "Signed out")
        case .signedOutHow:
            (
                "您已退出本系统，但统一身份认证仍可能处于登录状态。在公用电脑上请一并退出。",
                "You are signed out here, and perhaps still signed in at the identity provider. Sign out there, too, where others "
                    + "use this computer."
            )
        case .signOutBy: ("同时退出", "Sign out at")
        case .useCertificate: ("使用此连接的证书", "Use the certificate of this connection")
        case .certificates: ("证书登录", "Certificates")
        case .certificatesHow:
            (
                "已登记的客户端证书可以代替验证码作为第二因素。登记时须输入验证器显示的验证码。",
                "A client certificate that is registered stands for the code as second factor. To register one, enter the code "
                    + "that the authenticator shows."
            )
        case .noCertificate: ("此连接没有出示证书。", "This connection shows no certificate.")
        case .addCertificate: ("登记此连接的证书", "Register the certificate of this connection")
        case .removeCertificates: ("移除所有证书", "Remove all certificates")
        case .providerRefused:
            (
                "未能通过统一身份认证登录：请重试，或联系管理员。",
                "Not signed in by the identity provider: try again, or ask whoever looks after your account."
            )
        case .localOperator: ("本机操作员：用令牌登录", "Local operator: sign in with a token")
        case .signInRefused:
            (
                "登录失败：用户名、密码或验证码不正确，或尝试次数过多。请稍后重试。",
                "Not signed in: the name, password or code is wrong, or there were too many tries. Try again later."
            )
        case .code: ("验证码", "Code")
        case .codeHow:
            (
                "请输入验证器显示的 6 位验证码；没有验证器时，请输入一个恢复码。",
                "Enter the 6 digits that your authenticator shows; without it, one of your recovery codes."
            )
        case .verify: ("验证", "Verify")
        case .newPassword: ("新密码", "New password")
        case .newPasswordHow:
            (
                "至少 12 个字符；或至少 8 个字符，且含小写字母、大写字母、数字、其他字符中的三类。不得包含用户名，不得使用常见密码或最近用过的密码。",
                "At least 12 characters; or at least 8 of three kinds: small, capital, digit, other. Not your name, none of "
                    + "the commonest, none you used lately."
            )
        case .passwordAgain: ("再次输入新密码", "New password again")
        case .passwordsDiffer: ("两次输入的密码不一致。", "The two passwords differ.")
        case .setPassword: ("设置密码", "Set password")
        case .enrol: ("绑定验证器", "Set up your authenticator")
        case .enrolHow:
            (
                "用手机上的验证器应用扫描二维码，或手工输入密钥，然后输入应用显示的验证码。",
                "Scan the QR code with an authenticator app, or type the key into it; then enter the code it shows."
            )
        case .enrolSecret: ("密钥", "Key")
        case .enrolCode: ("验证器显示的验证码", "Code that the authenticator shows")
        case .enrolLabel: ("绑定验证器的二维码；密钥见下方文字", "QR code for the authenticator; its key stands below")
        case .codeRefused: ("验证码不正确，请重试。", "The code is wrong: try again.")
        case .recoveryCodes: ("恢复码", "Recovery codes")
        case .recoveryHow:
            (
                "请抄写或打印并妥善保管：丢失验证器时，每个恢复码可代替验证码使用一次。恢复码只显示这一次。",
                "Write them down and keep them safe: each stands once for a code when the authenticator is lost. They are "
                    + "shown only now."
            )
        case .recoveryLeft: ("剩余恢复码", "Recovery codes left")
        case .recoveryNew: ("重新生成恢复码", "Make new recovery codes")
        case .goOn: ("继续", "Go on")
        case .cancel: ("取消", "Cancel")
        case .account: ("我的账号", "My account")
        case .displayName: ("姓名", "Person's name")
        case .institution: ("机构", "Institution")
        case .roles: ("角色", "Roles")
        case .state: ("状态", "State")
        case .secondFactor: ("第二因素", "Second factor")
        case .none: ("无", "none")
        case .presentPassword: ("当前密码", "Present password")
        case .changePassword: ("修改密码", "Change password")
        case .sessions: ("会话", "Sessions")
        case .started: ("开始", "Started")
        case .lastUsed: ("最近使用", "Last used")
        case .address: ("地址", "Address")
        case .browser: ("浏览器", "Browser")
        case .thisSession: ("当前会话", "this one")
        case .end: ("结束", "End")
        case .endOthers: ("结束其他所有会话", "End all other sessions")
        case .users: ("用户", "Users")
        case .user: ("用户信息", "User")
        case .noUsers: ("没有用户。", "There are no users.")
        case .searchUsers: ("用户名、姓名或机构", "User name, person or institution")
        case .usersCut: ("只列出前 500 个用户，请检索。", "Only the first 500 users are listed: search.")
        case .invite: ("邀请用户", "Invite somebody")
        case .inviteHow:
            (
                "系统会生成一次性密码，只显示一次，请当面或以其他安全方式转交。",
                "A one-time password is made and shown once: hand it over in person or by another safe way."
            )
        case .lastSignIn: ("最近登录", "Last sign-in")
        case .never: ("从未", "never")
        case .save: ("保存", "Save")
        case .disable: ("停用", "Disable")
        case .enable: ("启用", "Enable")
        case .reset: ("重置密码和验证器", "Reset password and authenticator")
        case .resetHow:
            (
                "重置后原密码、验证器和恢复码立即失效，所有会话结束，并生成新的一次性密码。",
                "Password, authenticator and recovery codes end at once, and all sessions with them; a new one-time password "
                    + "is made."
            )
        case .unlock: ("解除锁定", "Lift the lock-out")
        case .oneTimePassword: ("一次性密码", "One-time password")
        case .oneTimeHow:
            (
                "此密码只显示这一次。本人登录后须设置新密码并绑定验证器。",
                "It is shown only now. At the first sign-in its person chooses a password and sets up an authenticator."
            )
        case .history: ("变更记录", "Changes")
        case .change: ("变更", "Change")
        case .by: ("操作人", "By")
        case .at: ("时间", "Time")
        case .details: ("详情", "Details")
        case .lockedOut: ("因多次失败已锁定", "locked out after failures")
        case .actions: ("操作", "Actions")
        }
    }
}

extension Role {
    func text(_ language: Language) -> String {
        let pair =
            switch self {
            case .regulator: ("监管者", "Regulator")
            case .institutionAdministrator: ("机构管理员", "Institution administrator")
            case .expert: ("专家", "Expert")
            case .clinician: ("临床医生", "Clinician")
            case .technician: ("技师", "Technician")
            case .operator: ("运维人员", "Operator")
            case .auditor: ("审计员", "Auditor")
            case .patient: ("患者", "Patient")
            case .system: ("系统", "System")
            }
        return language == .chinese ? pair.0 : pair.1
    }
}

extension Account.State {
    func text(_ language: Language) -> String {
        let pair =
            switch self {
            case .invited: ("已邀请", "invited")
            case .active: ("正常", "active")
            case .disabled: ("已停用", "disabled")
            }
        return language == .chinese ? pair.0 : pair.1
    }
}

extension FactorKind {
    func text(_ language: Language) -> String {
        let pair =
            switch self {
            case .totp: ("验证器", "authenticator")
            case .recoveryCode: ("恢复码", "recovery code")
            case .openID: ("统一身份认证", "identity provider")
            case .certificate: ("证书", "certificate")
            }
        return language == .chinese ? pair.0 : pair.1
    }
}

extension AccountChange.Kind {
    func text(_ language: Language) -> String {
        let pair =
            switch self {
            case .created: ("创建", "created")
            case .described: ("修改资料或角色", "described anew")
            case .disabled: ("停用", "disabled")
            case .enabled: ("启用", "enabled")
            case .reset: ("重置", "reset")
            case .unlocked: ("解除锁定", "lock-out lifted")
            case .passwordChanged: ("修改密码", "password changed")
            case .factorAdded: ("绑定验证器", "authenticator set up")
            case .recoveryCodesMade: ("生成恢复码", "recovery codes made")
            case .certificatesRemoved: ("移除证书", "certificates removed")
            case .linked: ("关联统一身份认证", "bound to the identity provider")
            }
        return language == .chinese ? pair.0 : pair.1
    }
}

extension PasswordFlaw {
    func text(_ language: Language) -> String {
        let pair =
            switch self {
            case .tooShort:
                (
                    "密码太短：至少 12 个字符，或至少 8 个字符且含三类字符。",
                    "Too short: at least 12 characters, or at least 8 of three kinds."
                )
            case .tooLong: ("密码太长。", "Too long.")
            case .holdsName: ("密码不得包含用户名或姓名。", "The password must not hold your name.")
            case .common: ("密码太常见或太有规律。", "This password is too common or too regular.")
            case .used: ("最近用过这个密码。", "You used this password lately.")
            case .unchanged: ("新密码与当前密码相同。", "This is the password in use.")
            }
        return language == .chinese ? pair.0 : pair.1
    }
}

extension AccountFlaw {
    func text(_ language: Language) -> String {
        let pair =
            switch self {
            case .nameInvalid:
                (
                    "用户名须为 2 至 64 个字符：小写字母、数字、. - _ @ 或汉字，并以字母、数字或汉字开头。",
                    "A user name has 2 to 64 of a-z, 0-9, . - _ @ and Chinese characters."
                )
            case .nameTaken: ("用户名已存在。", "There is a user of that name.")
            case .displayNameInvalid: ("姓名太长或含有换行。", "The person's name is too long or has line ends.")
            case .institutionInvalid: ("请填写机构名称（最多 128 个字符）。", "An institution's name has 1 to 128 characters.")
            case .noRoles: ("请至少选择一个角色。", "Choose at least one role.")
            case .roleNotYours: ("您不能授予此角色。", "You may not give this role.")
            case .notYours: ("此账号或机构不由您管理。", "This account or institution is not yours to look after.")
            case .ownAccount: ("不能修改自己的角色或状态。", "You cannot change your own roles or state.")
            case .unknown: ("没有这个账号。", "There is no such account.")
            case .tooMany: ("账号数量已达上限。", "There are as many accounts as are kept.")
            case .proofRefused:
                ("密码或验证码不正确，或尝试次数过多。", "The password or code is wrong, or there were too many tries.")
            }
        return language == .chinese ? pair.0 : pair.1
    }
}
