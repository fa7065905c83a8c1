import Foundation
import Testing

@testable import Access

@Suite struct OperatorTokenTests {
    private let clock = TestClock()

    private func issuer() throws -> TokenIssuer { try TokenIssuer(now: { [clock] in clock.now }) }

    private func user(_ token: String, _ tokens: TokenIssuer) -> String? {
        guard case .localOperator(let name)? = tokens.read(token)?.subject else { return nil }
        return name
    }

    @Test func knowsAnOperatorsTokenOnceItIsCheckedAndForgetsItWhenItEnds() throws {
        let tokens = try issuer()
        let token = try tokens.make(for: "operator", lifetime: .seconds(3600))
        for _ in 0..<3 { #expect(user(token, tokens) == "operator") }
        clock.advance(3599)
        #expect(user(token, tokens) == "operator")
        clock.advance(1)
        #expect(user(token, tokens) == nil)
    }

    @Test func lastsADayAtMostWhateverWasAskedFor() throws {
        let tokens = try issuer()
        let asked = try tokens.make(for: "operator", lifetime: .seconds(864_000))
        // As a version before made it.
        let older = try tokens.make(["sub": "operator", "kind": "operator"], lifetime: .seconds(864_000)).token
        clock.advance(86_399)
        #expect(user(asked, tokens) == "operator")
        clock.advance(2)
        #expect(user(asked, tokens) == nil && user(older, tokens) == nil)
    }

    @Test func takesNoTokenOfAnotherKeyHoweverOftenItComes() throws {
        let token = try issuer().make(for: "operator", lifetime: .seconds(3600))
        let tokens = try issuer()
        for _ in 0..<3 { #expect(tokens.read(token) == nil) }
    }

    @Test func knowsMoreTokensThanItKeeps() throws {
        let tokens = try issuer()
        let all = try (0...KnownTokens.countLimit).map {
            try tokens.make(for: "operator \($0)", lifetime: .seconds(3600))
        }
        for (number, token) in all.enumerated() { #expect(user(token, tokens) == "operator \(number)") }
        #expect(user(all[0], tokens) == "operator 0")
    }
}
