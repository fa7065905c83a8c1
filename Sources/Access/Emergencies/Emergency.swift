import Foundation

/// Access that somebody took in an emergency: to one patient or study, for a short time, with a reason; it is looked at
/// afterwards by those whose images they are.
public struct Emergency: Sendable, Equatable, Codable {
    /// Where other modules have a word of their own for it.
    public typealias Patient = PatientIdentity

    public enum Subject: Sendable, Equatable, Codable {
        /// What is held of the patient, and what comes while it lasts.
        case patient(PatientIdentity)
        case study(String)
    }

    /// How somebody judged it.
    public struct Review: Sendable, Equatable, Codable {
        public var by: String
        /// Milliseconds since 1970.
        public var at: Int64
        public var isJustified: Bool
        public var note: String

        public init(by: String, at: Int64, isJustified: Bool, note: String) {
            self.by = by
            self.at = at
            self.isJustified = isJustified
            self.note = note
        }
    }

    /// What it lets do.
    public static let verbs: Set<Verb> = [.search, .read, .retrieve]
    /// Who may take it.
    public static let roles: Set<Role> = [.clinician, .expert]
    /// Who may look at it afterwards.
    public static let reviewRoles: Set<Role> = [.institutionAdministrator, .auditor]
    /// That one person may have at a time.
    public static let personLimit = 8

    public var id: String
    /// An account.
    public var person: String
    public var institution: String
    public var subject: Subject
    public var reason: String
    /// Whose images it reaches: those who held any when it began.
    public var owners: Set<String>
    /// Milliseconds since 1970.
    public var startedAt: Int64
    /// It holds before, and not at, that time.
    public var until: Int64
    /// When its person said that it is over.
    public var endedAt: Int64?
    /// Whether its end is on the record.
    var isEndNoted: Bool?
    public var review: Review?

    public var end: Int64 { min(until, endedAt ?? until) }

    /// By when it is to be looked at.
    public func reviewIsDue(days: Int) -> Int64 { startedAt + Int64(days) * 86_400_000 }

    func holds(for permit: Permit, at now: Int64) -> Bool {
        now >= startedAt && now < end && permit.kind == .person && permit.isStrong && permit.user == person
            && permit.institution == institution && !permit.roles.isDisjoint(with: Self.roles)
    }
}
