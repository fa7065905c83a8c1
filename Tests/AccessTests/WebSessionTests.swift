import Foundation
import Testing

@testable import Access

@Suite struct WebSessionTests {
    private let tokens = OperatorTokens(secret: [UInt8](repeating: 7, count: 32))
    private let now = Date(timeIntervalSince1970: 1_800_000_000)

    private func sessions(_ seconds: Int = 3600) -> WebSessions {
        WebSessions(tokens: tokens, lifetime: .seconds(seconds))
    }

    @Test func opensASessionForAGoodTokenOnly() throws {
        let sessions = sessions()
        let token = tokens.make(for: "operator", lifetime: .seconds(86_400), now: now)
        let session = try #require(sessions.open(token: token, now: now))
        #expect(session.id.count == 64)
        #expect(session.seconds == 3600)
        #expect(sessions.user(of: session.id, now: now) == "operator")
        #expect(sessions.open(token: token + "x", now: now) == nil)
        #expect(sessions.open(token: session.id, now: now) == nil)
        #expect(sessions.user(of: token, now: now) == nil)
    }

    @Test func endsASessionAtItsTimeAndNoLaterThanItsToken() throws {
        let sessions = sessions()
        let long = tokens.make(for: "operator", lifetime: .seconds(86_400), now: now)
        let first = try #require(sessions.open(token: long, now: now))
        #expect(sessions.user(of: first.id, now: now.addingTimeInterval(3599)) != nil)
        #expect(sessions.user(of: first.id, now: now.addingTimeInterval(3600)) == nil)
        let short = tokens.make(for: "operator", lifetime: .seconds(60), now: now)
        let second = try #require(sessions.open(token: short, now: now))
        #expect(second.seconds == 60)
        #expect(sessions.user(of: second.id, now: now.addingTimeInterval(60)) == nil)
    }

    @Test func endsASessionAtOnceWhenItsUserSignsOut() throws {
        let sessions = sessions()
        let token = tokens.make(for: "operator", lifetime: .seconds(600), now: now)
        let one = try #require(sessions.open(token: token, now: now))
        let other = try #require(sessions.open(token: token, now: now))
        sessions.end(one.id)
        #expect(sessions.user(of: one.id, now: now) == nil)
        #expect(sessions.user(of: other.id, now: now) != nil)
    }

    @Test func keepsABoundedNumberOfSessions() throws {
        let sessions = sessions()
        let token = tokens.make(for: "operator", lifetime: .seconds(86_400), now: now)
        let first = try #require(sessions.open(token: token, now: now))
        for second in 1..<WebSessions.countLimit {
            _ = sessions.open(token: token, now: now.addingTimeInterval(Double(second) / 1000))
        }
        #expect(sessions.user(of: first.id, now: now) != nil)
        let last = try #require(sessions.open(token: token, now: now.addingTimeInterval(2)))
        #expect(sessions.user(of: first.id, now: now) == nil)
        #expect(sessions.user(of: last.id, now: now) != nil)
    }

    @Test func bringsTheLifetimeIntoItsRange() {
        #expect(sessions(1).lifetime == .seconds(300))
        #expect(sessions(1_000_000).lifetime == .seconds(86_400))
    }
}
