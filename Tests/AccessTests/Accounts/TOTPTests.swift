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
