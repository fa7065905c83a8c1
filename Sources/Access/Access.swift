import DICOM
import Database
import Foundation
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

        public init(aeTitle: String, institution: String, issuer: String, isOpenToUnknownPeers: Bool) {
            self.aeTitle = aeTitle
            self.institution = institution
            self.issuer = issuer
            self.isOpenToUnknownPeers = isOpenToUnknownPeers
        }
    }

    /// How long a host name's addresses are believed.
    static let nameLifetime = Duration.seconds(60)

    public let settings: Settings
    private let database: SQLDatabase
    private let peers: Mutex<[String: Peer]>
    private let names = Mutex<[String: (addresses: [NetworkAddress], until: ContinuousClock.Instant)]>([:])

    private static let migrations: [SQLDatabase.Migration] = [
        .init(["CREATE TABLE peer (ae_title TEXT PRIMARY KEY, description TEXT NOT NULL)"])
    ]

    public init(path: String, settings: Settings) throws(AccessError) {
        self.settings = settings
        do throws(DatabaseError) {
            database = try SQLDatabase(path: path, durability: .full, migrations: Self.migrations)
            let held = try database.read { connection throws(DatabaseError) in
                var result: [String: Peer] = [:]
                try connection.query("SELECT description FROM peer") { row throws(DatabaseError) in
                    let text = Data((row.text(0) ?? "").utf8)
                    guard let peer = try? JSONDecoder().decode(Peer.self, from: text) else {
                        throw .failed(code: -1, message: "a peer's row is damaged")
                    }
                    result[peer.aeTitle] = peer
                    return true
                }
                return result
            }
            peers = Mutex(held)
        } catch { throw .database(error) }
    }

    /// Every peer, by AE title.
    public func list() -> [Peer] { peers.withLock { $0.values.sorted { $0.aeTitle < $1.aeTitle } } }

    public func peer(aeTitle: String) -> Peer? { peers.withLock { $0[aeTitle] } }

    /// Adds a peer or replaces the one with its AE title; holds for the next association.
    ///
    /// - Throws: `.invalid` with what is wrong, `.database`.
    public func add(_ peer: Peer) throws(AccessError) {
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
        guard let text = try? JSONEncoder().encode(peer) else { throw .invalid("the peer cannot be written down") }
        do throws(DatabaseError) {
            try database.write { connection throws(DatabaseError) in
                try connection.execute(
                    "INSERT OR REPLACE INTO peer (ae_title, description) VALUES (?, ?)",
                    [.text(peer.aeTitle), .text(String(decoding: text, as: UTF8.self))])
            }
        } catch { throw .database(error) }
        peers.withLock { $0[peer.aeTitle] = peer }
    }

    /// Removes a peer; its open associations end by themselves.
    public func remove(aeTitle: String) throws(AccessError) {
        guard peer(aeTitle: aeTitle) != nil else { throw .unknownPeer(aeTitle) }
        do throws(DatabaseError) {
            try database.write { connection throws(DatabaseError) in
                try connection.execute("DELETE FROM peer WHERE ae_title = ?", [.text(aeTitle)])
            }
        } catch { throw .database(error) }
        _ = peers.withLock { $0.removeValue(forKey: aeTitle) }
    }

    /// Decides about an association. PS3.8 §9.3.4.
    ///
    /// - Parameter address: where the connection comes from, as text.
    /// - Throws: why it is refused.
    public func admit(calling: String, called: String, address: String) throws(Refusal) -> Permit {
        guard called == settings.aeTitle else { throw .calledAETitleNotRecognized }
        guard let from = NetworkAddress(address) else { throw .callingAETitleNotRecognized }
        if let peer = peer(aeTitle: calling) {
            guard peer.addresses.contains(where: { matches($0, from) }) else { throw .callingAETitleNotRecognized }
            guard from.isLoopback || peer.allowsPlain else { throw .plainNotAllowed }
            return Permit(
                aeTitle: peer.aeTitle, services: peer.services, institution: peer.institution, issuer: peer.issuer,
                isKnown: true, isPlainOverNetwork: !from.isLoopback)
        }
        guard settings.isOpenToUnknownPeers, from.isLoopback else { throw .callingAETitleNotRecognized }
        return Permit(
            aeTitle: calling, services: Set(Peer.Service.allCases), institution: settings.institution,
            issuer: settings.issuer, isKnown: false, isPlainOverNetwork: false)
    }

    /// Whether unencrypted DICOM may go to this peer: it is on this machine, or was allowed to.
    public func mayCallPlain(_ peer: Peer) -> Bool { peer.allowsPlain || !isOverNetwork(peer) }

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
