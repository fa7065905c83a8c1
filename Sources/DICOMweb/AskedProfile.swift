import HTTP
import Hummingbird
import Release

/// The parameter `deidentify` of a retrieval, which is none of PS3.18's: the profile by which the answer is de-identified.
enum AskedProfile {
    static let name = "deidentify"
    /// That of the URI service, whose value is `yes`. PS3.18 §9.
    static let uriName = "anonymize"
    /// What `anonymize=yes` means.
    static let ofURI = "research"

    /// The profile that a query of the RESTful services asks for; nil without the parameter. Whether there is one of that name,
    /// and who may ask for it, is looked at later.
    ///
    /// - Throws: 400 where it stands twice, or is written otherwise: nobody is to get originals by a slip.
    static func read(_ query: String?) throws(Problem) -> String? {
        var found: String?
        for (name, value) in try QueryText(query).parameters where resembles(name) || swallows(value) {
            guard name == Self.name, found == nil, !swallows(value) else {
                throw Problem(.badRequest, "De-identification is asked for by deidentify=PROFILE, once.")
            }
            found = value
        }
        return found
    }

    /// - Throws: 400 for a query that asks for de-identification where nothing is de-identified.
    static func refuse(_ query: String?) throws(Problem) {
        guard try QueryText(query).parameters.contains(where: { isMeant(by: $0.name) }) else { return }
        throw Problem(
            .badRequest, "The parameter deidentify is for retrievals: nothing is de-identified here by being asked for."
        )
    }

    /// Other spellings too, and what stands around it.
    private static func resembles(_ name: String) -> Bool {
        let letters = name.lowercased().filter(\.isLetter)
        return letters.contains("deident") || letters.contains("anonym")
    }

    /// Whether it is in a value, as behind a second question mark or a semicolon.
    private static func swallows(_ value: String) -> Bool {
        [name, uriName].contains { value.lowercased().contains($0 + "=") }
    }

    private static func isMeant(by name: String) -> Bool { [Self.name, uriName].contains(name.lowercased()) }
}

/// Answers a request that asks for de-identification where nobody would do it with 400 instead of an original.
struct AskedProfileCheck: RouterMiddleware {
    typealias Context = WebContext

    func handle(
        _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        try AskedProfile.refuse(request.uri.query)
        return try await next(request, context)
    }
}
