import DICOM
import Foundation

/// That a patient consents, or somebody entitled authorises, that images go to others: for what, of what, to whom, how
/// long, and what shows it. Kept for three years after it ended.
public struct Consent: Sendable, Equatable, Codable {
    public enum Kind: String, Sendable, CaseIterable, Codable {
        /// Of the patient.
        case consent
        /// Of an authority or contract.
        case authorisation
        /// That images may leave the country.
        case abroad
    }

    public enum Scope: Sendable, Equatable, Codable {
        case patient(PatientIdentity)
        /// Study Instance UIDs.
        case studies([String])
        /// Of an authority: everything of the owner.
        case everything
    }

    /// A file that shows it, kept sealed beside.
    public struct Document: Sendable, Equatable, Codable {
        public var name: String
        public var byteCount: Int
        /// SHA-256, 64 hexadecimal digits.
        public var digest: String
    }

    public struct Withdrawal: Sendable, Equatable, Codable {
        /// Milliseconds since 1970.
        public var at: Int64
        public var by: String
        public var because: String
    }

    /// Whether it lets everything go to a destination in another country.
    func approvesAllAbroad(to destination: String) -> Bool {
        kind == .abroad && scope == .everything && verbs.contains(.send)
            && grantees.contains(.institution(destination))
    }

    /// Milliseconds that a record is kept after its end, at least: three years.
    public static let retention: Int64 = 1096 * 86_400_000
    /// Days that one may run.
    public static let dayRange = 1...3653
    /// Studies or grantees that one names.
    public static let nameLimit = 10_000
    public static let textRange = 4...4096
    /// Bytes of a document.
    public static let documentByteCountLimit = 16 << 20

    public var id: String
    public var kind: Kind
    public var purpose: String
    /// The institution whose images they are.
    public var owner: String
    public var scope: Scope
    public var verbs: Set<Verb>
    public var grantees: [Grant.Grantee]
    /// Milliseconds since 1970; it holds from `from`, and not at `until`.
    public var from: Int64
    public var until: Int64
    /// In words: where it is, who took it.
    public var evidence: String
    public internal(set) var document: Document?
    public internal(set) var madeBy: String
    public internal(set) var madeAt: Int64
    public internal(set) var withdrawal: Withdrawal?

    public init(
        kind: Kind, purpose: String, owner: String, scope: Scope, verbs: Set<Verb>, grantees: [Grant.Grantee],
        from: Int64, until: Int64, evidence: String
    ) {
        id = UUID().uuidString.lowercased()
        self.kind = kind
        self.purpose = purpose
        self.owner = owner
        self.scope = scope
        self.verbs = verbs
        self.grantees = grantees
        self.from = from
        self.until = until
        self.evidence = evidence
        madeBy = ""
        madeAt = 0
    }

    /// When it ends or ended.
    public var end: Int64 { min(until, withdrawal?.at ?? until) }

    /// Before this it is never deleted.
    public var keptUntil: Int64 { max(end, madeAt) + Self.retention }

    public func holds(at now: Int64) -> Bool { withdrawal == nil && from <= now && now < until }

    /// When time alone changes whether it holds.
    func nextChange(after now: Int64) -> Int64 {
        guard withdrawal == nil else { return .max }
        return now < from ? from : now < until ? until : .max
    }

    func check() throws(AccessError) {
        for text in [purpose, evidence] {
            guard Self.textRange.contains(text.trimmingCharacters(in: .whitespacesAndNewlines).utf8.count) else {
                throw .invalid("a record needs its purpose and its evidence in 4 to 4096 bytes each")
            }
        }
        guard !owner.isEmpty else { throw .invalid("a record names the institution whose images they are") }
        switch scope {
        case .patient(let patient):
            guard !patient.patientID.isEmpty else { throw .invalid("a record is of a patient, or of studies by UID") }
        case .studies(let studies):
            guard (1...Self.nameLimit).contains(studies.count), studies.allSatisfy({ UIDs.isValid($0) }) else {
                throw .invalid("a record names 1 to \(Self.nameLimit) studies by their UIDs, or a patient")
            }
        case .everything:
            guard kind != .consent else { throw .invalid("a patient consents for one patient, or for studies") }
        }
        guard !verbs.isEmpty, verbs.isSubset(of: Grant.grantable.union([.send])) else {
            throw .invalid("a record is of search, read, retrieve and send, or of some of them")
        }
        guard (1...Self.nameLimit).contains(grantees.count) else {
            throw .invalid("a record names who may: 1 to \(Self.nameLimit) institutions and people")
        }
        guard until > from, until - from <= Int64(Self.dayRange.upperBound) * 86_400_000 else {
            throw .invalid("a record runs for 1 to \(Self.dayRange.upperBound) days")
        }
    }

    /// Why a grant does not rest on it; nil where it does.
    func flaw(of grant: Grant) -> String? {
        if kind == .abroad { return "the record is of destinations abroad" }
        if grant.owner != owner { return "the record is of studies of another institution" }
        if !grantees.contains(grant.grantee) { return "the record does not name who gets the grant" }
        if !grant.verbs.isSubset(of: verbs) { return "the record does not allow all of the grant's verbs" }
        if grant.until > until { return "the grant would outlive the record" }
        if scope == .everything { return nil }
        if grant.studies == nil, grant.series == nil { return "a grant on a record names its studies" }
        if case .studies(let named) = scope {
            let asked = Set(grant.studies ?? []).union((grant.series ?? [:]).keys)
            if !asked.isSubset(of: named) { return "the record does not name all of the grant's studies" }
        }
        return nil
    }
}
