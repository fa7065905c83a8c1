import Archive
import DICOM
import HTTP
import Hummingbird
import Release

/// The URI service: one object by the query of one address. PS3.18 §9.
extension Door {
    /// Its path; beside, not under, that of the RESTful services.
    public static let uriPath = "/wado"

    func addURI(_ router: Router<WebContext>) {
        router.get(RouterPath(Self.uriPath)) { [self] request, context in
            let wanted = try URIRequest(request.uri.query)
            let retrieval = try retrieval(of: wanted.path, context, asking: wanted.profile)
            let answer = PictureAnswer(
                archive: archive, pool: pool, order: wanted.order, quality: wanted.quality, base: Self.base(context),
                query: request.uri.query, held: request.headers[.ifNoneMatch])
            return try await pool.run { [releases] in
                switch wanted.form {
                case .object(let syntax): return try Self.object(retrieval, in: syntax, releases)
                case .picture(let choices):
                    let source = PictureAnswer.Source(try retrieval.instance(releases))
                    var response = try answer.response(
                        source, frames: wanted.frame.map { String($0) }, choices: choices)
                    response.headers[.contentLocation] = nil
                    return response
                }
            }
        }
    }

    /// Explicit VR little endian unless another is named, and as it is stored where that cannot be had. PS3.18 §9.1.2.2.
    private static func object(
        _ retrieval: Retrieval, in syntax: TransferSyntax?, _ releases: Releases
    ) throws -> Response {
        let wanted = (syntax ?? .explicitVRLittleEndian).uid
        let asItIs = MediaRange("application", "dicom", [.init("q", "0.5")])
        return try retrieval.response(
            accepting: [MediaRange("application", "dicom", [.init("transfer-syntax", wanted)])]
                + (syntax == nil ? [asItIs] : []), releases: releases)
    }
}
