import DICOM
import Foundation

/// Leave for an institution or a person to do something with studies of another institution, until some time and for a
/// reason: a consultation, a consent record. It hangs on neither the patient nor anything he may get later.
public struct Grant: Sendable, Equatable, Codable {
    public enum Grantee: Sendable, Hashable, Codable {
        case institution(String)
        /// An account.
        case person(String)
    }

    /// Studies that one grant may name.
    public static let studyLimit = 10_000
    /// Days that one may last; longer needs another grant, which somebody decides on.
    public static let dayRange = 1...366

    /// Random; what `huizhen grant revoke` takes.
    public var id: String
    public var grantee: Grantee
    public var verbs: Set<Verb>
    /// The institution that sent the studies.
    public var owner: String
    enum CodingKeys: String, CodingKey {
        case id, grantee, verbs, owner, studies, series, until, because, consent, madeBy, madeAt
        case shownAs = "masking"
    }

    /// Study Instance UIDs; nil for every study of the owner, unless series are named.
    public var studies: [String]?
    /// Series Instance UIDs by Study Instance UID, of studies of which it is of these series alone.
    public var series: [String: [String]]?
    /// A masking's name; nil for none.
    private var shownAs: String?
    /// Milliseconds since 1970; it holds before, and not at, that time.
    public var until: Int64
    /// Consultation, consent or contract it rests on.
    public var because: String
    /// The consent or authorisation record it rests on; it ends with that, and when that is withdrawn.
    public var consent: String?
    public var madeBy: String
    public var madeAt: Int64

    public init(
        id: String = UUID().uuidString.lowercased(), grantee: Grantee, verbs: Set<Verb>, owner: String,
        studies: [String]?, series: [String: [String]]? = nil, masking: Masking = .full, until: Int64,
        because: String, consent: String? = nil, madeBy: String, madeAt: Int64
    ) {
        self.id = id
        self.grantee = grantee
        self.verbs = verbs
        self.owner = owner
        self.studies = studies
        self.series = series
        shownAs = masking == .full ? nil : masking.name
        self.until = until
        self.because = because
        self.consent = consent
        self.madeBy = madeBy
        self.madeAt = madeAt
    }

    /// What a grant may be of: nothing is stored, sent on or removed by one.
    public static let grantable: Set<Verb> = [.search, .read, .retrieve]

    /// How what it is of is shown; what nobody knows shows nothing.
    public var masking: Masking { shownAs.map { Masking(name: $0) ?? .statistics } ?? .full }

    /// Studies and series it names.
    public var nameCount: Int { (series ?? [:]).values.reduce(studies?.count ?? 0) { $0 + $1.count } }

    /// Whether it is of an act; counts take what a search would.
    func allows(_ verb: Verb) -> Bool {
        verb == .statistics ? verbs.contains(.search) : verbs.contains(verb) && masking < .statistics
    }

    func check() throws(AccessError) {
        guard !verbs.isEmpty, verbs.isSubset(of: Self.grantable) else {
            throw .invalid("a grant is of search, read and retrieve, or of some of them")
        }
        let name =
            switch grantee {
            case .institution(let name), .person(let name): name
            }
        guard !name.isEmpty, !owner.isEmpty else { throw .invalid("a grant names who gets it and whose studies") }
        guard grantee != .institution(owner) else { throw .invalid("\(owner) sees its own studies without a grant") }
        if studies != nil || series != nil {
            guard (1...Self.studyLimit).contains(nameCount) else {
                throw .invalid("a grant names 1 to \(Self.studyLimit) studies and series, or all of an institution")
            }
        }
        for (study, named) in series ?? [:] {
            guard UIDs.isValid(study), !named.isEmpty, named.allSatisfy({ UIDs.isValid($0) }) else {
                throw .invalid("a grant names series by their UIDs and that of their study")
            }
        }
        guard masking < .statistics || verbs == [.search] else {
            throw .invalid("a grant of statistics alone is of search: there is nothing to read or retrieve")
        }
        let reason = because.trimmingCharacters(in: .whitespacesAndNewlines)
        guard (4...1024).contains(reason.utf8.count) else {
            throw .invalid("a grant needs a reason of 4 to 1024 bytes: the consultation or consent it rests on")
        }
        let milliseconds = until - madeAt
        guard milliseconds > 0, milliseconds <= Int64(Self.dayRange.upperBound) * 86_400_000 else {
            throw .invalid("a grant lasts at most \(Self.dayRange.upperBound) days")
        }
    }

    /// Whether it is for this caller, now.
    func holds(for permit: Permit, at now: Int64) -> Bool {
        guard now < until, now >= madeAt - Self.clockSlack else { return false }
        return switch grantee {
        case .institution(let name): permit.institution == name
        case .person(let name): permit.kind == .person && permit.user == name
        }
    }

    /// When time alone changes whether it holds for anybody.
    func nextChange(after now: Int64) -> Int64 {
        let from = madeAt - Self.clockSlack
        return now < from ? from : now < until ? until : .max
    }

    /// How far a clock may be set back before what it made later counts as not made yet.
    private static let clockSlack: Int64 = 60_000
}
