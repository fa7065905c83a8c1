import Hummingbird

/// Why a request was not answered as it asked, as a problem document. RFC 9457.
///
/// Neither title nor detail carries patient data or a UID: both go to logs of others.
public struct Problem: HTTPResponseError {
    public var status: HTTPResponse.Status
    /// One sentence: what happened, and what to do.
    public var detail: String
    /// Media types in which it is to be had, for 406. RFC 9110 §15.5.7; a member of our own, RFC 9457 §3.2.
    public var available: [String]
    public var headers: HTTPFields

    public init(
        _ status: HTTPResponse.Status, _ detail: String, available: [String] = [], headers: HTTPFields = [:]
    ) {
        self.status = status
        self.detail = detail
        self.available = available
        self.headers = headers
    }

    public func response(from request: Request, context: some RequestContext) throws -> Response { response }

    public var response: Response {
        let (head, body) = parts
        return Response(status: head.status, headers: head.headerFields, body: .init(byteBuffer: body))
    }

    /// Head and body, for who writes them itself.
    var parts: (HTTPResponse, ByteBuffer) {
        var fields = headers
        fields[.contentType] = "application/problem+json"
        fields[.cacheControl] = "no-store"
        let types = available.map { "\"\(Self.escaped($0))\"" }.joined(separator: ",")
        let list = available.isEmpty ? "" : ",\"available\":[\(types)]"
        let text =
            "{\"type\":\"about:blank\",\"title\":\"\(Self.escaped(status.reasonPhrase))\",\"status\":\(status.code),"
            + "\"detail\":\"\(Self.escaped(detail))\"" + list + "}\n"
        let body = ByteBuffer(string: text)
        fields[.contentLength] = String(body.readableBytes)
        return (HTTPResponse(status: status, headerFields: fields), body)
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\\(scalar)"
            case _ where scalar.value < 0x20: result += " "
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
