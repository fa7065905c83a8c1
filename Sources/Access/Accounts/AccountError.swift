/// Why an account is not made or changed as was asked.
public enum AccountFlaw: String, Error, Sendable, CaseIterable {
    case nameInvalid = "name-invalid"
    case nameTaken = "name-taken"
    case displayNameInvalid = "display-name-invalid"
    case institutionInvalid = "institution-invalid"
    case noRoles = "no-roles"
    /// A role of programs, or one that who asks may not give.
    case roleNotYours = "role-not-yours"
    /// Another institution, or an account of somebody whom who asks does not look after.
    case notYours = "not-yours"
    /// Nobody changes the roles or the state of the own account.
    case ownAccount = "own-account"
    case unknown
    case tooMany = "too-many"
    /// The password or code that a change of the own account needs was wrong, or too many were.
    case proofRefused = "proof-refused"

    var text: String {
        switch self {
        case .nameInvalid:
            "a name has 2 to 64 of a-z, 0-9, . - _ @ and Chinese characters, and begins with a letter, digit or character"
        case .nameTaken: "there is an account of that name"
        case .displayNameInvalid: "a person's name has at most \(Account.textLengthLimit) characters, on one line"
        case .institutionInvalid: "an institution's name has 1 to \(Account.textLengthLimit) characters, on one line"
        case .noRoles: "an account needs at least one role"
        case .roleNotYours: "this role is none for people, or not yours to give"
        case .notYours: "this account or institution is not yours to look after"
        case .ownAccount: "nobody changes the roles or the state of the own account"
        case .unknown: "there is no such account: see `huizhen user list`"
        case .tooMany: "there are \(Account.countLimit) accounts, which is as many as are kept"
        case .proofRefused: "the password or code is wrong, or too many were"
        }
    }
}

extension PasswordFlaw {
    var text: String {
        switch self {
        case .tooShort:
            "a password has at least \(PasswordRule.length) characters, or \(PasswordRule.mixedLength) of "
                + "\(PasswordRule.classCount) kinds (small, capital, digit, other)"
        case .tooLong: "a password has at most 1024 bytes"
        case .holdsName: "a password must not hold the account's or the person's name"
        case .common: "this password is one of the commonest, or too regular"
        case .used: "this password was used before"
        case .unchanged: "this is the password already in use"
        }
    }
}
