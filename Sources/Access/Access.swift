import Audit
import DICOM
import Database
import Foundation
import Keys
import Synchronization

/// Who is there and what they may do.
///
/// Denies by default: a peer that was not added is refused unless the service was opened as a test server, and then
/// only from this machine.
public final class Access: Sendable {
    /// What the configuration decides for everybody.
    public struct Settings: Sendable {
        /// Our own AE title; another called title is refused.
        public var aeTitle: String
        public var institution: String
        public var issuer: String
        /// A test server: callers that were not added may do everything, from loopback addresses.
        public var isOpenToUnknownPeers: Bool
        public var emergencies = Emergencies.Settings()
        public var reviews = Reviews.Settings()
        /// The project whose pseudonyms stand in what is shown masked; empty: such objects are refused.
        public var maskedProject = ""
        /// Institutions that lie abroad: what they were granted holds only with an approval that does.
        public var institutionsAbroad: Set<String> = []

        public init(aeTitle: String, institution: String, issuer: String, isOpenToUnknownPeers: Bool) {
            self.aeTitle = aeTitle
            self.institution = institution
            self.issuer = issuer
            self.isOpenToUnknownPeers = isOpenToUnknownPeers
        }
    }

    private struct Entry {
        var peer: Peer
        var secrets: PeerSecrets?
    }

    /// How long a host name's addresses are believed.
    static let nameLifetime = Duration.seconds(60)

    public let settings: Settings
    let database: SQLDatabase
    let audit: AuditLog
    let grants: Mutex<GrantTable>
    /// Counts the changes of the grants and of what they rest on.
    let changes = ChangeCount()
    let decisions = DecisionMemory()
    let records: SealedRecords
    public let consents: Consents
    public let emergencies: Emergencies
    public let reviews: Reviews
    public let fileAccounts: FileAccounts
    public let alerts: AlertBoard
    let destinations: Mutex<[String: Destination]>
    private let peers: Mutex<[String: Entry]>
    let passwords = PasswordMemory()
    private let names = Mutex<[String: (addresses: [NetworkAddress], until: ContinuousClock.Instant)]>([:])

    private static let migrations: [SQLDatabase.Migration] = [
        .init(["CREATE TABLE peer (ae_title TEXT PRIMARY KEY, description TEXT NOT NULL)"]),
        .init(["CREATE TABLE peer_secret (ae_title TEXT PRIMARY KEY, description TEXT NOT NULL)"]),
        .init([grantSchema]),
        AccountTable.migration,
        CredentialTable.migration,
        SealedRecords.migration,
    ]

    /// - Parameters:
    ///   - key: what the pages of its database are sealed with.
    ///   - audit: where every refusal and change is written down before it takes effect.
    public init(path: String, key: SymmetricKey, settings: Settings, audit: AuditLog) throws(AccessError) {
        self.settings = settings
        self.audit = audit
        let database: SQLDatabase
        do throws(DatabaseError) {
            database = try SQLDatabase(path: path, durability: .full, migrations: Self.migrations, key: key)
            let held = try database.read { connection throws(DatabaseError) in
                var result: [String: Entry] = [:]
                let sql = "SELECT p.description, s.description FROM peer p LEFT JOIN peer_secret s USING (ae_title)"
                try connection.query(sql) { row throws(DatabaseError) in
                    let peer = try Self.decode(Peer.self, row.text(0) ?? "")
                    var secrets: PeerSecrets?
                    if let text = row.text(1) { secrets = try Self.decode(PeerSecrets.self, text) }
                    result[peer.aeTitle] = Entry(peer: peer, secrets: secrets)
                    return true
                }
                return result
            }
            peers = Mutex(held)
            grants = Mutex(
                try database.read { connection throws(DatabaseError) in
                    var result = GrantTable()
                    try connection.query("SELECT description FROM access_grant") { row throws(DatabaseError) in
                        result.insert(try Self.decode(Grant.self, row.text(0) ?? ""))
                        return true
                    }
                    return result
                })
        } catch { throw .database(error) }
        self.database = database
        records = try SealedRecords(database: database, key: key)
        consents = try Consents(records, audit: audit, changes: changes)
        emergencies = try Emergencies(records, audit: audit, settings: settings.emergencies)
        reviews = try Reviews(
            records, audit: audit, settings: settings.reviews, changes: changes, now: Self.milliseconds(Date()))
        destinations = Mutex(try records.all(.destination, as: Destination.self))
        fileAccounts = try FileAccounts(records, audit: audit)
        alerts = try AlertBoard(audit, institution: settings.institution)
    }

