import Access

extension Settings {
    static let accountTable: [Setting] = [
        Setting(
            key: "access.password-age", kind: .seconds(0...31_536_000), defaultValue: "7776000",
            about: "age at which a person must choose another password; 0: none"),
        Setting(
            key: "access.password-history", kind: .integer(0...24), defaultValue: "5",
            about: "former passwords that a person may not choose again"),
        Setting(
            key: "access.invitation", kind: .seconds(3600...31_536_000), defaultValue: "604800",
            about: "how long a one-time password is good"),
        Setting(
            key: "access.failures", kind: .integer(1...100), defaultValue: "5",
            about: "failed sign-ins within access.failure-window that lock an account out"),
        Setting(
            key: "access.address-failures", kind: .integer(1...10_000), defaultValue: "5",
            about:
                "failed sign-ins within access.failure-window that lock an address out, whatever the accounts; more where "
                + "many people share one address"),
        Setting(
            key: "access.failure-window", kind: .seconds(60...86_400), defaultValue: "900",
            about: "how long a failed sign-in counts"),
        Setting(
            key: "access.lock", kind: .seconds(10...86_400), defaultValue: "900",
            about: "how long the first lock-out lasts; each further one lasts twice as long"),
        Setting(
            key: "access.longest-lock", kind: .seconds(10...604_800), defaultValue: "86400",
            about: "how long a lock-out lasts at most"),
        Setting(
            key: "access.authenticator-label", kind: .text, defaultValue: "Huizhen",
            about: "what authenticators show above the code"),
    ]

    var accounts: AccountSettings {
        var result = AccountSettings()
        result.passwordAge = Double(integer("access.password-age"))
        result.passwordHistory = integer("access.password-history")
        result.invitationTime = Double(integer("access.invitation"))
        result.lockout.accountFailures = integer("access.failures")
        result.lockout.addressFailures = integer("access.address-failures")
        result.lockout.window = Double(integer("access.failure-window"))
        result.lockout.time = Double(integer("access.lock"))
        result.lockout.longest = Double(max(integer("access.longest-lock"), integer("access.lock")))
        result.issuer = text("access.authenticator-label")
        return result
    }
}
