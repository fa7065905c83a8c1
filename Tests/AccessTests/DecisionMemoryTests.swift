import Audit
import Foundation
import Synchronization
import Testing

@testable import Access

/// What is remembered of decisions is what would be decided anew: at any time, after any change, on any thread.
struct DecisionMemoryTests {
    private let start = Date(timeIntervalSince1970: 1_800_000_000)
    private let operatorHere = AccessActor.localOperator("root")

    private func permit(_ institution: String, user: String? = nil, scope: TokenScope? = nil) -> Permit {
        Permit(
            kind: user == nil ? .peer : .person, aeTitle: "A", services: [.find, .get],
            roles: user == nil ? [.system] : [.expert], institution: institution, issuer: "I", user: user, scope: scope)
    }

    private func grant(
        to grantee: Grant.Grantee = .institution("North"), studies: [String]? = ["1.2.1"], masking: Masking = .full,
        seconds: Int64 = 86_400, consent: String? = nil, at now: Date
    ) -> Grant {
        let time = Access.milliseconds(now)
        return Grant(
            grantee: grantee, verbs: [.search, .read, .retrieve], owner: "South", studies: studies, masking: masking,
            until: time + seconds * 1000, because: "consultation 7", consent: consent, madeBy: "root", madeAt: time)
    }

    /// As the rules say, with nothing remembered.
    private func anew(_ access: Access, _ verb: Verb, _ permit: Permit, _ now: Date) -> Decision {
        let time = Access.milliseconds(now)
        return Policy.decide(
            verb, by: permit, grants: access.standingGrants(for: permit, at: time).grants,
            emergencies: access.emergencies.standing(for: permit, now: time), now: time)
    }

    @Test(arguments: 0..<4) func decidesAsAnew(_ run: Int) throws {
        let fixture = try AccessFixture(institutionsAbroad: ["West"])
        let access = fixture.access
        var random = SystemRandomNumberGenerator()
        var now = start
        var records: [String] = []
        let expert = permit("North", user: "li")
        let callers = [
            permit("North"), permit("East"), permit("West"), expert,
            permit("North", scope: TokenScope(verbs: [.read], studies: ["1.2.1"], until: .max)),
        ]
        var reaches: [Decision] = []
        for _ in 0..<400 {
            let grants = access.listGrants()
            switch Int.random(in: 0..<12, using: &random) {
            case 0, 1:
                let grantee: Grant.Grantee =
                    [.institution("North"), .institution("East"), .institution("West"), .person("li")]
                    .randomElement(using: &random) ?? .person("li")
                try access.add(
                    grant(
                        to: grantee, studies: Bool.random(using: &random) ? ["1.2.\(Int.random(in: 1...5))"] : nil,
                        masking: [.full, .clinical, .deidentified].randomElement(using: &random) ?? .full,
                        seconds: [1, 60, 86_400].randomElement(using: &random) ?? 1, at: now),
                    by: .service, door: "test")
            case 2:
                guard let one = grants.randomElement(using: &random) else { continue }
                try access.revokeGrant(one.id, because: "over and done", by: .service, door: "test")
            case 3:
                let from = Access.milliseconds(now)
                let record = try access.consents.add(
                    Consent(
                        kind: .consent, purpose: "second opinion", owner: "South", scope: .studies(["1.2.1"]),
                        verbs: Grant.grantable, grantees: [.institution("North")], from: from,
                        until: from + 172_800_000,
                        evidence: "form 7, ward 3"), by: operatorHere, now: now)
                records.append(record.id)
                try access.add(grant(seconds: 3600, consent: record.id, at: now), by: .service, door: "test")
            case 4:
                guard let id = records.popLast() else { continue }
                try access.consents.withdraw(id, because: "says no", by: operatorHere, now: now)
            case 5:
                guard let one = grants.randomElement(using: &random) else { continue }
                try access.reviews.confirm(one.reviewSubject, by: operatorHere, now: now)
            case 6:
                let held = try? access.emergencies.start(
                    .study("1.2.9"), because: "unconscious, no time", owners: ["South"], by: expert, door: "test",
                    now: now)
                if let held, Bool.random(using: &random) {
                    try access.emergencies.end(held.id, by: .person(expert), now: now)
                }
            case 7:
                now += [0.001, 1, 60, 3600, 86_400, 100 * 86_400].randomElement(using: &random) ?? 1
            case 8:
                // A clock that is set back.
                now -= [1, 3600].randomElement(using: &random) ?? 1
            default: break
            }
            for caller in callers {
                for verb in [Verb.search, .read, .retrieve, .statistics, .store] {
                    let found = access.decision(verb, by: caller, now: now)
                    #expect(found == anew(access, verb, caller, now))
                    if found.isAllowed { reaches.append(found) }
                }
            }
        }
        #expect(Set(reaches.map(\.because)).count > 5, "the runs are to meet grants")
    }

