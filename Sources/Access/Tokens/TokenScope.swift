/// The most that may be done by a credential, whatever its holder may do otherwise: it narrows a decision and never widens
/// one.
public struct TokenScope: Sendable, Equatable {
    public var verbs: Set<Verb>
    /// Study Instance UIDs; nil for all that the holder reaches.
    public var studies: Set<String>?
    /// Whether what other institutions granted is left out.
    public var isOwnOnly: Bool
    /// Milliseconds since 1970; nothing may be done from then on.
    public var until: Int64

    public init(verbs: Set<Verb>, studies: Set<String>? = nil, isOwnOnly: Bool = false, until: Int64) {
        self.verbs = verbs
        self.studies = studies
        self.isOwnOnly = isOwnOnly
        self.until = until
    }

    /// Acts whose reach tells which studies they are about; others take no list of studies.
    public static let listed: Set<Verb> = [.search, .read, .retrieve]

    /// Why it keeps an act from being done at all; nil where it does not.
    func refusal(of verb: Verb, at now: Int64) -> String? {
        if now >= until { return "the credential has ended" }
        if !verbs.contains(verb) { return "the credential does not include it" }
        if studies != nil, !Self.listed.contains(verb) { return "the credential is for named studies only" }
        return nil
    }
}

extension Reach {
    /// What of it lies within a scope.
    func narrowed(to scope: TokenScope, institution: String) -> Reach {
        // Nobody who reaches everything comes with a scope; if one did, it would reach nothing.
        guard case .limited(let full, let masked) = self else { return .limited(Extent()) }
        var extents = masked.mapValues { $0.narrowed(to: scope, institution: institution) }
        extents[.full] = full.narrowed(to: scope, institution: institution)
        return Reach(extents)
    }
}

extension Extent {
    fileprivate func narrowed(to scope: TokenScope, institution: String) -> Extent {
        var result = self
        if scope.isOwnOnly {
            result.institutions.formIntersection([institution])
            result.studies = studies.filter { $0.key == institution }
            result.series = series.filter { $0.key == institution }
            result.patients = patients.filter { $0.key == institution }
        }
        guard let named = scope.studies else { return result }
        result.studies = result.studies.mapValues { $0.intersection(named) }
        for one in result.institutions { result.studies[one] = named }
        result.series = result.series.mapValues { $0.filter { named.contains($0.key) } }
        result.institutions = []
        // Which of the named studies are a patient's nobody knows here.
        result.patients = [:]
        return result.tidied()
    }
}

extension Decision {
    func narrowed(to scope: TokenScope, institution: String) -> Decision {
        guard let reach else { return self }
        var result = self
        let narrowed = reach.narrowed(to: scope, institution: institution)
        result.reach = narrowed
        result.masking = max(masking, narrowed.leastMasking)
        let what = scope.studies.map { ", \($0.count) stud\($0.count == 1 ? "y" : "ies") named" } ?? ""
        result.because += ", within a credential's scope\(what)"
        return result
    }
}
