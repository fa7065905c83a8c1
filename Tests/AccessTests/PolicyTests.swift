import Access
import Testing

/// Who may do what with images, from a table written by hand: role, verb, and what is reached without any grant
/// (`-` nothing, `own` the caller's institution, `granted` what was granted alone).
struct PolicyTests {
    private static let matrix = """
        role                      search   read     retrieve  store  commit  send  remove
        regulator                 -        -        -         -      -       -     -
        institution-administrator -        -        -         -      -       -     -
        expert                    granted  granted  granted   -      -       -     -
        clinician                 own      own      own       -      -       -     -
        technician                own      own      own       own    own     -     -
        operator                  -        -        -         -      -       -     -
        auditor                   -        -        -         -      -       -     -
        patient                   -        -        -         -      -       -     -
        system                    own      own      own       own    own     own   -
        """

    private static let now: Int64 = 1_800_000_000_000

    private func permit(_ roles: Set<Role>, strong: Bool = true) -> Permit {
        Permit(
            kind: .person, aeTitle: "HUIZHEN", roles: roles, institution: "North", issuer: "N", isStrong: strong,
            user: "li")
    }

    private func grant(
        _ grantee: Grant.Grantee = .person("li"), _ verbs: Set<Verb> = [.search, .read, .retrieve],
        studies: [String]? = ["1.2.1"], owner: String = "South", from: Int64 = now - 1, until: Int64 = now + 1
    ) -> Grant {
        Grant(
            grantee: grantee, verbs: verbs, owner: owner, studies: studies, until: until, because: "consultation 7",
            madeBy: "wang", madeAt: from)
    }

    @Test func decidesAsTheTableSays() throws {
        var lines = Self.matrix.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        let verbs = try lines.removeFirst().dropFirst().map { try #require(Verb(rawValue: $0)) }
        #expect(Set(verbs) == Set(Verb.allCases))
        #expect(Set(lines.map { $0[0] }) == Set(Role.allCases.map(\.rawValue)))
        for line in lines {
            let role = try #require(Role(rawValue: line[0]))
            for (verb, expected) in zip(verbs, line.dropFirst()) {
                let alone = Policy.decide(verb, by: permit([role]), grants: [], now: Self.now)
                switch expected {
                case "own": #expect(alone.reach == .limited(institutions: ["North"], studies: [:]), "\(role) \(verb)")
                case "granted": #expect(alone.reach == .limited(institutions: [], studies: [:]), "\(role) \(verb)")
                default: #expect(alone.reach == nil, "\(role) \(verb)")
                }
                #expect(alone.masking == (alone.isAllowed ? .full : .statistics))
                // A grant widens what a role includes, and gives no role a verb it has not.
                let granted = Policy.decide(verb, by: permit([role]), grants: [grant()], now: Self.now)
                #expect(granted.isAllowed == alone.isAllowed, "\(role) \(verb)")
                if alone.isAllowed, Grant.grantable.contains(verb) {
                    let own: Set<String> = expected == "own" ? ["North"] : []
                    #expect(granted.reach == .limited(institutions: own, studies: ["South": ["1.2.1"]]))
                } else {
                    #expect(granted.reach == alone.reach)
                }
                // Without a second factor nothing.
                #expect(
                    !Policy.decide(verb, by: permit([role], strong: false), grants: [grant()], now: Self.now).isAllowed)
            }
        }
    }

    @Test func givesTheWidestOfSeveralRoles() {
        let decision = Policy.decide(.search, by: permit([.expert, .clinician, .auditor]), grants: [], now: Self.now)
        #expect(decision.reach == .limited(institutions: ["North"], studies: [:]))
        #expect(!Policy.decide(.search, by: permit([]), grants: [grant()], now: Self.now).isAllowed)
    }

