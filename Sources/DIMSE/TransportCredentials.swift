import Access
import Foundation
import Keys
import Logging
import Synchronization
import Toolkit

/// Certificate, key, authorities and revocation lists of both directions, taken anew when their files change.
///
/// A file that cannot be used leaves everything as it was, and is logged. From any thread.
public final class TransportCredentials: Sendable {
    private struct State {
        var context: TLSContext
        var seen: [FileState]
    }

    private let files: TLSFiles
    private let clientCertificates: TransportSecurity.ClientCertificates
    private let logger: Logger?
    private let state: Mutex<State>

    /// - Throws: `.tlsFile` with the file that cannot be used.
    public init(
        files: TLSFiles, clientCertificates: TransportSecurity.ClientCertificates = .required, logger: Logger? = nil
    ) throws(AssociationError) {
        self.files = files
        self.clientCertificates = clientCertificates
        self.logger = logger
        let seen = Self.seen(of: files)
        state = Mutex(State(context: try TLSContext(files), seen: seen))
    }

    /// Reads all files again, whether or not they changed.
    ///
    /// - Throws: `.tlsFile` with the file that cannot be used; everything stays as it was.
    public func reload() throws(AssociationError) {
        let seen = Self.seen(of: files)
        let context = try TLSContext(files)
        state.withLock { $0 = State(context: context, seen: seen) }
        logger?.notice("TLS files read again")
    }

    /// What to accept an association with; costs one look at each file.
    func accepting(pins: Set<String>) -> TransportSecurity {
        TransportSecurity(
            context: context(), clientCertificates: clientCertificates, pins: pins.compactMap(Fingerprint.init))
    }

    /// What to call a peer with.
    func calling(_ peer: PeerCertificates, host: String) -> TransportSecurity {
        let isAnyRight = peer.allowsAny || peer.allowsNone
        return TransportSecurity(
            context: context(), names: peer.names + (isAnyRight ? [host] : []),
            pins: peer.fingerprints.compactMap(Fingerprint.init))
    }

    private func context() -> TLSContext {
        let seen = Self.seen(of: files)
        return state.withLock { state in
            guard seen != state.seen else { return state.context }
            // Not tried again before something changes again.
            state.seen = seen
            do throws(AssociationError) {
                state.context = try TLSContext(files)
                logger?.notice("TLS files read again")
            } catch {
                logger?.error("TLS files not taken, the old ones stay", metadata: ["reason": "\(error)"])
            }
            return state.context
        }
    }

    private static func seen(of files: TLSFiles) -> [FileState] { files.paths.map { FileState($0) } }
}
