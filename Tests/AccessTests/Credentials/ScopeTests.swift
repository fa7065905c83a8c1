import Testing

@testable import Access

/// A credential's scope against what its holder may do without one.
@Suite struct ScopeTests {
    private let now: Int64 = 1_800_000_000_000

    private func permit(_ role: Role, _ scope: TokenScope?) -> Permit {
        Permit(kind: .system, aeTitle: "HUIZHEN", roles: [role], institution: "North", issuer: "NORTH", scope: scope)
    }

    private var grants: [Grant] {
        [
            Grant(
                id: "1", grantee: .institution("North"), verbs: [.search, .retrieve], owner: "South",
                studies: ["2.1", "2.2"], until: now + 1000, because: "test", madeBy: "", madeAt: now - 1000),
            Grant(
                id: "2", grantee: .institution("North"), verbs: [.search], owner: "East", studies: nil,
                until: now + 1000, because: "test", madeBy: "", madeAt: now - 1000),
            Grant(
                id: "3", grantee: .institution("North"), verbs: [.search, .read], owner: "West", studies: nil,
                series: ["1.1": ["1.1.1"]], until: now + 1000, because: "test", madeBy: "", madeAt: now - 1000),
            Grant(
                id: "4", grantee: .institution("North"), verbs: [.search, .read], owner: "West", studies: nil,
                masking: .clinical, until: now + 1000, because: "test", madeBy: "", madeAt: now - 1000),
        ]
    }

    private func masking(_ reach: Reach?, _ study: String, _ series: String?, _ institution: String) -> Masking? {
        reach?.masking(study: study, series: series, of: institution)
    }

    @Test func narrowsADecisionAndNeverWidensOne() {
        let scopes = [Set<String>?.none, ["1.1"], ["2.1"], ["1.1", "2.2", "3.1"], []].flatMap { studies in
            [false, true].flatMap { isOwnOnly in
                [[Verb.search], [.search, .retrieve, .store, .remove], []].flatMap { verbs in
                    [now + 1, now].map {
                        TokenScope(verbs: Set(verbs), studies: studies, isOwnOnly: isOwnOnly, until: $0)
                    }
                }
            }
        }
        for role in Role.allCases {
            for verb in Verb.allCases {
                let whole = Policy.decide(verb, by: permit(role, nil), grants: grants, now: now)
                for scope in scopes {
                    let narrow = Policy.decide(verb, by: permit(role, scope), grants: grants, now: now)
                    #expect(!narrow.isAllowed || whole.isAllowed)
                    #expect(narrow.masking >= whole.masking)
                    if scope.until <= now || !scope.verbs.contains(verb) { #expect(!narrow.isAllowed) }
                    for (study, owner) in [
                        ("1.1", "North"), ("1.2", "North"), ("2.1", "South"), ("2.2", "South"), ("3.1", "East"),
                        ("1.1", "West"), ("2.1", "West"),
                    ] {
                        for series in [nil, "1.1.1", "1.1.2"] {
                            let least = masking(whole.reach, study, series, owner)
                            guard let shown = masking(narrow.reach, study, series, owner) else { continue }
                            #expect(least.map { shown >= $0 } == true)
                        }
                        guard masking(narrow.reach, study, "1.1.1", owner) != nil else { continue }
                        #expect(scope.studies?.contains(study) ?? true)
                        if scope.isOwnOnly { #expect(owner == "North") }
                    }
                }
            }
        }
    }

    @Test func reachesWhatAScopeNamesWhoeverSentIt() {
        let scope = TokenScope(verbs: [.search, .retrieve], studies: ["1.1", "2.1", "9.9"], until: now + 1)
        let decision = Policy.decide(.retrieve, by: permit(.system, scope), grants: grants, now: now)
        #expect(
            decision.reach == .limited(institutions: [], studies: ["North": ["1.1", "2.1", "9.9"], "South": ["2.1"]]))
    }

    @Test func letsNobodyStoreWhoseCredentialNamesStudies() {
        let scope = TokenScope(verbs: [.store, .commit], studies: ["1.1"], until: now + 1)
        for verb in [Verb.store, .commit] {
            #expect(!Policy.decide(verb, by: permit(.system, scope), grants: [], now: now).isAllowed)
        }
        let open = TokenScope(verbs: [.store], until: now + 1)
        #expect(Policy.decide(.store, by: permit(.system, open), grants: [], now: now).isAllowed)
    }

    @Test func givesALocalOperatorWithAScopeNothing() {
        let scope = TokenScope(verbs: Set(Verb.allCases), until: now + 1)
        let permit = Permit(
            kind: .localOperator, aeTitle: "", roles: [.operator], institution: "North", issuer: "", scope: scope)
        #expect(
            Policy.decide(.search, by: permit, grants: [], now: now).reach == .limited(institutions: [], studies: [:]))
    }
}