    /// Every peer, by AE title.
    public func list() -> [Peer] { peers.withLock { $0.values.map(\.peer).sorted { $0.aeTitle < $1.aeTitle } } }

    public func peer(aeTitle: String) -> Peer? { peers.withLock { $0[aeTitle]?.peer } }

    func secrets(of aeTitle: String) -> PeerSecrets? { peers.withLock { $0[aeTitle]?.secrets } }

    /// Fingerprints of every certificate that is bound to a peer, for the handshake, which comes before the AE title.
    public func boundFingerprints() -> Set<String> {
        peers.withLock { Set($0.values.flatMap { $0.peer.certificates?.fingerprints ?? [] }) }
    }

    private static func decode<T: Decodable>(_ type: T.Type, _ text: String) throws(DatabaseError) -> T {
        guard let value = try? JSONDecoder().decode(type, from: Data(text.utf8)) else {
            throw .failed(code: -1, message: "a row of peers or grants is damaged")
        }
        return value
    }

    /// Adds a peer or replaces the one with its AE title; holds for the next association.
    ///
    /// - Parameter secrets: what its user is checked against; replaces what was known of it before.
    /// - Throws: `.invalid` with what is wrong, `.database`.
    public func add(_ peer: Peer, secrets: PeerSecrets = PeerSecrets()) throws(AccessError) {
        try check(peer, secrets)
        guard let text = try? JSONEncoder().encode(peer), let secretText = try? JSONEncoder().encode(secrets) else {
            throw .invalid("the peer cannot be written down")
        }
        do throws(DatabaseError) {
            try database.write { connection throws(DatabaseError) in
                try connection.execute(
                    "INSERT OR REPLACE INTO peer (ae_title, description) VALUES (?, ?)",
                    [.text(peer.aeTitle), .text(String(decoding: text, as: UTF8.self))])
                try connection.execute("DELETE FROM peer_secret WHERE ae_title = ?", [.text(peer.aeTitle)])
                guard !secrets.isEmpty else { return }
                try connection.execute(
                    "INSERT INTO peer_secret (ae_title, description) VALUES (?, ?)",
                    [.text(peer.aeTitle), .text(String(decoding: secretText, as: UTF8.self))])
            }
        } catch { throw .database(error) }
        peers.withLock { $0[peer.aeTitle] = Entry(peer: peer, secrets: secrets.isEmpty ? nil : secrets) }
        passwords.forget(peer: peer.aeTitle)
        changes.note()
        try reviews.noteMade(.peer, peer.aeTitle, by: "")
    }

    private func check(_ peer: Peer, _ secrets: PeerSecrets) throws(AccessError) {
        guard let title = AETitle(peer.aeTitle), "\(title)" == peer.aeTitle else {
            throw .invalid("an AE title has 1 to 16 characters, no backslash and no spaces at its ends")
        }
        guard !peer.addresses.isEmpty, !peer.addresses.contains("") else {
            throw .invalid("a peer needs at least one address, and none may be empty")
        }
        for address in peer.addresses where address.contains("/") {
            guard NetworkAddress.network(address) != nil else {
                throw .invalid("\(address) is no network: write it like 10.1.0.0/16")
            }
        }
        guard Peer.associationRange.contains(peer.associations) else {
            throw .invalid("a peer takes 1 to 16 parallel associations")
        }
        // It would see the very values that it is not to get.
        guard peer.release == nil || !peer.services.contains(.find) else {
            throw .invalid("a peer that gets objects de-identified may not search: leave find out of its services")
        }
        try peer.certificates?.check()
        try peer.site?.check(peer)
        try peer.user?.check()
        try secrets.tokenKey?.check()
        if let identity = peer.identity {
            try identity.check(secrets)
        } else if !secrets.isEmpty {
            throw .invalid("a password or token key needs a user or tokens to go with it")
        }
    }

