import Access
import HTTP
import Logging

extension Settings {
    static let credentialTable: [Setting] = [
        Setting(
            key: "access.token-lifetime", kind: .seconds(60...900), defaultValue: "600",
            about: "how long a token of a client is good"),
        Setting(
            key: "access.token-key-time", kind: .seconds(3600...31_622_400), defaultValue: "2592000",
            about: "how long a key signs tokens; then another one does"),
        Setting(
            key: "access.tokens-without-certificate", kind: .choice(TokenIssuer.BareUse.allCases.map(\.rawValue)),
            defaultValue: TokenIssuer.BareUse.thisMachine.rawValue,
            about: "from where programs count that show no certificate: a system shows certificate and token"),
        Setting(
            key: "web.tls.client-certificates", kind: .choice(["none", "optional", "required"]), defaultValue: "none",
            about:
                "whether clients of the web door are asked for a certificate, and let in without a known one; "
                + "browsers then may ask their person for one"
        ),
        Setting(
            key: "web.tls.authorities", kind: .text, defaultValue: "",
            about: "PEM file of the authorities that may vouch for them; empty: they are known by fingerprint only"),
        Setting(
            key: "web.tls.revocation-lists", kind: .text, defaultValue: "",
            about: "PEM file of revocation lists, one of each authority; without a current one no certificate is taken"),
    ]

    var tokens: TokenIssuer.Settings {
        var result = TokenIssuer.Settings()
        result.lifetime = seconds("access.token-lifetime")
        result.keyTime = seconds("access.token-key-time")
        result.bareUse = .init(rawValue: text("access.tokens-without-certificate")) ?? .nowhere
        return result
    }

    /// Nil where no client is asked for a certificate.
    ///
    /// - Parameter isKnown: whether a certificate that no authority vouches for is somebody's, by its fingerprint.
    func clientCertificates(
        logger: Logger, isKnown: @escaping @Sendable (String) -> Bool
    ) throws -> ClientCertificates? {
        let isRequired: Bool
        switch text("web.tls.client-certificates") {
        case "optional": isRequired = false
        case "required": isRequired = true
        default: return nil
        }
        return try ClientCertificates(
            authorities: text("web.tls.authorities"), revocationLists: text("web.tls.revocation-lists"), logger: logger,
            isKnown: isRequired ? isKnown : nil)
    }
}
