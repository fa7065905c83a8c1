import Foundation
import Testing

@testable import Access

@Suite struct TOTPTests {
    private let secret = Array("12345678901234567890".utf8)
    private let now = Date(timeIntervalSince1970: 1_800_000_015)

    private func code(_ steps: Int64) -> String { TOTPFactor.code(secret, step: TOTPFactor.step(at: now) + steps) }

    private func take(_ factor: inout TOTPFactor, _ code: String, _ now: Date) -> Bool { factor.take(code, now: now) }

    /// RFC 6238 Appendix B, the last six digits.
    @Test(arguments: [
        (59.0, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471"), (1_234_567_890, "005924"),
        (2_000_000_000, "279037"), (20_000_000_000, "353130"),
    ]) func makesTheCodesOfTheStandard(_ time: Double, _ expected: String) {
        let step = TOTPFactor.step(at: Date(timeIntervalSince1970: time))
        #expect(TOTPFactor.code(secret, step: step) == expected)
    }

    @Test func takesCodesOfOneStepBeforeAndAfterAndNoFurther() {
        for steps in -3...3 {
            var factor = TOTPFactor(secret: secret)
            #expect(take(&factor, code(Int64(steps)), now) == (abs(steps) <= 1), "\(steps)")
        }
    }

    @Test func takesACodeOnceAndNoEarlierOneAfterIt() {
        var factor = TOTPFactor(secret: secret)
        #expect(take(&factor, code(0), now))
        #expect(!take(&factor, code(0), now))
        #expect(!take(&factor, code(-1), now))
        #expect(take(&factor, code(1), now))
        #expect(!take(&factor, code(1), now.addingTimeInterval(30)))
    }

    @Test func takesNothingThatIsNoCode() {
        var factor = TOTPFactor(secret: secret)
        for text in ["", "0", code(0) + "0", String(code(0).dropLast()), "      ", "１２３４５６"] {
            #expect(!take(&factor, text, now))
        }
    }

    @Test func tellsAnAuthenticatorEverythingInOneAddress() {
        let enrolment = TOTPEnrolment(secret: secret, issuer: "会诊 Huizhen", account: "li.na@north")
        #expect(enrolment.secret == "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
        #expect(enrolment.groupedSecret == "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ")
        #expect(
            enrolment.address
                == "otpauth://totp/%E4%BC%9A%E8%AF%8A%20Huizhen:li%2Ena%40north?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
                + "&issuer=%E4%BC%9A%E8%AF%8A%20Huizhen&algorithm=SHA1&digits=6&period=30")
        #expect(base32(enrolment.secret) == secret)
    }
}

/// A certificate in place of a code.
@Suite struct CertificateFactorTests {
    private let fixture: PeopleFixture
    private let mine = CallerCertificate(fingerprint: String(repeating: "ab", count: 32), isTrusted: false, names: [])
    private let other = CallerCertificate(fingerprint: String(repeating: "cd", count: 32), isTrusted: true, names: [])

    init() throws { fixture = try PeopleFixture() }

    private func prove(_ person: PeopleFixture.Person, _ certificate: CallerCertificate?) throws -> SignIn.Outcome {
        let id = try fixture.signIn.begin(name: person.name, password: person.password, from: fixture.place)
        return try fixture.signIn.prove(certificate: certificate, of: id, from: fixture.place)
    }

    private func register(_ person: PeopleFixture.Person, _ certificate: CallerCertificate) throws {
        fixture.clock.advance(30)
        let session = try #require(fixture.sessions.session(of: person.session.id))
        try fixture.accounts.addCertificate(
            certificate, for: session, code: fixture.code(person.secret), from: fixture.place)
    }

    @Test func takesARegisteredCertificateAfterThePasswordAndNoOther() throws {
        let person = try fixture.person()
        #expect(try prove(person, mine).isRefused)
        try register(person, mine)
        #expect(try prove(person, other).isRefused)
        #expect(try prove(person, nil).isRefused)
        let opened = try #require(try prove(person, mine).opened)
        #expect(fixture.sessions.session(of: opened.id)?.factors == [.certificate])
        #expect(fixture.accounts.account(person.id)?.factors == [.totp, .certificate])
        // The password still comes first, and codes are good as before.
        let id = try fixture.signIn.begin(name: person.name, password: "wrong", from: fixture.place)
        #expect(try fixture.signIn.prove(certificate: mine, of: id, from: fixture.place).isRefused)
        #expect(try fixture.signIn(person).opened != nil)
    }

    @Test func registersAndRemovesOnlyWithACode() throws {
        let person = try fixture.person()
        let session = try #require(fixture.sessions.session(of: person.session.id))
        #expect(throws: AccessError.account(.proofRefused)) {
            try fixture.accounts.addCertificate(mine, for: session, code: "000000", from: fixture.place)
        }
        try register(person, mine)
        #expect(throws: AccessError.account(.proofRefused)) {
            try fixture.accounts.removeCertificates(for: session, code: "000000", from: fixture.place)
        }
        fixture.clock.advance(30)
        try fixture.accounts.removeCertificates(
            for: session, code: fixture.code(person.secret), from: fixture.place)
        #expect(try prove(person, mine).isRefused)
        try register(person, mine)
        _ = try fixture.accounts.reset(person.id, by: PeopleFixture.localOperator)
        #expect(fixture.accounts.account(person.id)?.factors == [])
    }

    @Test func keepsABoundedNumberOfCertificates() throws {
        let person = try fixture.person()
        for index in 0...Accounts.certificateLimit {
            let digits = String(repeating: "0\(index)", count: 32)
            try register(person, CallerCertificate(fingerprint: digits, isTrusted: false, names: []))
        }
        let held = fixture.accounts.account(person.id)?.factors.count { $0 == .certificate }
        #expect(held == Accounts.certificateLimit)
    }
}
