import Access
import Foundation
import HTTP
import HTTPTypes
import Hummingbird

/// Where programs exchange what proves them for tokens. RFC 6749 §4.4, RFC 8705, RFC 7009, RFC 7517.
///
/// Nothing here knows cookies, so that no page of a browser gains anything by asking.
struct TokenDoor: Sendable {
    private let access: Access
    private let tokens: TokenIssuer
    private let pool: BlockingPool
    private let refusals: RefusalTally

    init(access: Access, tokens: TokenIssuer, pool: BlockingPool) {
        self.access = access
        self.tokens = tokens
        self.pool = pool
        refusals = RefusalTally(access, door: "web")
    }

    func stop() { refusals.flush() }

    func add<Context: OriginContext>(to router: Router<Context>) {
        router.post("oauth2/token") { request, context in
            try await self.answering(request, context) { form, client, certificate in
                guard form["grant_type"] == "client_credentials" else {
                    return Self.failure(form["grant_type"].isEmpty ? "invalid_request" : "unsupported_grant_type")
                }
                return try await self.issue(to: client, scope: form["scope"], certificate, context)
            }
        }
        router.post("oauth2/revoke") { request, context in
            try await self.answering(request, context) { form, client, _ in
                let token = form["token"]
                _ = try await self.pool.run {
                    try self.tokens.revokeToken(token, of: client, from: context.origin.address)
                }
                // What is no token of this client's is answered alike. RFC 7009 §2.2.
                return Response(status: .ok, headers: [.cacheControl: "no-store"])
            }
        }
        router.get("oauth2/jwks") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "application/jwk-set+json", .cacheControl: "no-cache"],
                body: .init(byteBuffer: ByteBuffer(bytes: self.tokens.keySet())))
        }
    }

    /// Reads the form and finds the client that sends it.
    private func answering(
        _ request: Request, _ context: some OriginContext,
        _ body: (FormBody, TokenClient, CallerCertificate?) async throws -> Response
    ) async throws -> Response {
        let form: FormBody
        do { form = try await FormBody(request, from: .anywhere) } catch let problem as Problem {
            return Self.failure("invalid_request", problem.status)
        }
        let certificate = context.certificate.map {
            CallerCertificate(fingerprint: $0.fingerprint, isTrusted: $0.isTrusted, names: $0.names)
        }
        guard !form.hasRepeated, let (id, secret) = Self.credentials(request, form) else {
            return Self.failure("invalid_request")
        }
        guard let client = tokens.authenticate(id: id, secret: secret, certificate: certificate) else {
            refusals.note(from: context.origin.address, reason: "no client that is known by what it shows")
            return Self.failure("invalid_client", .unauthorized)
        }
        guard tokens.takes(client, isOfThisMachine: context.isOfThisMachine) else {
            refusals.note(from: context.origin.address, reason: "a program without a certificate, from another machine")
            return Self.failure("invalid_client", .unauthorized)
        }
        do { return try await body(form, client, certificate) } catch let refusal as TokenRefusal {
            return Self.failure(refusal.rawValue)
        } catch is AccessError { return Self.failure("temporarily_unavailable", .serviceUnavailable) }
    }

    private func issue(
        to client: TokenClient, scope: String, _ certificate: CallerCertificate?, _ context: some OriginContext
    ) async throws -> Response {
        let address = context.origin.address
        let issued = try await pool.run {
            try tokens.issue(to: client, scope: scope, certificate: certificate, address: address)
        }
        return Self.json(
            .ok,
            [
                "access_token": issued.token, "token_type": "Bearer", "expires_in": issued.seconds,
                "scope": issued.scope,
            ])
    }

    /// What the client says it is: by the field Authorization or in the form, never both. RFC 6749 §2.3.1.
    private static func credentials(_ request: Request, _ form: FormBody) -> (id: String, secret: String)? {
        guard let field = request.headers[.authorization] else {
            return form["client_id"].isEmpty ? nil : (form["client_id"], form["client_secret"])
        }
        let parts = field.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "basic", form["client_secret"].isEmpty,
            let data = Data(base64Encoded: String(parts[1])), let text = String(validating: data, as: UTF8.self)
        else { return nil }
        let pair = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard pair.count == 2, form["client_id"].isEmpty || form["client_id"] == pair[0] else { return nil }
        return (String(pair[0]), String(pair[1]))
    }

    private static func failure(_ error: String, _ status: HTTPResponse.Status = .badRequest) -> Response {
        var response = json(status, ["error": error])
        if status == .unauthorized { response.headers[.wwwAuthenticate] = "Basic realm=\"huizhen\"" }
        return response
    }

    private static func json(_ status: HTTPResponse.Status, _ object: [String: Any]) -> Response {
        let bytes = (try? JSONSerialization.data(withJSONObject: object, options: .sortedKeys)) ?? Data()
        return Response(
            status: status,
            headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
