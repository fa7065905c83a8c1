import Access
import Foundation
import Glibc
import Logging
import Synchronization
import Toolkit

/// Certificate, key, authorities and revocation lists of both directions, taken anew when their files change.
///
/// A file that cannot be used leaves everything as it was, and is logged. From any thread.
public final class TransportCredentials: Sendable {
    /// What tells a file from the one that was there before.
    private struct Look: Equatable {
        var inode: UInt64 = 0
        var byteCount: Int64 = 0
        var seconds: [Int] = []
    }

    private struct State {
        var context: TLSContext
        var looks: [Look]
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
        let looks = Self.look(at: files)
        state = Mutex(State(context: try TLSContext(files), looks: looks))
    }

    /// Reads all files again, whether or not they changed.
    ///
    /// - Throws: `.tlsFile` with the file that cannot be used; everything stays as it was.
    public func reload() throws(AssociationError) {
        let looks = Self.look(at: files)
        let context = try TLSContext(files)
        state.withLock { $0 = State(context: context, looks: looks) }
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
        let looks = Self.look(at: files)
        return state.withLock { state in
            guard looks != state.looks else { return state.context }
            // Not tried again before something changes again.
            state.looks = looks
            do throws(AssociationError) {
                state.context = try TLSContext(files)
                logger?.notice("TLS files read again")
            } catch {
                logger?.error("TLS files not taken, the old ones stay", metadata: ["reason": "\(error)"])
            }
            return state.context
        }
    }

    private static func look(at files: TLSFiles) -> [Look] {
        files.paths.map { path in
            var about = stat()
            guard stat(path, &about) == 0 else { return Look() }
            return Look(
                inode: UInt64(about.st_ino), byteCount: Int64(about.st_size),
                seconds: [about.st_mtim.tv_sec, about.st_mtim.tv_nsec, about.st_ctim.tv_sec, about.st_ctim.tv_nsec])
        }
    }
}
