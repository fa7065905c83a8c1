import HTTPTypes
import Hummingbird

/// The cookie by which a browser shows its session. RFC 6265.
///
/// Cookies know no ports, and browsers hold every page of a machine for the same site: whether a request comes from one
/// of our own pages is decided by what the browser says about it.
public enum SessionCookie {
    /// Over TLS under a name that browsers take from no page without; the two do not get in each other's way.
    private static let secureName = "__Host-huizhen-session"
    private static let plainName = "huizhen-session"

    /// What the cookie holds, if the request comes from one of our own pages or from no page at all.
    public static func value(in request: Request) -> String? {
        comesFromOwnPage(request) ? anyValue(in: request) : nil
    }

    /// What the cookie holds, wherever the request comes from: for pages that show nothing by themselves.
    public static func anyValue(in request: Request) -> String? {
        value(of: secureName, in: request) ?? value(of: plainName, in: request)
    }

    /// The cookie of a sign-in that is under way, which its forms are bound to.
    public static let signInName = "huizhen-sign-in"

    /// The field that sets the cookie of a sign-in; with an empty value, the one that removes it.
    ///
    /// - Parameter isSecure: whether the request came over TLS.
    public static func signInField(_ value: String, isSecure: Bool) -> HTTPField {
        HTTPField(
            name: .setCookie,
            value: "\(signInName)=\(value); Path=/; HttpOnly; SameSite=Strict; Max-Age=\(value.isEmpty ? 0 : 3600)"
                + (isSecure ? "; Secure" : ""))
    }

    /// Of any cookie; the first one of its name.
    public static func value(of name: String, in request: Request) -> String? {
        for field in request.headers[values: .cookie] {
            for pair in field.split(separator: ";") {
                let parts = pair.drop { $0 == " " }.split(separator: "=", maxSplits: 1)
                if parts.count == 2, parts[0] == name { return String(parts[1]) }
            }
        }
        return nil
    }

    /// Whether nothing says that a page of another origin sends it; for methods that change something, whether the
    /// browser says that one of our own does.
    public static func comesFromOwnPage(_ request: Request) -> Bool {
        let isSafe = [.get, .head, .options].contains(request.method)
        let site = request.headers[.secFetchSite]
        if let site, site != "same-origin", !(isSafe && site == "none") { return false }
        guard let origin = request.headers[.origin] else { return isSafe || site == "same-origin" }
        guard let authority = request.head.authority else { return false }
        return origin == "http://" + authority || origin == "https://" + authority
    }

    /// The cookie of a sign-in at an identity provider, which must come back with who comes from there.
    public static let providerName = "huizhen-openid"

    /// The field that sets the cookie of a sign-in at a provider: lax, so that it comes back from another site, and only there.
    public static func providerField(_ value: String, isSecure: Bool) -> HTTPField {
        HTTPField(
            name: .setCookie,
            value: "\(providerName)=\(value); Path=/openid; HttpOnly; SameSite=Lax; Max-Age=\(value.isEmpty ? 0 : 600)"
                + (isSecure ? "; Secure" : ""))
    }

    /// The field that sets it; with 0 seconds, the one that removes it.
    public static func field(_ value: String, seconds: Int, for request: Request) -> HTTPField {
        // What the browser itself says about the connection holds behind a proxy, too.
        field(value, seconds: seconds, isSecure: request.headers[.origin]?.hasPrefix("https:") ?? false)
    }

    /// As `field(_:seconds:for:)`, where the request says nothing of its origin.
    public static func field(_ value: String, seconds: Int, isSecure: Bool) -> HTTPField {
        HTTPField(
            name: .setCookie,
            value:
                "\(isSecure ? secureName : plainName)=\(value); Path=/; HttpOnly; SameSite=Strict; Max-Age=\(seconds)"
                + (isSecure ? "; Secure" : ""))
    }
}

extension HTTPField.Name {
    /// W3C Fetch Metadata §2.
    static let secFetchSite = Self("Sec-Fetch-Site")!
}