    @Test func letsNobodySeeWhatWasRevokedOnceTheRevocationIsAnswered() throws {
        let fixture = try AccessFixture()
        let access = fixture.access
        let caller = permit("North")
        let isOver = Atomic<Bool>(false)
        let readers = DispatchGroup()
        for _ in 0..<4 {
            readers.enter()
            Thread.detachNewThread {
                while !isOver.load(ordering: .acquiring) { _ = access.decision(.read, by: caller) }
                readers.leave()
            }
        }
        for _ in 0..<200 {
            let one = grant(at: Date())
            try access.add(one, by: .service, door: "test")
            #expect(access.decision(.read, by: caller).reach?.masking(study: "1.2.1", of: "South") == .full)
            try access.revokeGrant(one.id, because: "over and done", by: .service, door: "test")
            #expect(access.decision(.read, by: caller).reach?.masking(study: "1.2.1", of: "South") == nil)
        }
        isOver.store(true, ordering: .releasing)
        readers.wait()
    }

    @Test func looksAtTheTimeOfACredentialEachTime() throws {
        let fixture = try AccessFixture()
        let access = fixture.access
        try access.add(grant(at: start), by: .service, door: "test")
        let until = Access.milliseconds(start) + 5_000
        let caller = permit("North", scope: TokenScope(verbs: [.read], until: until))
        #expect(access.decision(.read, by: caller, now: start).isAllowed)
        #expect(!access.decision(.read, by: caller, now: start + 5).isAllowed)
        #expect(!access.decision(.search, by: caller, now: start).isAllowed)
        #expect(access.decision(.read, by: permit("North"), now: start + 5).isAllowed)
    }

    @Test func notesTheUseOfAGrantEachMinuteAndNoneOfWhatIsOnlyAsked() throws {
        let fixture = try AccessFixture()
        let access = fixture.access
        let one = grant(at: start)
        try access.add(one, by: .service, door: "test")
        func lastUsed() -> Int64? { access.reviews.item(one.reviewSubject, now: start).subject.lastUsed }
        _ = access.decision(.read, by: permit("North"), now: start)
        #expect(lastUsed() == nil)
        _ = try access.require(.read, by: permit("North"), door: "test", now: start + 1)
        #expect(lastUsed() == Access.milliseconds(start + 1))
        _ = try access.require(.read, by: permit("North"), door: "test", now: start + 30)
        #expect(lastUsed() == Access.milliseconds(start + 1))
        _ = try access.require(.read, by: permit("North"), door: "test", now: start + 61)
        #expect(lastUsed() == Access.milliseconds(start + 61))
    }

    @Test func keepsToItsBounds() {
        let memory = DecisionMemory()
        let decision = Decision(reach: .limited(Extent()), masking: .full, because: "a test")
        for number in 0..<(DecisionMemory.countLimit + 10) {
            memory.keep(
                decision, used: [], for: .init(.read, permit("Hospital \(number)")), version: 1, from: 0, until: .max,
                isUse: false)
        }
        #expect(memory.find(.init(.read, permit("Hospital 0")), version: 1, at: 0, isUse: false) == nil)
        let last = permit("Hospital \(DecisionMemory.countLimit + 9)")
        #expect(memory.find(.init(.read, last), version: 1, at: 0, isUse: false) != nil)
        // What is larger than a quarter of the bound stays out.
        let many = Set((0..<DecisionMemory.sizeLimit / 4).map { "2.25.\($0)" })
        memory.keep(
            Decision(reach: .limited(Extent(studies: ["South": many])), masking: .full, because: "a test"), used: [],
            for: .init(.read, permit("Large")), version: 1, from: 0, until: .max, isUse: false)
        #expect(memory.find(.init(.read, permit("Large")), version: 1, at: 0, isUse: false) == nil)
        // A decision of before a change is nothing to anybody behind it, and the other way round.
        #expect(memory.find(.init(.read, last), version: 2, at: 0, isUse: false) == nil)
        memory.keep(
            decision, used: [], for: .init(.read, permit("New")), version: 2, from: 5, until: 9, isUse: false)
        memory.keep(
            decision, used: [], for: .init(.read, permit("Old")), version: 1, from: 5, until: 9, isUse: false)
        #expect(memory.find(.init(.read, permit("New")), version: 2, at: 5, isUse: false) != nil)
        #expect(memory.find(.init(.read, permit("New")), version: 2, at: 4, isUse: false) == nil)
        #expect(memory.find(.init(.read, permit("New")), version: 2, at: 9, isUse: false) == nil)
        #expect(memory.find(.init(.read, permit("Old")), version: 1, at: 5, isUse: false) == nil)
    }
}