    /// Removes a peer; its open associations end by themselves.
    public func remove(aeTitle: String) throws(AccessError) {
        guard peer(aeTitle: aeTitle) != nil else { throw .unknownPeer(aeTitle) }
        do throws(DatabaseError) {
            try database.write { connection throws(DatabaseError) in
                try connection.execute("DELETE FROM peer WHERE ae_title = ?", [.text(aeTitle)])
                try connection.execute("DELETE FROM peer_secret WHERE ae_title = ?", [.text(aeTitle)])
            }
        } catch { throw .database(error) }
        _ = peers.withLock { $0.removeValue(forKey: aeTitle) }
        changes.note()
        passwords.forget(peer: aeTitle)
    }

    /// Decides about an association. PS3.8 §9.3.4. Checking a password costs about a tenth of a second.
    ///
    /// - Parameters:
    ///   - address: where the connection comes from, as text.
    ///   - security: how it is protected, and the certificate that was shown.
    ///   - identity: the user it claims; nil for none.
    /// - Throws: why it is refused.
    public func admit(
        calling: String, called: String, address: String, security: CallerSecurity = .plain,
        identity: ClaimedIdentity? = nil, now: Date = Date()
    ) throws(Refusal) -> Permit {
        guard called == settings.aeTitle else { throw .calledAETitleNotRecognized }
        guard let from = NetworkAddress(address) else { throw .callingAETitleNotRecognized }
        let peer = peer(aeTitle: calling)
        if let peer {
            guard peer.addresses.contains(where: { matches($0, from) }) else { throw .callingAETitleNotRecognized }
            let time = Self.milliseconds(now)
            guard !isExpired(.peer, calling, at: time) else { throw .callingAETitleNotRecognized }
            reviews.noteUse(.peer, calling, at: time)
        } else {
            guard settings.isOpenToUnknownPeers, from.isLoopback else { throw .callingAETitleNotRecognized }
        }
        try check(security, of: peer, from: from)
        let verdict = try check(identity, of: peer)
        return Permit(
            kind: .peer, aeTitle: calling, services: peer?.services ?? Set(Peer.Service.allCases), roles: [.system],
            institution: peer?.institution ?? settings.institution, issuer: peer?.issuer ?? settings.issuer,
            address: address, isKnown: peer != nil, isPlainOverNetwork: security == .plain && !from.isLoopback,
            user: verdict.user,
            identityResponse: verdict.response)
    }

    private func check(_ security: CallerSecurity, of peer: Peer?, from: NetworkAddress) throws(Refusal) {
        switch security {
        case .plain:
            guard let peer else { return }
            // Who is bound to a certificate is not taken for the same without it, from this machine neither.
            guard peer.allowsPlain || (from.isLoopback && peer.certificates == nil) else { throw .plainNotAllowed }
        case .tls(let certificate):
            guard let peer else { return }
            guard peer.certificates?.bind(certificate) == true else { throw .certificateNotBound }
        }
    }

    /// Whether unencrypted DICOM may go to this peer: it is on this machine and speaks no TLS, or was allowed to.
    public func mayCallPlain(_ peer: Peer) -> Bool {
        peer.allowsPlain || (peer.certificates == nil && !isOverNetwork(peer))
    }

    /// Whether this peer may be called as it was added: over TLS, or unencrypted where that is allowed.
    public func mayCall(_ peer: Peer) -> Bool { peer.certificates != nil || mayCallPlain(peer) }

    /// Whether any of the peer's addresses is not on this machine.
    public func isOverNetwork(_ peer: Peer) -> Bool {
        !peer.addresses.allSatisfy { address in
            let found = NetworkAddress(address).map { [$0] } ?? resolve(address)
            return !found.isEmpty && found.allSatisfy(\.isLoopback)
        }
    }

    private func matches(_ entry: String, _ address: NetworkAddress) -> Bool {
        if entry.contains("/") || NetworkAddress(entry) != nil { return address.isIn(entry) }
        return resolve(entry).contains(address)
    }

    private func resolve(_ name: String) -> [NetworkAddress] {
        if let held = names.withLock({ $0[name] }), held.until > .now { return held.addresses }
        let addresses = NetworkAddress.resolve(name)
        names.withLock { $0[name] = (addresses, .now + Self.nameLifetime) }
        return addresses
    }

    public func close() throws(AccessError) {
        do throws(DatabaseError) { try database.close() } catch { throw .database(error) }
    }
}
