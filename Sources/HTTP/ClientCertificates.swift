import Dispatch
import Keys
import Logging
import NIOCore
import NIOSSL
import Synchronization

/// The certificates that clients of the web door show, and what they are checked by; files are taken anew when they change.
///
/// What one is worth is asked with each request, so that a revocation holds for connections that are open. From any thread.
public final class ClientCertificates: Sendable {
    /// Certificates of one chain.
    static let chainLimit = 8
    /// Chains that are remembered between a check and the end of its handshake.
    static let pendingLimit = 4096

    private struct Connection {
        var chain: [[UInt8]]
        var generation: Int
        var found: ClientCertificate?
    }

    private struct State {
        var authorities: CertificateAuthorities
        var files: [FileState]
        var generation = 0
        /// By the fingerprint of their first.
        var pending: [String: [[UInt8]]] = [:]
        var connections: [ObjectIdentifier: Connection] = [:]
    }

    /// Which of them are let through the handshake, by fingerprint, besides those that an authority vouches for; nil: any, and
    /// none, may try.
    private let isKnown: (@Sendable (String) -> Bool)?
    /// Told the fingerprint of a known one that is not let through, and why not; whoever showed it has not proved to have its key.
    private let refused: (@Sendable (String, CertificateValidity) -> Void)?
    private let paths: (authorities: String, revocationLists: String)
    private let logger: Logger
    private let state: Mutex<State>
    private let connectionCount = Atomic<Int>(0)

    /// - Parameters:
    ///   - authorities: PEM file of those that may vouch for clients; empty: certificates are known by fingerprint only.
    ///   - revocationLists: PEM file of their revocation lists; empty: none is asked.
    ///   - isKnown: whether one with this fingerprint is let through the handshake though no authority vouches for it; nil: any,
    ///     and none, may try.
    ///   - refused: told of a known one that has ended or does not hold yet; whoever showed it has not proved to have its key.
    public init(
        authorities: String, revocationLists: String, logger: Logger,
        isKnown: (@Sendable (String) -> Bool)? = nil,
        refused: (@Sendable (String, CertificateValidity) -> Void)? = nil
    ) throws(WebCredentials.Failure) {
        self.isKnown = isKnown
        self.refused = refused
        paths = (authorities, revocationLists)
        self.logger = logger
        state = Mutex(
            State(authorities: try Self.read(paths), files: [FileState(authorities), FileState(revocationLists)]))
    }

    /// Whether nobody comes in without one.
    var areRequired: Bool { isKnown != nil }

    /// Reads the files again.
    ///
    /// - Throws: `.unreadable`; everything stays as it was.
    public func reload() throws(WebCredentials.Failure) {
        let files = [FileState(paths.authorities), FileState(paths.revocationLists)]
        let read = try Self.read(paths)
        state.withLock { state in
            state.authorities = read
            state.files = files
            state.generation += 1
        }
    }

    private static func read(
        _ paths: (authorities: String, revocationLists: String)
    ) throws(WebCredentials.Failure) -> CertificateAuthorities {
        do throws(CertificateAuthorities.Failure) {
            return try CertificateAuthorities(
                authorities: paths.authorities, revocationLists: paths.revocationLists)
        } catch {
            switch error {
            case .unreadable(let path): throw .unreadable(path: path)
            }
        }
    }

    private func renewIfChanged() {
        let files = [FileState(paths.authorities), FileState(paths.revocationLists)]
        let hasChanged = state.withLock { state in
            defer { state.files = files }
            return state.files != files
        }
        guard hasChanged else { return }
        do throws(WebCredentials.Failure) { try reload() } catch {
            logger.error("authorities of the web door not taken, the old ones stay", metadata: ["reason": "\(error)"])
        }
    }

    // MARK: Handshakes

    /// Lets the handshake go on with a certificate that is not one to be refused; that its key is there is found after that.
    func check(_ shown: [NIOSSLCertificate], _ promise: EventLoopPromise<NIOSSLVerificationResult>) {
        guard (1...Self.chainLimit).contains(shown.count) else { return promise.succeed(.failed) }
        let chain = shown.compactMap { try? $0.toDERBytes() }
        // Files are read elsewhere, and OpenSSL's errors are those of a thread.
        DispatchQueue.global().async { [self] in
            renewIfChanged()
            let authorities = state.withLock { $0.authorities }
            guard chain.count == shown.count, let found = authorities.check(chain),
                found.isTrusted || isKnown.map({ $0(found.fingerprint) }) ?? true
            else {
                promise.succeed(.failed)
                return tell(shown[0])
            }
            state.withLock { state in
                if state.pending.count >= Self.pendingLimit { state.pending.removeAll() }
                state.pending[found.fingerprint] = chain
            }
            promise.succeed(.certificateVerified)
        }
    }

    private func tell(_ leaf: NIOSSLCertificate) {
        let validity = CertificateValidity(of: leaf)
        guard let refused, validity != .holds, let fingerprint = ClientCertificate.fingerprint(of: leaf),
            isKnown?(fingerprint) == true
        else { return }
        refused(fingerprint, validity)
    }

    /// A handshake ended with this certificate.
    func completed(_ channel: any Channel, _ certificate: NIOSSLCertificate) {
        guard let leaf = try? certificate.toDERBytes() else { return }
        connectionCount.add(1, ordering: .relaxed)
        state.withLock { state in
            let chain = state.pending[CertificateAuthorities.fingerprint(leaf)] ?? [leaf]
            state.connections[ObjectIdentifier(channel)] = Connection(chain: chain, generation: -1)
        }
    }

    func ended(_ channel: any Channel) {
        let isGone = state.withLock { $0.connections.removeValue(forKey: ObjectIdentifier(channel)) != nil }
        if isGone { connectionCount.subtract(1, ordering: .relaxed) }
    }

    // MARK: Requests

    /// What the other end of a request's connection showed, checked by what holds now.
    func certificate(of channel: any Channel) -> ClientCertificate? {
        guard connectionCount.load(ordering: .relaxed) > 0 else { return nil }
        let ids = [channel, channel.parent].compactMap { $0.map(ObjectIdentifier.init) }
        return state.withLock { state in
            guard let id = ids.first(where: { state.connections[$0] != nil }),
                var connection = state.connections[id]
            else { return nil }
            if connection.generation != state.generation {
                connection.found = state.authorities.check(connection.chain)
                connection.generation = state.generation
                state.connections[id] = connection
            }
            return connection.found
        }
    }
}
