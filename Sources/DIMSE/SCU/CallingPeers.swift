import Access
import Foundation
import Glibc
import Toolkit

extension Requester.Target {
    /// Where and how to call a peer: over TLS if it speaks it, with our user if it is to be told one. Reads the
    /// password's file.
    ///
    /// - Throws: `.notCallable` for a peer without address and port, without the TLS it needs, or whose password
    ///   cannot be read.
    public init(
        _ peer: Peer, callingAETitle: String, timeouts: AssociationTimeouts, credentials: TransportCredentials?
    ) throws(DIMSEError) {
        guard let host = peer.host, let port = peer.port else { throw .notCallable("it has no address and port") }
        var security: TransportSecurity?
        if let certificates = peer.certificates {
            guard let credentials else { throw .notCallable("it speaks TLS, and no TLS is configured here") }
            security = credentials.calling(certificates, host: host)
        }
        self.init(
            host: host, port: port, calledAETitle: peer.aeTitle, callingAETitle: callingAETitle, timeouts: timeouts,
            security: security, identity: try peer.user.map(Self.identity))
    }

    private static func identity(_ user: OutgoingUser) throws(DIMSEError) -> UserIdentity {
        guard let path = user.passwordFile else { return UserIdentity(kind: .name, primary: Array(user.name.utf8)) }
        return UserIdentity(
            kind: .nameAndPasscode, primary: Array(user.name.utf8), secondary: try PasswordFile.read(path))
    }
}

/// A file with one password, which only its owner may read.
public enum PasswordFile {
    /// The password, line end left out.
    ///
    /// - Throws: `.notCallable` for a file that is not there, is open to others, empty or too large.
    public static func read(_ path: String) throws(DIMSEError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .notCallable("its password file cannot be read") }
        defer { close(descriptor) }
        var about = stat()
        guard fstat(descriptor, &about) == 0, about.st_mode & S_IFMT == S_IFREG else {
            throw .notCallable("its password file is no file")
        }
        guard about.st_uid == geteuid() || about.st_uid == 0, about.st_mode & (S_IRWXG | S_IRWXO) == 0 else {
            throw .notCallable("its password file is open to others: chmod 600 it")
        }
        let limit = PasswordHash.passwordByteCountRange.upperBound
        var bytes = [UInt8](repeating: 0, count: limit + 3)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        var password = bytes.prefix(max(count, 0))
        while let last = password.last, last == 0x0A || last == 0x0D { password.removeLast() }
        guard PasswordHash.passwordByteCountRange.contains(password.count) else {
            throw .notCallable("its password file holds no password of 1 to \(limit) bytes")
        }
        return Array(password)
    }
}
