import Foundation
import Testing

@testable import Access

@Suite struct WebSessionTests {
    private let tokens: TokenIssuer
    private let clock: TestClock
    private let record = TestRecord()

    init() throws {
        let clock = TestClock()
        self.clock = clock
        tokens = try TokenIssuer(now: { clock.now })
    }

    private func sessions(_ seconds: Int = 3600, idle: Int = 86_400) -> WebSessions {
        WebSessions(
            tokens: tokens, lifetime: .seconds(seconds), idle: .seconds(idle),
            record: record.act, now: { [clock] in clock.now })
    }

    private func token(_ seconds: Int = 86_400) throws -> String {
        try tokens.make(for: "operator", lifetime: .seconds(seconds))
    }

    @Test func opensASessionForAGoodTokenOnly() throws {
        let sessions = sessions()
        let token = try token()
        let session = try #require(try sessions.open(token: token))
        #expect(session.id.count == 64)
        #expect(session.seconds == 3600)
        #expect(sessions.session(of: session.id)?.name == "operator")
        #expect(try sessions.open(token: token + "x") == nil)
        #expect(try sessions.open(token: session.id) == nil)
        #expect(sessions.session(of: token) == nil)
        #expect(record.entries.map(\.event) == [.signedIn, .signInRefused, .signInRefused])
    }

    @Test func opensNoSessionThatIsNotRecorded() throws {
        let sessions = sessions()
        record.breakDown()
        #expect(throws: AccessError.self) { try sessions.open(token: token()) }
    }

    @Test func endsASessionAtItsTimeAndNoLaterThanItsToken() throws {
        let sessions = sessions()
        let first = try #require(try sessions.open(token: token()))
        clock.advance(3599)
        #expect(sessions.session(of: first.id) != nil)
        clock.advance(1)
        #expect(sessions.session(of: first.id) == nil)
        let second = try #require(try sessions.open(token: token(60)))
        #expect(second.seconds == 60)
        clock.advance(60)
        #expect(sessions.session(of: second.id) == nil)
    }

    @Test func endsASessionThatIsNotUsed() throws {
        let sessions = sessions(idle: 900)
        let session = try #require(try sessions.open(token: token()))
        for _ in 0..<3 {
            clock.advance(899)
            #expect(sessions.session(of: session.id) != nil)
        }
        clock.advance(900)
        #expect(sessions.session(of: session.id) == nil)
        clock.advance(-900)
        #expect(sessions.session(of: session.id) == nil)
    }

    @Test func endsASessionAtOnceWhenItsUserSignsOut() throws {
        let sessions = sessions()
        let one = try #require(try sessions.open(token: token()))
        let other = try #require(try sessions.open(token: token()))
        try sessions.signOut(one.id)
        #expect(sessions.session(of: one.id) == nil)
        #expect(sessions.session(of: other.id) != nil)
        #expect(record.events(.signedOut).count == 1)
        record.breakDown()
        #expect(throws: AccessError.self) { try sessions.signOut(other.id) }
        #expect(sessions.session(of: other.id) == nil)
    }

    @Test func endsASessionWithTheTokenItWasOpenedWith() throws {
        let sessions = sessions()
        let (first, second) = (try token(), try token())
        let one = try #require(try sessions.open(token: first))
        let other = try #require(try sessions.open(token: second))
        #expect(try tokens.revokeToken(first, by: .service, door: "control"))
        #expect(sessions.session(of: one.id) == nil)
        #expect(sessions.session(of: other.id) != nil)
        try tokens.roll(endsOthers: true, by: .service, door: "control")
        #expect(sessions.session(of: other.id) == nil)
    }

    @Test func keepsAnAnswerUnderWayWhenASessionIsUnusedOrATokenEndsButNotWhenTheyAreRevoked() throws {
        let fixture = try AccessFixture()
        let sessions = sessions(idle: 900)
        func standing(_ credential: WebCredential, isEndless: Bool) -> @Sendable () -> Bool {
            fixture.access.standing(of: credential, sessions, isEndless: isEndless)
        }
        let session = try #require(try sessions.open(token: token()))
        let text = try token(600)
        let (answer, stream) = (
            standing(.session(session.id), isEndless: false), standing(.session(session.id), isEndless: true)
        )
        let (tokenAnswer, tokenStream) = (
            standing(.token(text), isEndless: false), standing(.token(text), isEndless: true)
        )
        #expect(answer() && stream() && tokenAnswer() && tokenStream())
        clock.advance(899)
        #expect(answer() && stream() && tokenAnswer() && !tokenStream())
        clock.advance(1)
        #expect(answer() && !stream())
        try sessions.signOut(session.id)
        #expect(!answer())
        try tokens.roll(endsOthers: true, by: .service, door: "control")
        #expect(!tokenAnswer())
        #expect(!standing(.token("nonsense"), isEndless: false)())
    }

    @Test func keepsABoundedNumberOfSessions() throws {
        let sessions = sessions()
        let token = try token()
        let first = try #require(try sessions.open(token: token))
        clock.advance(1)
        let second = try #require(try sessions.open(token: token))
        clock.advance(1)
        for _ in 2..<WebSessions.countLimit { _ = try sessions.open(token: token) }
        #expect(sessions.session(of: first.id) != nil)
        clock.advance(1)
        let last = try #require(try sessions.open(token: token))
        // The first one was used meanwhile.
        #expect(sessions.session(of: second.id) == nil)
        #expect(sessions.session(of: first.id) != nil)
        #expect(sessions.session(of: last.id) != nil)
    }

    @Test func bringsTheTimesIntoTheirRanges() {
        #expect(sessions(1, idle: 1).lifetime == .seconds(300))
        #expect(sessions(1, idle: 1).idle == .seconds(60))
        #expect(sessions(1_000_000, idle: 1_000_000).lifetime == .seconds(86_400))
        #expect(sessions(1_000_000, idle: 1_000_000).idle == .seconds(86_400))
    }
}