    @Test func endsAGrantAtItsMomentAndBeginsItNotBefore() {
        let expert = permit([.expert])
        func reaches(_ grant: Grant) -> Bool {
            Policy.decide(.read, by: expert, grants: [grant], now: Self.now).reach
                != .limited(institutions: [], studies: [:])
        }
        #expect(reaches(grant(until: Self.now + 1)))
        #expect(!reaches(grant(until: Self.now)))
        #expect(!reaches(grant(from: Self.now - 1000, until: Self.now - 1)))
        #expect(reaches(grant(from: Self.now + 60_000, until: Self.now + 120_000)))
        #expect(!reaches(grant(from: Self.now + 60_001, until: Self.now + 120_000)))
    }

    @Test func givesAGrantToItsGranteeAlone() {
        func reach(_ grant: Grant, _ change: (inout Permit) -> Void = { _ in }) -> Reach? {
            var caller = permit([.expert])
            change(&caller)
            return Policy.decide(.read, by: caller, grants: [grant], now: Self.now).reach
        }
        let nothing = Reach.limited(institutions: [], studies: [:])
        let named = Reach.limited(institutions: [], studies: ["South": ["1.2.1"]])
        #expect(reach(grant(.person("li"))) == named)
        #expect(reach(grant(.person("lin"))) == nothing)
        #expect(reach(grant(.institution("North"))) == named)
        #expect(reach(grant(.institution("north"))) == nothing)
        // A system or peer that has an account's name is not that person.
        #expect(
            reach(grant(.person("li"))) {
                $0.kind = .system; $0.roles = [.expert]
            } == nothing)
        #expect(reach(grant(.person("li"), [.search])) == nothing)
        #expect(reach(grant(.institution("North"), studies: nil)) == .limited(institutions: ["South"], studies: [:]))
    }

    @Test func letsAPeerDoWhatItWasAddedForAlone() {
        func peer(_ services: Set<Peer.Service>) -> Permit {
            Permit(
                kind: .peer, aeTitle: "CT1", services: services, roles: [.system], institution: "North", issuer: "N")
        }
        for (services, verbs) in [
            ([], []), ([.echo], []), ([.store], [.store, .commit]), ([.find], [.search]),
            ([.get], [.read, .retrieve]), ([.move], [.send, .retrieve]),
        ] as [(Set<Peer.Service>, Set<Verb>)] {
            for verb in Verb.allCases {
                let decision = Policy.decide(verb, by: peer(services), grants: [], now: Self.now)
                #expect(decision.isAllowed == verbs.contains(verb), "\(services) \(verb)")
            }
        }
    }

    @Test func letsTheLocalOperatorDoEverything() {
        var local = permit([.operator])
        local.kind = .localOperator
        for verb in Verb.allCases {
            #expect(Policy.decide(verb, by: local, grants: [], now: Self.now).reach == .everything)
        }
    }

    /// No grant makes anything smaller, and none reaches further than it says.
    @Test func addsUpGrantsInAnyOrder() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<500 {
            let grants = (0..<Int.random(in: 0...6, using: &random)).map { _ in
                grant(
                    [.person("li"), .person("zhao"), .institution("North"), .institution("West")]
                        .randomElement(using: &random)!,
                    Set(Grant.grantable.filter { _ in Bool.random(using: &random) }),
                    studies: [nil, ["1.1"], ["1.1", "1.2"], ["1.3"]].randomElement(using: &random)!,
                    owner: ["South", "East", "North"].randomElement(using: &random)!,
                    until: Self.now + Int64.random(in: -1...1, using: &random))
            }
            for verb in Verb.allCases {
                let decision = Policy.decide(verb, by: permit([.expert]), grants: grants, now: Self.now)
                #expect(
                    decision == Policy.decide(verb, by: permit([.expert]), grants: grants.shuffled(), now: Self.now))
                guard case .limited(let institutions, let studies)? = decision.reach else {
                    #expect(!decision.isAllowed)
                    continue
                }
                let mine = grants.filter {
                    $0.verbs.contains(verb) && $0.until > Self.now
                        && ($0.grantee == .person("li") || $0.grantee == .institution("North"))
                }
                #expect(institutions == Set(mine.filter { $0.studies == nil }.map(\.owner)))
                for (owner, named) in studies {
                    #expect(!institutions.contains(owner))
                    #expect(named == Set(mine.filter { $0.owner == owner }.flatMap { $0.studies ?? [] }))
                }
            }
        }
    }
}
