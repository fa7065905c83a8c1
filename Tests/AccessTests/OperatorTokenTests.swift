import Foundation
import Testing

@testable import Access

private let secret = [UInt8](repeating: 7, count: 32)
private let start = Date(timeIntervalSince1970: 1_700_000_000)

@Test func knowsAnOperatorsTokenOnceItIsCheckedAndForgetsItWhenItEnds() {
    let tokens = OperatorTokens(secret: secret)
    let token = tokens.make(for: "operator", lifetime: .seconds(3600), now: start)
    for _ in 0..<3 { #expect(tokens.user(of: token, now: start) == "operator") }
    let end = start + 3600 + Token.leeway
    #expect(tokens.user(of: token, now: end - 1) == "operator")
    #expect(tokens.user(of: token, now: end) == nil)
    #expect(tokens.user(of: token, now: end + 1) == nil)
}

@Test func takesNoTokenOfAnotherKeyHoweverOftenItComes() {
    let token = OperatorTokens(secret: [UInt8](repeating: 8, count: 32))
        .make(for: "operator", lifetime: .seconds(3600), now: start)
    let tokens = OperatorTokens(secret: secret)
    for _ in 0..<3 { #expect(tokens.user(of: token, now: start) == nil) }
}

@Test func knowsMoreTokensThanItKeeps() {
    let tokens = OperatorTokens(secret: secret)
    let all = (0...KnownTokens.countLimit).map {
        tokens.make(for: "operator \($0)", lifetime: .seconds(3600), now: start)
    }
    for (number, token) in all.enumerated() { #expect(tokens.user(of: token, now: start) == "operator \(number)") }
    #expect(tokens.user(of: all[0], now: start) == "operator 0")
}
