import Testing

@testable import Access

/// Who may do what with images, from a table written by hand: role, verb, and what is reached without any grant
/// (`-` nothing, `own` the caller's institution, `granted` what was granted alone).
struct PolicyTests {
    private static let matrix = """
        role                      search   read     retrieve  store  commit  send  remove  statistics
        regulator                 -        -        -         -      -       -     -       all
        institution-administrator -        -        -         -      -       -     -       own
        expert                    granted  granted  granted   -      -       -     -       -
        clinician                 own      own      own       -      -       -     -       -
        technician                own      own      own       own    own     -     -       -
        operator                  -        -        -         -      -       -     -       -
        auditor                   -        -        -         -      -       -     -       -
        patient                   -        -        -         -      -       -     -       -
        system                    own      own      own       own    own     own   -       -
        """

    private static let now: Int64 = 1_800_000_000_000

    private func permit(_ roles: Set<Role>, strong: Bool = true) -> Permit {
        Permit(
            kind: .person, aeTitle: "HUIZHEN", roles: roles, institution: "North", issuer: "N", isStrong: strong,
            user: "li")
    }

    private func grant(
        _ grantee: Grant.Grantee = .person("li"), _ verbs: Set<Verb> = [.search, .read, .retrieve],
        studies: [String]? = ["1.2.1"], series: [String: [String]]? = nil, masking: Masking = .full,
        owner: String = "South", from: Int64 = now - 1, until: Int64 = now + 1
    ) -> Grant {
        Grant(
            grantee: grantee, verbs: verbs, owner: owner, studies: studies, series: series, masking: masking,
            until: until, because: "consultation 7",
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
                case "all": #expect(alone.reach == .everything, "\(role) \(verb)")
                case "granted": #expect(alone.reach == .limited(institutions: [], studies: [:]), "\(role) \(verb)")
                default: #expect(alone.reach == nil, "\(role) \(verb)")
                }
                #expect(alone.masking == (alone.isAllowed && verb != .statistics ? .full : .statistics))
                // A grant widens what a role includes, and gives no role a verb it has not.
                let granted = Policy.decide(verb, by: permit([role]), grants: [grant()], now: Self.now)
                #expect(granted.isAllowed == alone.isAllowed, "\(role) \(verb)")
                if case .limited? = alone.reach, Grant.grantable.contains(verb) || verb == .statistics {
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
                guard case .limited(let extent, [:])? = decision.reach else {
                    #expect(!decision.isAllowed)
                    continue
                }
                let (institutions, studies) = (extent.institutions, extent.studies)
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

    @Test func reachesTheSeriesThatAreGrantedAndNotTheRestOfTheirStudy() throws {
        let decision = Policy.decide(
            .read, by: permit([.expert]), grants: [grant(studies: nil, series: ["1.2.1": ["1.3.1"]])], now: Self.now)
        let reach = try #require(decision.reach)
        #expect(reach == .limited(Extent(series: ["South": ["1.2.1": ["1.3.1"]]])))
        #expect(reach.masking(study: "1.2.1", series: "1.3.1", of: "South") == .full)
        #expect(reach.masking(study: "1.2.1", series: "1.3.2", of: "South") == nil)
        #expect(reach.masking(study: "1.2.2", series: "1.3.1", of: "South") == nil)
        #expect(reach.masking(study: "1.2.1", series: "1.3.1", of: "East") == nil)
        #expect(reach.masking(study: "1.2.1", of: "South") == nil)
        // The whole study says all of it.
        let both = Policy.decide(
            .read, by: permit([.expert]), grants: [grant(series: ["1.2.1": ["1.3.1"]])], now: Self.now)
        #expect(both.reach == .limited(institutions: [], studies: ["South": ["1.2.1"]]))
    }

    @Test func showsMaskedWhatWasGrantedMasked() throws {
        func decide(_ verb: Verb, _ grants: [Grant], _ role: Role = .expert) -> Decision {
            Policy.decide(verb, by: permit([role]), grants: grants, now: Self.now)
        }
        let clinical = grant(masking: .clinical)
        let decision = decide(.read, [clinical])
        #expect(decision.masking == .clinical)
        #expect(
            decision.reach == .limited(Extent(), masked: [.clinical: Extent(studies: ["South": ["1.2.1"]])]))
        #expect(decision.reach?.masking(study: "1.2.1", series: "1.3.1", of: "South") == .clinical)
        // The fuller of two is what holds, and is named once.
        let full = decide(.read, [clinical, grant()])
        #expect(full.reach == .limited(institutions: [], studies: ["South": ["1.2.1"]]) && full.masking == .full)
        // Counts alone are nothing to look at.
        let counts = grant(.person("li"), [.search], masking: .statistics)
        #expect(decide(.search, [counts]).reach == .limited(Extent()))
        #expect(
            decide(.statistics, [counts], .institutionAdministrator).reach
                == .limited(institutions: ["North"], studies: ["South": ["1.2.1"]]))
    }

