import Audit
import Foundation
import Testing

@testable import Access

/// Who is shown something masked, and so learns whom pseudonyms stand for if told of others.
struct ReleaseRuleTests {
    private func permit(_ institution: String, user: String? = nil, scope: TokenScope? = nil) -> Permit {
        Permit(
            kind: .person, aeTitle: "A", roles: [.clinician], institution: institution, issuer: "I", user: user,
            scope: scope)
    }

    private func grant(_ grantee: Grant.Grantee, _ verb: Verb, _ masking: Masking) -> Grant {
        let now = Access.milliseconds(Date())
        return Grant(
            grantee: grantee, verbs: [verb], owner: "South", studies: ["1.2.1"], masking: masking,
            until: now + 3_600_000,
            because: "consultation 7", madeBy: "root", madeAt: now)
    }

    @Test(arguments: [Verb.search, .read, .retrieve]) func knowsWhoIsShownSomethingMasked(_ verb: Verb) throws {
        let fixture = try AccessFixture()
        let access = fixture.access
        try access.add(grant(.institution("North"), verb, .full), by: .service, door: "test")
        #expect(!access.showsMasked(to: permit("North")))
        try access.add(grant(.person("li"), verb, .deidentified), by: .service, door: "test")
        // What is granted in full as well is not masked.
        #expect(!access.showsMasked(to: permit("North", user: "li")))
        #expect(access.showsMasked(to: permit("West", user: "li")))
        #expect(!access.showsMasked(to: permit("West", user: "wu")))
        // A token for something else is no way around it.
        let other = TokenScope(verbs: [.store], studies: ["1.2.9"], until: .max)
        #expect(access.showsMasked(to: permit("West", user: "li", scope: other)))
        // Nor is a share link, which she may have made for herself.
        let link = TokenScope(verbs: [.retrieve], studies: ["1.2.9"], isOwnOnly: true, until: .max)
        #expect(access.showsMasked(to: permit("West", user: "share 1", scope: link)))
        try access.add(grant(.institution("West"), verb, .clinical), by: .service, door: "test")
        #expect(access.showsMasked(to: permit("West")))
        #expect(!access.showsMasked(to: permit("South")))
    }
}
