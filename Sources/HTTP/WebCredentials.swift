import Dispatch
import Glibc
import Keys
import Logging
import NIOCore
import NIOSSL
import Synchronization

/// The certificate of the web door and its key, taken anew when their files change.
///
/// Files that cannot be used leave everything as it was, and are logged. From any thread.
public final class WebCredentials: Sendable {
    public enum Failure: Error, CustomStringConvertible {
        case unreadable(path: String)
        /// Others than its owner can read the key.
        case open(path: String)
        case unmatched(certificate: String, key: String)

        public var description: String {
            switch self {
            case .unreadable(let path): "\(path) is no PEM file that can be read: check the path and who may read it"
            case .open(let path): "\(path) can be read by others than its owner: chmod 600 it"
            case .unmatched(let certificate, let key):
                "the key in \(key) is not that of the certificate in \(certificate)"
            }
        }
    }

    /// Bytes of a file.
    static let fileByteCountLimit = 1 << 20

    private struct State {
        var chain: [NIOSSLCertificate]
        var key: NIOSSLPrivateKey
        var files: [FileState]

        var override: NIOSSLContextConfigurationOverride {
            var result = NIOSSLContextConfigurationOverride()
            result.certificateChain = chain.map { .certificate($0) }
            result.privateKey = .privateKey(key)
            return result
        }
    }

    private let certificate: String
    private let key: String
    private let logger: Logger
    private let state: Mutex<State>

    /// - Parameters:
    ///   - certificate: PEM file of the certificate and the intermediate ones after it.
    ///   - key: PEM file of its key; empty: in the certificate's file.
    /// - Throws: `.unreadable`, `.open`, `.unmatched`.
    public init(certificate: String, key: String, logger: Logger) throws(Failure) {
        self.certificate = certificate
        self.key = key.isEmpty ? certificate : key
        self.logger = logger
        state = Mutex(try Self.read(self.certificate, self.key))
    }

    /// Reads both files again, whether or not they changed.
    ///
    /// - Throws: as `init`; everything stays as it was.
    public func reload() throws(Failure) {
        let read = try Self.read(certificate, key)
        state.withLock { $0 = read }
        logger.notice("certificate of the web door read again")
    }

    /// What TLS is spoken with; every handshake takes the files as they are then.
    ///
    /// - Parameter allowsTLS12: else TLS 1.3 only.
    func configuration(allowsTLS12: Bool) -> TLSConfiguration {
        let now = state.withLock { $0 }
        var result = TLSConfiguration.makeServerConfiguration(
            certificateChain: now.chain.map { .certificate($0) }, privateKey: .privateKey(now.key))
        result.minimumTLSVersion = allowsTLS12 ? .tlsv12 : .tlsv13
        // BCP 195 (RFC 9325 §4.2): forward secrecy and AEAD only.
        result.cipherSuites = "ECDHE+AESGCM:ECDHE+CHACHA20"
        result.sslContextCallback = { [self] _, promise in
            let files = [FileState(certificate), FileState(key)]
            let now = state.withLock { $0 }
            if files == now.files { return promise.succeed(now.override) }
            // Files are read elsewhere: the connections of an event loop share it, and BoringSSL keeps what goes wrong for
            // the next caller on the same thread, a handshake that is none the worse.
            DispatchQueue.global().async { promise.succeed(self.renewed(files).override) }
        }
        return result
    }

    /// Reads the files again unless somebody else has meanwhile.
    private func renewed(_ files: [FileState]) -> State {
        state.withLock { state in
            guard files != state.files else { return state }
            // Not tried again before something changes again.
            state.files = files
            do throws(Failure) {
                state = try Self.read(certificate, key)
                logger.notice("certificate of the web door read again")
            } catch {
                logger.error(
                    "certificate of the web door not taken, the old one stays", metadata: ["reason": "\(error)"])
            }
            return state
        }
    }

    private static func read(_ certificate: String, _ key: String) throws(Failure) -> State {
        let files = [FileState(certificate), FileState(key)]
        var about = stat()
        guard stat(key, &about) == 0, about.st_size <= fileByteCountLimit else { throw .unreadable(path: key) }
        guard about.st_mode & 0o077 == 0 else { throw .open(path: key) }
        guard stat(certificate, &about) == 0, about.st_size <= fileByteCountLimit,
            let chain = try? NIOSSLCertificate.fromPEMFile(certificate), !chain.isEmpty
        else { throw .unreadable(path: certificate) }
        guard let secret = try? NIOSSLPrivateKey(file: key, format: .pem) else { throw .unreadable(path: key) }
        let check = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(secret))
        guard (try? NIOSSLContext(configuration: check)) != nil else {
            throw .unmatched(certificate: certificate, key: key)
        }
        return State(chain: chain, key: secret, files: files)
    }
}
