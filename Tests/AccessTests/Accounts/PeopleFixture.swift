import Audit
import Foundation
import Keys
import Synchronization
import Testing

@testable import Access

/// A time that tests move.
final class TestClock: Sendable {
    private let time = Mutex(Date(timeIntervalSince1970: 1_800_000_000))

    var now: Date { time.withLock { $0 } }

    func advance(_ seconds: Double) { time.withLock { $0 += seconds } }
}

/// What was recorded, and whether recording works.
final class TestRecord: Sendable {
    private let state = Mutex<(entries: [AuditEntry], isBroken: Bool)>(([], false))
    private let watch = Mutex<(@Sendable (AuditEntry) -> Void)?>(nil)

    /// Calls something before an entry is written.
    func whenRecorded(_ body: @escaping @Sendable (AuditEntry) -> Void) { watch.withLock { $0 = body } }

    var entries: [AuditEntry] { state.withLock { $0.entries } }

    func events(_ event: AuditEvent) -> [AuditEntry] { entries.filter { $0.event == event } }

    func breakDown(_ isBroken: Bool = true) { state.withLock { $0.isBroken = isBroken } }

    func write(_ entry: AuditEntry) throws(AuditError) {
        watch.withLock { $0 }?(entry)
        let isWritten = state.withLock { state in
            if !state.isBroken { state.entries.append(entry) }
            return !state.isBroken
        }
        if !isWritten { throw .closed }
    }

    /// What accounts and sessions are given.
    var act: ActRecord { { (entry) throws(AuditError) in try self.write(entry) } }
}

/// Accounts over a file of their own; passwords cost little.
final class PeopleFixture {
    let directory: TemporaryDirectory
    let clock = TestClock()
    let record = TestRecord()
    let settings: AccountSettings
    private(set) var access: Access
    private(set) var sessions: WebSessions
    private(set) var accounts: Accounts
    private(set) var signIn: SignIn
    let place = RequestPlace(address: "10.0.0.1", agent: "test")

    init(_ settings: AccountSettings = AccountSettings(), idle: Duration = .seconds(900)) throws {
        directory = try TemporaryDirectory()
        self.settings = settings
        (access, sessions, accounts, signIn) = try Self.open(directory.path, settings, idle, clock, record)
    }

    deinit { try? access.close() }

    func reopen() throws {
        try access.close()
        (access, sessions, accounts, signIn) = try Self.open(directory.path, settings, .seconds(900), clock, record)
    }

    var databasePath: String { directory.path + "/access.sqlite" }
    var firstPasswordFile: String { directory.path + "/first-password" }

    private static func open(
        _ path: String, _ settings: AccountSettings, _ idle: Duration, _ clock: TestClock, _ record: TestRecord
    ) throws -> (Access, WebSessions, Accounts, SignIn) {
        let key = try #require([UInt8](repeating: 3, count: 32).withUnsafeBytes { SymmetricKey(copying: $0) })
        let access = try Access(
            path: path + "/access.sqlite", key: key,
            settings: .init(aeTitle: "HUIZHEN", institution: "Home", issuer: "HOME", isOpenToUnknownPeers: false),
            audit: try AuditLog(
                directory: path + "/audit-" + UUID().uuidString, key: try SymmetricKey.random(),
                signer: SigningKey(seed: try SymmetricKey.random())))
        let sessions = WebSessions(
            tokens: try TokenIssuer(now: { clock.now }),
            lifetime: .seconds(28_800), idle: idle, record: record.act, now: { clock.now })
        let accounts = try Accounts(
            access: access, key: key, sessions: sessions, settings: settings, cost: .init(exponent: 4),
            record: record.act, now: { clock.now })
        return (access, sessions, accounts, try SignIn(accounts: accounts, firstPasswordFile: path + "/first-password"))
    }

    // MARK: People

    static let localOperator = AccountActor.localOperator("root")

    /// A person with everything that signing in needs.
    struct Person {
        var id: Int64
        var name: String
        var password: String
        var secret: [UInt8]
        var recoveryCodes: [String]
        var session: WebSessions.Opened
    }

    func invite(
        _ name: String, _ roles: [Role] = [.clinician], institution: String = "Home",
        by actor: AccountActor = PeopleFixture.localOperator
    ) throws -> (account: Account, password: String) {
        try accounts.invite(
            name: name, .init(displayName: "", institution: institution, roles: roles), by: actor)
    }

    /// Invites somebody and goes all the way to the first session.
    func person(
        _ name: String = "wang", _ roles: [Role] = [.clinician], institution: String = "Home",
        password: String = "a good long secret"
    ) throws -> Person {
        let (account, oneTime) = try invite(name, roles, institution: institution)
        let first = try signIn.begin(name: name, password: oneTime, from: place)
        let second = try next(try signIn.choose(password: password, for: first, from: place))
        return try enrol(second, account.id, name, password)
    }

    func enrol(_ id: String, _ account: Int64, _ name: String, _ password: String) throws -> Person {
        let secret = try self.secret(id)
        guard case .signedIn(let opened, let codes) = try signIn.enrol(code: code(secret), for: id, from: place) else {
            throw Missing.step
        }
        return Person(
            id: account, name: name, password: password, secret: secret, recoveryCodes: codes, session: opened)
    }

    /// What an authenticator would know of an enrolment.
    func secret(_ id: String) throws -> [UInt8] {
        guard case .enrolment(let enrolment)? = signIn.stage(of: id) else { throw Missing.step }
        return try #require(base32(enrolment.secret))
    }

    func code(_ secret: [UInt8], after seconds: Double = 0) -> String {
        TOTPFactor.code(secret, step: TOTPFactor.step(at: clock.now.addingTimeInterval(seconds)))
    }

    /// Name, password and code, at a time when no code was used yet.
    func signIn(_ person: Person, password: String? = nil, from place: RequestPlace? = nil) throws -> SignIn.Outcome {
        clock.advance(30)
        return try prove(person, code: code(person.secret), password: password, from: place)
    }

    func prove(
        _ person: Person, code: String, password: String? = nil, from place: RequestPlace? = nil
    ) throws -> SignIn.Outcome {
        let place = place ?? self.place
        let id = try signIn.begin(name: person.name, password: password ?? person.password, from: place)
        return try signIn.prove(code: code, of: id, from: place)
    }

    enum Missing: Error { case step }

    func next(_ outcome: SignIn.Outcome) throws -> String {
        guard case .next(let id) = outcome else { throw Missing.step }
        return id
    }
}

extension SignIn.Outcome {
    var isRefused: Bool { if case .refused = self { true } else { false } }
    var opened: WebSessions.Opened? { if case .signedIn(let opened, _) = self { opened } else { nil } }
}

func base32(_ text: String) -> [UInt8]? {
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    var (held, bitCount) = (0, 0)
    var result: [UInt8] = []
    for character in text {
        guard let value = digits.firstIndex(of: character) else { return nil }
        held = (held << 5 | value) & 0xFFF
        bitCount += 5
        if bitCount >= 8 {
            bitCount -= 8
            result.append(UInt8(held >> bitCount & 0xFF))
        }
    }
    return result
}
