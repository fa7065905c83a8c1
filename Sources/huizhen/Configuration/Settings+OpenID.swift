import Access
import Foundation
import Keys
import Reporting

extension Settings {
    static let openIDTable: [Setting] = [
        Setting(
            key: "web.openid.issuer", kind: .text, defaultValue: "",
            about:
                "OpenID Connect provider that people may sign in by, exactly as it names itself: https://id.example; "
                + "empty: none"),
        Setting(key: "web.openid.client", kind: .text, defaultValue: "", about: "our client_id there"),
        Setting(
            key: "web.openid.client-secret", kind: .text, defaultValue: "",
            about: "file with our client_secret, open to its owner only"),
        Setting(
            key: "web.openid.redirect", kind: .text, defaultValue: "",
            about: "where it sends browsers back to, exactly as registered there: "
                + "https://images.example/openid/callback"),
        Setting(
            key: "web.openid.authorities", kind: .text, defaultValue: "",
            about: "PEM file of the authorities that may vouch for its server; empty: the system's"),
        Setting(
            key: "web.openid.scopes", kind: .text, defaultValue: "openid profile", about: "scopes that are asked for"),
        Setting(
            key: "web.openid.account-claim", kind: .text, defaultValue: "preferred_username",
            about: "claim of the ID token that holds the account's name; the account must be there"),
        Setting(
            key: "web.openid.acr", kind: .list, defaultValue: "",
            about: "values of acr that stand for two factors; else our own second factor follows"),
        Setting(
            key: "web.openid.amr", kind: .list, defaultValue: "",
            about: "values of amr of which one stands for two factors, such as mfa"),
        Setting(
            key: "web.openid.time", kind: .seconds(1...60), defaultValue: "10",
            about: "how long its server may take for one answer"),
        Setting(
            key: "web.openid.signed-out", kind: .text, defaultValue: "",
            about:
                "where it sends browsers that sign out there, exactly as registered: https://images.example/; empty: "
                + "nowhere"),
        Setting(
            key: "web.openid.label", kind: .text, defaultValue: "", about: "what the page calls it; empty: its host"),
    ]

    /// Nil where none is configured.
    func provider() throws -> OpenIDProvider? {
        let issuer = text("web.openid.issuer")
        guard !issuer.isEmpty else { return nil }
        func wrong(_ key: String, _ why: String) -> ReportingError { .setting("web.openid.\(key) \(why)") }
        let redirect = text("web.openid.redirect")
        guard let parts = URLComponents(string: issuer), parts.scheme == "https", let host = parts.host,
            parts.query == nil, parts.fragment == nil
        else { throw wrong("issuer", "is an https address without query: https://id.example") }
        guard let back = URLComponents(string: redirect), back.path == "/openid/callback", back.query == nil,
            back.scheme == "https" || ["localhost", "127.0.0.1"].contains(back.host ?? "")
        else { throw wrong("redirect", "is where browsers reach this service: https://images.example/openid/callback") }
        let signedOut = text("web.openid.signed-out")
        guard signedOut.isEmpty || signedOut.hasPrefix("https://") && URLComponents(string: signedOut) != nil else {
            throw wrong("signed-out", "is an https address of this service: https://images.example/")
        }
        guard !text("web.openid.client").isEmpty else { throw wrong("client", "is missing") }
        let file = text("web.openid.client-secret")
        let attributes = try? FileManager.default.attributesOfItem(atPath: file)
        guard let mode = attributes?[.posixPermissions] as? Int, mode & 0o077 == 0,
            let content = FileManager.default.contents(atPath: file)
        else { throw ReportingError.file("\(file) is not there, or open to others than its owner: chmod 600") }
        let secret = String(decoding: content.prefix(1024), as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        var settings = OpenIDSettings(
            issuer: issuer, clientID: text("web.openid.client"), clientSecret: secret, redirect: redirect)
        settings.signedOut = text("web.openid.signed-out")
        settings.scopes = text("web.openid.scopes")
        settings.accountClaim = text("web.openid.account-claim")
        settings.contexts = list("web.openid.acr")
        settings.methods = list("web.openid.amr")
        settings.label = text("web.openid.label").isEmpty ? host : text("web.openid.label")
        let authorities = text("web.openid.authorities")
        let tls = try ClientTLS(authorities: authorities.isEmpty ? nil : authorities)
        let time = seconds("web.openid.time")
        return OpenIDProvider(settings: settings) { request in
            let exchange = try HTTPExchange(url: request.url, tls: tls, setting: "an address of the provider")
            let answer = try exchange.send(
                request.body == nil ? "GET" : "POST", fields: request.fields, body: request.body ?? [],
                byteCountLimit: OpenIDProvider.answerByteCountLimit, within: time)
            return OpenIDAnswer(status: answer.status, body: answer.body)
        }
    }
}
