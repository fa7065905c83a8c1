import Access
import ArgumentParser
import DIMSE
import Foundation
import Glibc
import Toolkit

/// Options of `peer add` about certificates and users.
struct PeerSecurityOptions: ParsableArguments {
    @Flag(help: "It speaks TLS; nothing goes unencrypted to or from it then unless --allow-plain is given too.")
    var tls = false

    @Option(name: .customLong("certificate"), help: "PEM file of its certificate. May be repeated.")
    var certificateFiles: [String] = []

    @Option(name: .customLong("certificate-sha256"), help: "SHA-256 fingerprint of its certificate. May be repeated.")
    var fingerprints: [String] = []

    @Option(
        name: .customLong("certificate-name"),
        help: "Name its certificate's SubjectAltName must hold: a host name, address or URI. May be repeated.")
    var certificateNames: [String] = []

    @Flag(help: "Any certificate of a configured authority will do; when we call it, it must name the host we call.")
    var anyCertificate = false

    @Flag(help: "It may call without a certificate, where dimse.tls.client-certificates lets it.")
    var noCertificate = false

    @Option(help: "User name it must give together with a password, which is asked for.")
    var user: String?

    @Option(help: "File the user's password is read from, - for standard input, instead of asking.")
    var passwordFile: String?

    @Option(help: "Key JSON web tokens are checked with: PEM of a public key (RS256, ES256), or a secret (HS256).")
    var jwtKey: String?

    @Option(help: "Issuer (iss) its tokens must name.")
    var jwtIssuer: String?

    @Option(help: "Audience (aud) its tokens must name; our AE title by default.")
    var jwtAudience: String?

    @Flag(help: "Refuse its associations without a user or token.")
    var requireIdentity = false

    @Option(help: "User name we give when we call it.")
    var sendUser: String?

    @Option(help: "File with the password that goes with --send-user; read at each call, so it stays there.")
    var sendPasswordFile: String?

    func certificates() throws -> PeerCertificates? {
        var found = try fingerprints.map { text in
            guard let read = Fingerprint(text) else {
                throw ValidationError("--certificate-sha256 takes 64 hexadecimal digits.")
            }
            return "\(read)"
        }
        for file in certificateFiles {
            do { found.append("\(try Fingerprint(certificateAt: file))") } catch {
                throw ValidationError("--certificate \(file): \(error).")
            }
        }
        let result = PeerCertificates(
            fingerprints: found, names: certificateNames.map { $0.contains(":") ? $0 : $0.lowercased() },
            allowsAny: anyCertificate, allowsNone: noCertificate)
        return tls || result != PeerCertificates() ? result : nil
    }

    func identity() throws -> PeerIdentity? {
        let result = PeerIdentity(
            user: user, takesTokens: jwtKey != nil, issuer: jwtIssuer, audience: jwtAudience,
            isRequired: requireIdentity)
        return result == PeerIdentity() ? nil : result
    }

    /// Asks for the password unless a file is named.
    func secrets() throws -> PeerSecrets {
        var result = PeerSecrets()
        if let user { result.password = try PasswordHash(password(of: user)) }
        if let jwtKey {
            guard let bytes = FileManager.default.contents(atPath: jwtKey) else {
                throw ValidationError("--jwt-key \(jwtKey) cannot be read.")
            }
            result.tokenKey = try TokenKey(file: Array(bytes))
        }
        return result
    }

    func outgoingUser() throws -> OutgoingUser? {
        guard let sendUser else { return nil }
        // The service's own folder is another one.
        let path = sendPasswordFile.map { URL(fileURLWithPath: $0).path }
        return OutgoingUser(name: sendUser, passwordFile: path)
    }

    private func password(of user: String) throws -> [UInt8] {
        if let passwordFile, passwordFile != "-" {
            return try reaching { try PasswordFile.read(passwordFile) }
        }
        if passwordFile == nil, isatty(STDIN_FILENO) == 1 {
            guard let typed = getpass("Password of \(user): ") else { throw ValidationError("No password was typed.") }
            return Array(String(cString: typed).utf8)
        }
        guard let line = readLine() else { throw ValidationError("No password came on standard input.") }
        return Array(line.utf8)
    }
}
