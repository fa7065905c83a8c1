import HTTP
import Hummingbird
import NIOCore

extension Door {
    /// What the service offers. PS3.18 §8.9.
    func addCapabilities(_ group: RouterGroup<WebContext>) {
        group.get("openapi.json") { _, _ in Self.answer(Self.document, "application/json") }
        let capabilities: @Sendable (Request, WebContext) async throws -> Response = { request, context in
            let ranges = try Self.accepted(request)
            for range in ranges.isEmpty ? [MediaRange("*", "*")] : ranges {
                if range.takes("application", "vnd.sun.wadl+xml") || range.takes("text", "xml") {
                    return Self.answer(Capabilities.wadl(base: Self.base(context)), Capabilities.wadlType)
                }
                if range.takes("application", "json") { return Self.answer(Self.document, "application/json") }
            }
            throw Problem(
                .notAcceptable, "This is to be had as \(Capabilities.wadlType) or application/json.",
                available: [Capabilities.wadlType, "application/json"])
        }
        group.get("capabilities", use: capabilities)
        group.on("", method: .options, use: capabilities)
    }

    /// Made when somebody asks first.
    private static let document = Capabilities.openAPI()

    private static func answer(_ bytes: [UInt8], _ type: String) -> Response {
        Response(
            status: .ok, headers: [.contentType: type, .cacheControl: "private, no-cache"],
            body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
