import HTTP
import HTTPTypes
import Hummingbird

/// A form, of one of our own pages unless said otherwise, read within bounds.
struct FormBody {
    /// Bytes of a form: a token of 16 KiB with its escapes.
    static let byteCountLimit = 64 * 1024

    enum Sender {
        case ownPage
        /// A program, or whoever: what is asked hangs on no cookie.
        case anywhere
    }

    private let fields: QueryText

    /// - Throws: 403 for what no page of ours sends, 413, 415.
    init(_ request: Request, from sender: Sender = .ownPage) async throws {
        guard sender == .anywhere || SessionCookie.comesFromOwnPage(request) else {
            throw Problem(.forbidden, "Only this service's own pages send forms.")
        }
        guard let type = request.headers[.contentType].flatMap({ MediaRange($0) }),
            type.essence == "application/x-www-form-urlencoded"
        else { throw Problem(.unsupportedMediaType, "A form comes as application/x-www-form-urlencoded.") }
        let body: ByteBuffer
        do { body = try await request.body.collect(upTo: Self.byteCountLimit) } catch {
            throw Problem(.contentTooLarge, "A form has at most \(Self.byteCountLimit) bytes.")
        }
        fields = try QueryText(String(buffer: body))
    }

    subscript(name: String) -> String { fields[name] ?? "" }

    /// Whether a field stands there twice.
    var hasRepeated: Bool { Set(fields.parameters.map(\.name)).count < fields.parameters.count }

    func values(_ name: String) -> [String] { fields.parameters.filter { $0.name == name }.map(\.value) }
}
