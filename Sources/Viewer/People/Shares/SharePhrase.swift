/// What the pages about links to studies say.
enum SharePhrase: String, CaseIterable, Sendable {
    case links, make, makeHow, study, purpose, days, made, madeHow, address, secret, noLinks, link, until, opened
    case wrongSecrets, lastOpened, by, revoke, guest, guestHow, code, show, refused, notMade

    func text(_ language: Language) -> String {
        let pair = both
        return language == .chinese ? pair.0 : pair.1
    }

    /// Chinese, English.
    private var both: (String, String) {
        switch self {
        case .links: ("共享链接", "Share links")
        case .make: ("共享一项检查", "Share a study")
        case .makeHow:
            (
                "持有链接和口令的人无需账号即可查看这一项检查，直到链接到期。只能共享本机构的检查；每次打开和查看都会留下记录。",
                "Whoever has the link and its secret sees this one study without an account until the link ends. Only studies "
                    + "of your own institution can be shared; each opening and each look is on record."
            )
        case .study: ("检查实例 UID", "Study Instance UID")
        case .purpose: ("用途：给谁看，为什么", "Purpose: whom it is for, and why")
        case .days: ("有效天数（1–30）", "Days it lasts (1–30)")
        case .made: ("链接已生成", "The link is made")
        case .madeHow:
            (
                "链接和口令只显示这一次。请用两种不同的方式分别转交，例如链接发邮件，口令打电话。",
                "Both are shown only now. Hand them over by two different ways: the address by mail, say, and the secret by "
                    + "telephone."
            )
        case .address: ("链接", "Address")
        case .secret: ("口令", "Secret")
        case .noLinks: ("没有共享链接。", "There are no share links.")
        case .link: ("编号", "Link")
        case .until: ("有效期至", "Until")
        case .opened: ("打开次数", "Opened")
        case .wrongSecrets: ("口令错误次数", "Wrong secrets")
        case .lastOpened: ("最近打开", "Last opened")
        case .by: ("创建人", "By")
        case .revoke: ("撤销", "Revoke")
        case .guest: ("查看共享的检查", "A study shared with you")
        case .guestHow:
            (
                "请输入对方另行告知的口令。本页的每次打开都会留下记录。",
                "Enter the secret that you were told separately. Each opening is on record."
            )
        case .code: ("链接码（地址中 # 之后的部分）", "Link code (what stands behind the # of the address)")
        case .show: ("查看", "Show")
        case .refused:
            (
                "无法打开：口令不正确、链接已失效，或尝试次数过多。",
                "Not opened: the secret is wrong, the link is over, or there were too many tries."
            )
        case .notMade:
            (
                "未能生成链接：请检查 UID 是否属于本机构的检查，用途是否填写（4 至 512 字节），天数是否为 1 至 30。",
                "No link was made: the UID must be of a study of your institution, the purpose have 4 to 512 bytes, and the days "
                    + "be 1 to 30."
            )
        }
    }
}
