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
            key: "web.tls.client-certificates", kind: .choice(["none", "optional"]), defaultValue: "none",
            about:
                "whether clients of the web door are asked for a certificate; browsers then may ask their person for one"
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
        return result
    }

    /// Nil where no client is asked for a certificate.
    func clientCertificates(logger: Logger) throws -> ClientCertificates? {
        guard text("web.tls.client-certificates") == "optional" else { return nil }
        return try ClientCertificates(
            authorities: text("web.tls.authorities"), revocationLists: text("web.tls.revocation-lists"), logger: logger)
    }
}
