import Foundation

/// How much of a patient somebody is shown.
public enum Masking: Int, Sendable, Comparable, Codable, CaseIterable {
    case full = 0
    /// What a colleague needs to give an opinion: age, sex and findings, and nothing that names the patient.
    case clinical = 1
    case deidentified = 2
    /// Counts and times alone.
    case statistics = 3

    /// Those under which objects are shown.
    public static let shown: [Masking] = [.full, .clinical, .deidentified]

    /// As the command line and pages' forms take it.
    public var name: String { self == .deidentified ? "de-identified" : "\(self)" }

    public init?(name: String) {
        guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }

    public static func < (a: Masking, b: Masking) -> Bool { a.rawValue < b.rawValue }
}

/// A patient as whoever issued the identifier knows them.
public struct PatientIdentity: Sendable, Hashable, Codable {
    public var patientID: String
    public var issuer: String

    public init(patientID: String, issuer: String) {
        self.patientID = patientID
        self.issuer = issuer
    }
}

/// A part of what is held, by the institutions that sent it.
public struct Extent: Sendable, Equatable {
    /// Of these every study.
    public var institutions: Set<String>
    /// Of these the studies with these UIDs.
    public var studies: [String: Set<String>]
    /// Of these, by study, the series with these UIDs.
    public var series: [String: [String: Set<String>]]
    /// Of these every study of these patients.
    public var patients: [String: Set<PatientIdentity>]

    public init(
        institutions: Set<String> = [], studies: [String: Set<String>] = [:],
        series: [String: [String: Set<String>]] = [:], patients: [String: Set<PatientIdentity>] = [:]
    ) {
        self.institutions = institutions
        self.studies = studies
        self.series = series
        self.patients = patients
    }

    public var isEmpty: Bool { self == Extent() }

    /// Whether a series is part of it.
    ///
    /// - Parameters:
    ///   - series: nil for the whole study.
    ///   - patient: nil where nobody knows; then no patient's part is looked at.
    public func contains(
        study: String, series: String? = nil, patient: PatientIdentity? = nil, of institution: String
    ) -> Bool {
        if institutions.contains(institution) || studies[institution]?.contains(study) == true { return true }
        if let patient, patients[institution]?.contains(patient) == true { return true }
        return series.map { self.series[institution]?[study]?.contains($0) == true } ?? false
    }

    /// Without what a wider extent names as well; what remains of both together is the same.
    func leavingOut(_ wider: Extent) -> Extent {
        var rest = self
        rest.institutions.subtract(wider.institutions)
        for institution in wider.institutions {
            rest.studies[institution] = nil
            rest.series[institution] = nil
            rest.patients[institution] = nil
        }
        for (institution, named) in wider.studies {
            rest.studies[institution]?.subtract(named)
            for study in named { rest.series[institution]?[study] = nil }
        }
        for (institution, studies) in wider.series {
            for (study, named) in studies { rest.series[institution]?[study]?.subtract(named) }
        }
        for (institution, named) in wider.patients { rest.patients[institution]?.subtract(named) }
        return rest.tidied()
    }

    /// Each thing once, and nothing empty.
    func tidied() -> Extent {
        var tidy = Extent(institutions: institutions)
        tidy.studies = studies.filter { !institutions.contains($0.key) && !$0.value.isEmpty }
        tidy.patients = patients.filter { !institutions.contains($0.key) && !$0.value.isEmpty }
        for (institution, named) in series where !institutions.contains(institution) {
            let rest = named.filter { study, series in
                !series.isEmpty && tidy.studies[institution]?.contains(study) != true
            }
            if !rest.isEmpty { tidy.series[institution] = rest }
        }
        return tidy
    }
}

/// What an act may reach.
public enum Reach: Sendable, Equatable {
    case everything
    /// What is reached in full, and by masking what is reached with less. What stands in both is reached in full.
    case limited(Extent, masked: [Masking: Extent] = [:])

    /// All of the institutions, and of other institutions the studies with these UIDs, in full.
    public static func limited(institutions: Set<String>, studies: [String: Set<String>]) -> Reach {
        .limited(Extent(institutions: institutions, studies: studies))
    }

    /// What may be shown under a masking, nil for everything. What is shown in full, or with less masking, comes with it.
    public func extent(upTo masking: Masking) -> [Extent]? {
        guard case .limited(let full, let masked) = self else { return nil }
        return [full] + masked.filter { $0.key <= masking }.sorted { $0.key < $1.key }.map(\.value)
    }

    /// The masking that applies to a series: the least that the role or any grant gives it. Every door asks this, or a
    /// query of the same, before it shows an object.
    ///
    /// - Parameters:
    ///   - series: nil for a whole study.
    ///   - patient: nil where nobody knows.
    /// - Returns: nil for what is out of reach.
    public func masking(
        study: String, series: String? = nil, patient: PatientIdentity? = nil, of institution: String
    ) -> Masking? {
        guard case .limited(let full, let masked) = self else { return .full }
        if full.contains(study: study, series: series, patient: patient, of: institution) { return .full }
        return masked.keys.sorted().first {
            masked[$0]?.contains(study: study, series: series, patient: patient, of: institution) == true
        }
    }

    /// Whether all that another reach shows is shown still, with as little masking or less.
    public func covers(_ other: Reach) -> Bool {
        guard case .limited = self else { return true }
        guard case .limited(let full, let masked) = other else { return false }
        let parts = [(Masking.full, full)] + masked.map { ($0.key, $0.value) }
        return parts.allSatisfy { masking, extent in
            (self.extent(upTo: masking) ?? []).reduce(extent.tidied()) { $0.leavingOut($1) }.isEmpty
        }
    }

    /// Whether a study was granted masked by its own UID, wholly or by some of its series: that it is there is no secret then.
    public func namesMasked(study: String) -> Bool {
        guard case .limited(_, let masked) = self else { return false }
        return masked.values.contains { extent in
            extent.studies.values.contains { $0.contains(study) }
                || extent.series.values.contains { $0[study] != nil }
        }
    }

    /// What each masking gives, each thing where it is shown with the least.
    init(_ extents: [Masking: Extent]) {
        let full = (extents[.full] ?? Extent()).tidied()
        var masked: [Masking: Extent] = [:]
        var wider = [full]
        for masking in extents.keys.sorted() where masking > .full && masking < .statistics {
            let rest = wider.reduce((extents[masking] ?? Extent()).tidied()) { $0.leavingOut($1) }
            guard !rest.isEmpty else { continue }
            masked[masking] = rest
            wider.append(rest)
        }
        self = .limited(full, masked: masked)
    }

    /// With which anything is shown; full where nothing is.
    var leastMasking: Masking {
        guard case .limited(let full, let masked) = self, full.isEmpty else { return .full }
        return masked.keys.min() ?? .full
    }
}
