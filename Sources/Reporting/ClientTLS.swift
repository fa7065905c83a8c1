import COpenSSL
import Glibc

/// TLS towards servers of others: 1.3 and 1.2, their certificate checked against authorities and their name.
public final class ClientTLS: @unchecked Sendable {  // OpenSSL counts references; nothing is written after init
    let context: OpaquePointer

    /// Reads the files.
    ///
    /// - Parameters:
    ///   - authorities: PEM file of those that may vouch for the server; nil takes the system's.
    ///   - certificate: PEM file of ours and the intermediate ones, where the server asks for one.
    ///   - key: its key, open to its owner only; nil: in the certificate's file.
    public init(authorities: String?, certificate: String? = nil, key: String? = nil) throws(ReportingError) {
        guard let context = SSL_CTX_new(TLS_client_method()) else { throw .file("OpenSSL has no memory") }
        self.context = context
        // The macros of ssl.h: minimum version, and no renegotiation nor compression.
        SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(TLS1_2_VERSION), nil)
        SSL_CTX_set_options(context, UInt64(1) << 30 | UInt64(1) << 17)
        SSL_CTX_set_security_level(context, 2)
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        let loaded =
            authorities.map { SSL_CTX_load_verify_locations(context, $0, nil) }
            ?? SSL_CTX_set_default_verify_paths(context)
        guard loaded == 1 else { throw .file("\(authorities ?? "the system's authorities") cannot be read as PEM") }
        guard let certificate else { return }
        guard SSL_CTX_use_certificate_chain_file(context, certificate) == 1 else {
            throw .file("\(certificate) holds no certificate in PEM")
        }
        let key = key ?? certificate
        var about = stat()
        guard stat(key, &about) == 0, about.st_mode & 0o077 == 0 else {
            throw .file("\(key) is not there, or open to others than its owner: chmod 600")
        }
        guard SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1, SSL_CTX_check_private_key(context) == 1
        else { throw .file("\(key) holds no key, or not that of the certificate") }
    }

    deinit { SSL_CTX_free(context) }

    /// A session for one connection, which checks the server's name or address.
    func session(to host: String) throws(ReportingError) -> OpaquePointer {
        guard let session = SSL_new(context) else { throw .file("OpenSSL has no memory") }
        var address = in6_addr()
        var short = in_addr()
        let isAddress = inet_pton(AF_INET6, host, &address) == 1 || inet_pton(AF_INET, host, &short) == 1
        let isSet: Bool
        if isAddress {
            isSet = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host) == 1
        } else {
            var name = Array(host.utf8CString)
            let isNamed = name.withUnsafeMutableBytes {
                SSL_ctrl(session, SSL_CTRL_SET_TLSEXT_HOSTNAME, Int(TLSEXT_NAMETYPE_host_name), $0.baseAddress) == 1
            }
            isSet = isNamed && SSL_set1_host(session, host) == 1
        }
        guard isSet else {
            SSL_free(session)
            throw .setting("\(host) is no name that a certificate can be checked for")
        }
        return session
    }
}
