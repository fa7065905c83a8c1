import Access
import Archive
import Audit
import DICOM
import Foundation
import Logging
import Release
import Synchronization
import Telemetry

/// The way in for files: SFTP that the system's sshd carries. What is put is stored as an object that comes by any other door;
/// what may be retrieved is to be had under names that say nothing.
///
/// A program that holds nothing (`huizhen sftp-server`) passes the client's bytes on over a Unix socket; each connection has
/// a thread of its own here.
public final class FileDoor: Sendable {
    public struct Settings: Sendable {
        /// The account of the system whose connections say which key came; empty for none.
        public var keyAccount = ""
        /// Connections of one subject at a time.
        public var connectionLimit = 8
        /// How long a client may be silent, or take nothing.
        public var idleTime = Duration.seconds(600)
        /// Studies that are shown, the latest.
        public var studyLimit = 20_000
        /// Whether SOP classes are taken that no list names.
        public var takesUnknownClasses = false

        public init() {}
    }

    /// How long the greeting may take.
    static let greetingTime = Duration.seconds(10)
    /// How long `stop` waits for what is under way.
    static let stopTime = 10.0
    /// As the record of acts and senders of instances name it.
    static let name = "sftp"
    private static let notAllowed = "this account may not use the file channel"

    let archive: Archive
    let access: Access
    let accounts: Accounts
    let releases: Releases
    let settings: Settings
    let metrics: FileMetrics
    let logger: Logger
    let names: OpaqueNames
    private let refusals: RefusalTally
    private let condition = NSCondition()
    private let open = Mutex<(sessions: [ObjectIdentifier: Entry], isStopping: Bool)>(([:], false))

    private struct Entry {
        let connection: FileConnection
        var subject: FileSubject?
    }

    public init(
        archive: Archive, access: Access, accounts: Accounts, releases: Releases, settings: Settings,
        registry: Registry, logger: Logger
    ) throws(ArchiveError) {
        self.archive = archive
        self.access = access
        self.accounts = accounts
        self.releases = releases
        self.settings = settings
        metrics = FileMetrics(registry)
        self.logger = logger
        names = OpaqueNames(key: try archive.systemKey(purpose: "sftp names"))
        refusals = RefusalTally(access, door: Self.name)
    }

    /// Serves one connection to its end, on the caller's thread.
    ///
    /// - Parameters:
    ///   - descriptor: the connection, which is taken over.
    ///   - user: whose process is at its other end, by the kernel's word.
    public func serve(_ descriptor: CInt, user: String) {
        let connection = FileConnection(descriptor)
        connection.setTimes(Self.greetingTime)
        guard enter(connection) else { return }
        defer { leave(connection) }
        let end = ContinuousClock.now + Self.greetingTime
        guard let greeting = FileGreeting({ connection.receive($0, until: end) }) else {
            return refuse(connection, user, "the connection is for `huizhen sftp-server`")
        }
        guard let (subject, address) = subject(of: greeting, user: user) else {
            return refuse(connection, user, Self.notAllowed)
        }
        guard let permit = access.admit(subject, accounts, from: address) else {
            return refuse(connection, subject.name, Self.notAllowed, from: address)
        }
        guard claim(connection, subject) else {
            return refuse(
                connection, subject.name, "\(settings.connectionLimit) connections of this account are open already",
                from: address)
        }
        let caller = FileCaller(self, subject: subject, permit: permit)
        do throws(Denial) { try caller.note(.signedIn, reason: "sftp") } catch {
            return refuse(connection, subject.name, "the act cannot be recorded, so it is not done", from: address)
        }
        connection.setTimes(settings.idleTime)
        metrics.sessions.add()
        guard connection.send(FileGreeting.welcome) else { return }
        FileSession(self, connection, caller).run()
        try? caller.note(.signedOut)
    }

    /// Who comes, by the word of the system: the name of a key is believed only of the account that is configured for it.
    private func subject(of greeting: FileGreeting, user: String) -> (FileSubject, address: String)? {
        if !settings.keyAccount.isEmpty, user == settings.keyAccount {
            let address = NetworkAddress(greeting.address) == nil ? "" : greeting.address
            return FileSubject(.key, greeting.subject).map { ($0, address) }
        }
        guard greeting.subject.isEmpty else { return nil }
        return FileSubject(.account, user).map { ($0, "") }
    }

    private func refuse(_ connection: FileConnection, _ name: String, _ why: String, from address: String = "") {
        metrics.refusals.add()
        refusals.note(from: address, name: name, reason: why, isNameProved: true)
        _ = connection.send(FileGreeting.refusal(why))
    }

    private func enter(_ connection: FileConnection) -> Bool {
        open.withLock { open in
            guard !open.isStopping else { return false }
            open.sessions[ObjectIdentifier(connection)] = Entry(connection: connection)
            return true
        }
    }

    private func claim(_ connection: FileConnection, _ subject: FileSubject) -> Bool {
        open.withLock { open in
            guard open.sessions.values.count(where: { $0.subject == subject }) < settings.connectionLimit else {
                return false
            }
            open.sessions[ObjectIdentifier(connection)]?.subject = subject
            return true
        }
    }

    private func leave(_ connection: FileConnection) {
        open.withLock { _ = $0.sessions.removeValue(forKey: ObjectIdentifier(connection)) }
        condition.lock()
        condition.broadcast()
        condition.unlock()
    }

    /// Ends every connection; files that are not whole are nowhere afterwards. Waits for what is under way.
    public func stop() {
        let connections = open.withLock { open in
            open.isStopping = true
            return open.sessions.values.map(\.connection)
        }
        for connection in connections { connection.interrupt() }
        let end = Date(timeIntervalSinceNow: Self.stopTime)
        condition.lock()
        while open.withLock({ !$0.sessions.isEmpty }), condition.wait(until: end) {}
        condition.unlock()
        refusals.flush()
    }
}
