import CDCMTK

/// PEM files that TLS is set up from.
public struct TLSFiles: Equatable, Sendable {
    /// Our certificate, and the intermediate ones after it.
    public var certificate: String?
    /// Its key, without a pass phrase; nobody but its owner may have access to the file.
    public var key: String?
    /// Certificates that others' chains may end in.
    public var authorities: String?
    /// When set, every certificate of a chain but its end needs a current list of its issuer's.
    public var revocationLists: String?
    /// TLS 1.3 only; else 1.2 too.
    public var isOnly13: Bool

    public init(
        certificate: String? = nil, key: String? = nil, authorities: String? = nil, revocationLists: String? = nil,
        isOnly13: Bool = false
    ) {
        self.certificate = certificate
        self.key = key
        self.authorities = authorities
        self.revocationLists = revocationLists
        self.isOnly13 = isOnly13
    }

    /// Those that are named.
    public var paths: [String] { [certificate, key, authorities, revocationLists].compactMap(\.self) }
}

/// TLS 1.3 and 1.2 by BCP 195 (PS3.15 §B.12): certificate, key, authorities and revocation lists, read once.
///
/// Never changes; any number of associations may use one, which keep what they need of it.
@safe public final class TLSContext: @unchecked Sendable {  // OpenSSL counts references; nothing else is written
    let handle: OpaquePointer

    /// Reads and checks the files; blocks for that.
    ///
    /// - Throws: `.tlsFile` with the file that cannot be used, `.outOfMemory`.
    public init(_ files: TLSFiles) throws(AssociationError) {
        let strings = CStrings()
        var made: OpaquePointer?
        var input = unsafe HZTLSFiles(
            certificate: files.certificate.map { unsafe strings.copy($0) },
            key: files.key.map { unsafe strings.copy($0) },
            authorities: files.authorities.map { unsafe strings.copy($0) },
            revocationLists: files.revocationLists.map { unsafe strings.copy($0) }, only13: files.isOnly13)
        try check(withExtendedLifetime(strings) { unsafe hz_tls_context_create(&input, &made) })
        guard let made = unsafe made else { throw .outOfMemory }
        unsafe handle = unsafe made
    }

    deinit { unsafe hz_tls_context_destroy(handle) }
}

/// How one association is secured.
public struct TransportSecurity: Sendable {
    /// What an acceptor asks of a requester.
    public enum ClientCertificates: String, Sendable, CaseIterable {
        case off, requested, required
    }

    public var context: TLSContext
    /// For an acceptor.
    public var clientCertificates: ClientCertificates
    /// For a requester: host names or addresses of which the certificate must hold one.
    public var names: [String]
    /// Certificates that are known byte for byte: they need no authority and no name, but may be neither expired nor
    /// revoked.
    public var pins: [Fingerprint]

    public init(
        context: TLSContext, clientCertificates: ClientCertificates = .required, names: [String] = [],
        pins: [Fingerprint] = []
    ) {
        self.context = context
        self.clientCertificates = clientCertificates
        self.names = names
        self.pins = pins
    }
}

/// Gives `body` the security as C wants it, for its duration.
func withSecurity(_ security: TransportSecurity?, _ body: (UnsafePointer<HZSecurity>?) -> HZFailure) -> HZFailure {
    guard let security else { return body(nil) }
    let strings = CStrings()
    let names: [UnsafePointer<CChar>?] = unsafe security.names.map { unsafe strings.copy($0) }
    let certificates: HZClientCertificates =
        switch security.clientCertificates {
        case .off: .off
        case .requested: .requested
        case .required: .required
        }
    return unsafe names.withUnsafeBufferPointer { names in
        unsafe security.pins.flatMap(\.bytes).withUnsafeBufferPointer { pins in
            var value = unsafe HZSecurity(
                context: security.context.handle, clientCertificates: certificates, names: names.baseAddress,
                nameCount: names.count, pins: pins.baseAddress, pinCount: security.pins.count)
            return withExtendedLifetime((strings, security)) { unsafe body(&value) }
        }
    }
}
