import Foundation

/// The kinds of people that the rules know; they follow from the roles.
public enum UserKind: String, Sendable, CaseIterable, Codable {
    case regulator
    case clinician
    case `operator`
    case patient
}

/// A person who may sign in. Holds no secret.
public struct Account: Sendable, Equatable, Codable {
    public enum State: String, Sendable, CaseIterable, Codable {
        /// Has a one-time password, or no second factor yet.
        case invited
        case active
        case disabled
    }

    /// What an administrator decides about an account.
    public struct Description: Sendable, Equatable, Codable {
        /// The person's name as it is shown; empty: the name signed in by.
        public var displayName: String
        public var institution: String
        /// In the order of `Role.allCases`, each once.
        public var roles: [Role]

        public init(displayName: String, institution: String, roles: [Role]) {
            self.displayName = displayName
            self.institution = institution
            self.roles = Role.allCases.filter(roles.contains)
        }
    }

    /// Accounts in all, disabled ones too: they are never deleted, for records name them.
    public static let countLimit = 100_000
    public static let nameLengthRange = 2...64
    public static let textLengthLimit = 128

    public internal(set) var id: Int64
    /// By which its person signs in; see `normalizedName`. Never changes.
    public internal(set) var name: String
    public internal(set) var description: Description
    public internal(set) var state: State
    /// From 1; each change counts.
    public internal(set) var version: Int
    /// Milliseconds since 1970.
    public internal(set) var createdAt: Int64
    public internal(set) var createdBy: String
    public internal(set) var changedAt: Int64
    public internal(set) var changedBy: String
    /// When the password was chosen or given; milliseconds since 1970.
    public internal(set) var passwordChangedAt: Int64
    /// What its person can show besides the password.
    public internal(set) var factors: [FactorKind]
    /// Milliseconds since 1970; nil for never.
    public internal(set) var lastSignInAt: Int64?

    public var displayName: String { description.displayName.isEmpty ? name : description.displayName }
    public var institution: String { description.institution }
    public var roles: Set<Role> { Set(description.roles) }

    public var kinds: Set<UserKind> { Set(description.roles.compactMap(\.kind)) }

    /// The one way to write a name: compatibility forms resolved, Latin letters small.
    ///
    /// - Returns: nil for what is no name: 2 to 64 of ASCII letters, digits, `.`, `-`, `_`, `@` and Chinese characters, beginning
    ///   with a letter, digit or Chinese character. Nothing else, so that no two names look alike.
    public static func normalizedName(_ text: String) -> String? {
        // Before the text is worked on: what a form sends may be long.
        guard text.utf8.count <= 4 * nameLengthRange.upperBound else { return nil }
        let name = text.trimmingCharacters(in: .whitespaces).precomposedStringWithCompatibilityMapping.lowercased()
        guard nameLengthRange.contains(name.unicodeScalars.count) else { return nil }
        func isLetter(_ scalar: Unicode.Scalar) -> Bool {
            switch scalar {
            case "a"..."z", "0"..."9": true
            default: (0x4E00...0x9FFF).contains(scalar.value)
            }
        }
        guard let first = name.unicodeScalars.first, isLetter(first) else { return nil }
        let isName = name.unicodeScalars.allSatisfy { isLetter($0) || [".", "-", "_", "@"].contains($0) }
        return isName ? name : nil
    }
}

extension Role {
    /// The kind of person a role makes; nil for programs.
    public var kind: UserKind? {
        switch self {
        case .regulator, .auditor: .regulator
        case .expert, .clinician, .technician: .clinician
        case .operator, .institutionAdministrator: .operator
        case .patient: .patient
        case .system: nil
        }
    }
}

/// A change of an account, with all of it before and after.
public struct AccountChange: Sendable, Equatable, Codable {
    public enum Kind: String, Sendable, Codable {
        case created, described, disabled, enabled, reset, unlocked
        case passwordChanged = "password-changed"
        case factorAdded = "factor-added"
        case recoveryCodesMade = "recovery-codes-made"
        /// Bound to a person of the OpenID Connect provider's.
        case linked
        case certificatesRemoved = "certificates-removed"
    }

    public var kind: Kind
    /// Milliseconds since 1970.
    public var at: Int64
    public var by: String
    /// Nil for the first.
    public var before: Account?
    public var after: Account
}
