import HTTP
import HTTPTypes
import Hummingbird

/// The languages of the pages; Chinese unless the reader switches.
enum Language: String, CaseIterable, Sendable {
    case chinese = "zh"
    case english = "en"

    static let cookieName = "huizhen-lang"

    /// Of `<html lang>`. RFC 5646.
    var tag: String { self == .chinese ? "zh-CN" : "en" }
    var other: Language { self == .chinese ? .english : .chinese }
    /// How it calls itself.
    var name: String { self == .chinese ? "中文" : "English" }

    /// What the address asks for, or else what was last asked for.
    init(_ request: Request, _ query: QueryText) {
        let named = query["lang"] ?? SessionCookie.value(of: Self.cookieName, in: request) ?? ""
        self = Language(rawValue: named) ?? .chinese
    }

    /// The field that keeps the choice for a year.
    var cookie: HTTPField {
        HTTPField(
            name: .setCookie, value: "\(Self.cookieName)=\(rawValue); Path=/; SameSite=Strict; Max-Age=31536000")
    }
}
