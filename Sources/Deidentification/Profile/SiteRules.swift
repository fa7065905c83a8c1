import DICOM

/// What a site changes about a profile: tightens it freely, loosens it only where it says so.
public struct SiteRules: Sendable {
    /// Rules of each kind.
    public static let ruleLimit = 4096

    /// What a site wants done with an attribute, from the loosest to the tightest.
    public enum Wish: String, Sendable, Codable, CaseIterable {
        case keep
        case clean
        case dummy
        case empty
        case remove
    }

    public struct AttributeRule: Hashable, Sendable {
        public var tag: Tag
        public var wish: Wish
        /// Whether it may keep more than the profile does.
        public var loosens: Bool
        public var reason: String
    }

    /// A private attribute that the site vouches for.
    public struct PrivateRule: Hashable, Sendable {
        public var group: UInt16
        public var element: UInt8
        public var creator: String
        public var vr: VR
        public var reason: String
    }

    /// An option of the standard that the site takes, or leaves away.
    public struct OptionRule: Hashable, Sendable {
        public var option: ConfidentialityOption
        public var isTaken: Bool
        /// Whether it may keep more than the profile does.
        public var loosens: Bool
        public var reason: String
    }

    public var options: [OptionRule] = []
    /// The profile with these options; nil where they change nothing. What uses the rules goes by it.
    public internal(set) var changedProfile: Profile?
    public var attributes: [AttributeRule] = []
    public var privates: [PrivateRule] = []
    /// Why the recordings of voices may pass; nil when they may not.
    public var voiceReason: String?

    public static let none = SiteRules()

    public init() {}
}

/// Why a file of site rules is refused.
public enum SiteRulesError: Error, Hashable, Sendable, CustomStringConvertible {
    case unreadable
    case unknownAttribute(ruleNumber: Int)
    case unknownVR(ruleNumber: Int)
    case unknownOption(ruleNumber: Int)
    /// The options of profile and rules do not go together.
    case contradiction(Profile.Contradiction)
    case notPrivate(ruleNumber: Int)
    /// A rule keeps what the profile does not, and does not say `"loosens": true` with a reason.
    case loosensSilently(ruleNumber: Int)
    case tooMany(limit: Int)

    public var description: String {
        switch self {
        case .unreadable:
            "the site rules are no JSON of the form of Docs/DEIDENTIFICATION.md; correct the file"
        case .unknownAttribute(let number):
            "site rule \(number) names no attribute; write a keyword of PS3.6 or a tag such as (0008,0080)"
        case .unknownOption(let number): "option rule \(number) names no option such as 113111"
        case .contradiction(let why): "the site rules' options do not go with the profile: \(why)"
        case .unknownVR(let number): "private rule \(number) names no value representation such as DS"
        case .notPrivate(let number): "private rule \(number) needs an odd group and an element of two digits"
        case .loosensSilently(let number):
            "site rule \(number) keeps what the profile does not; write \"loosens\": true and a reason, or take it out"
        case .tooMany(let limit): "more than \(limit) site rules; join some"
        }
    }
}