    /// A grant of a masking shows nothing with less masking than its own, and takes nothing from what others give.
    @Test func neverWidensByMasking() throws {
        var random = SystemRandomNumberGenerator()
        let studies = ["1.1", "1.2", "1.3"]
        let series = ["2.1", "2.2"]
        let owners = ["South", "East", "North"]
        for _ in 0..<500 {
            var grants: [Grant] = []
            for _ in 0..<Int.random(in: 0...5, using: &random) {
                let named = Bool.random(using: &random) ? [studies.randomElement(using: &random)!] : nil
                let part =
                    Bool.random(using: &random)
                    ? [studies.randomElement(using: &random)!: [series.randomElement(using: &random)!]] : nil
                grants.append(
                    grant(
                        studies: named, series: part, masking: Masking.shown.randomElement(using: &random)!,
                        owner: owners.randomElement(using: &random)!))
            }
            let role: Role = Bool.random(using: &random) ? .expert : .clinician
            let decision = Policy.decide(.read, by: permit([role]), grants: grants, now: Self.now)
            let reach = try #require(decision.reach)
            guard case .limited(let full, let masked) = reach else {
                Issue.record("an expert reaches everything")
                continue
            }
            #expect(full == full.tidied() && masked.values.allSatisfy { $0 == $0.tidied() && !$0.isEmpty })
            for owner in owners {
                for study in studies {
                    for one in series {
                        var expected = grants.filter { grant in
                            grant.owner == owner
                                && (grant.studies == nil && grant.series == nil
                                    || grant.studies?.contains(study) == true
                                    || grant.series?[study]?.contains(one) == true)
                        }.map(\.masking).min()
                        if role == .clinician, owner == "North" { expected = .full }
                        #expect(reach.masking(study: study, series: one, of: owner) == expected)
                    }
                }
            }
        }
    }

    @Test func tellsWhetherAReachCoversAnother() {
        func named(_ studies: Set<String>, masked: [Masking: Extent] = [:]) -> Reach {
            .limited(Extent(studies: ["North": studies]), masked: masked)
        }
        let clinical = Extent(studies: ["North": ["1.2.3"]])
        #expect(Reach.everything.covers(.everything) && Reach.everything.covers(named(["1.2.1"])))
        #expect(!named(["1.2.1"]).covers(.everything))
        #expect(named(["1.2.1", "1.2.2"]).covers(named(["1.2.1"])))
        #expect(!named(["1.2.2"]).covers(named(["1.2.1"])))
        #expect(Reach.limited(institutions: ["North"], studies: [:]).covers(named(["1.2.1"])))
        #expect(!named(["1.2.1"]).covers(.limited(institutions: ["North"], studies: [:])))
        #expect(named([]).covers(named([])))
        // Less masking will do, more will not.
        #expect(named(["1.2.3"]).covers(named([], masked: [.clinical: clinical])))
        #expect(named([], masked: [.clinical: clinical]).covers(named([], masked: [.deidentified: clinical])))
        #expect(!named([], masked: [.deidentified: clinical]).covers(named([], masked: [.clinical: clinical])))
        #expect(!named([], masked: [.clinical: clinical]).covers(named(["1.2.3"])))
    }
}
