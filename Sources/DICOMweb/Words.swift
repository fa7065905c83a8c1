import DICOM
import HTTPTypes

extension Tag {
    static let retrieveURL = Tag(0x0008_1190)
    static let warningReason = Tag(0x0008_1196)
    static let otherFailuresSequence = Tag(0x0008_119A)
}

extension HTTPField.Name {
    static let totalCount = HTTPField.Name("X-Total-Count") ?? .via
    /// HTML §9.2.4.
    static let lastEventID = HTTPField.Name("Last-Event-ID") ?? .via
    /// RFC 7234 §5.5; PS3.18 still has it.
    static let warning = HTTPField.Name("Warning") ?? .via
}

/// The separator of a multipart body: 128 random bits in hexadecimal. RFC 2046 §5.1.
struct Boundary: Sendable {
    // Of one length: answers that are alike are equally long.
    private let text = (0..<2).map { _ in
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()

    /// Of a body whose parts are of one type. RFC 2387.
    func contentType(of type: String) -> String { "multipart/related; type=\"\(type)\"; boundary=\(text)" }

    /// What comes before the content of a part.
    ///
    /// - Parameter location: where the part is to be had by itself.
    func head(_ contentType: String, location: String? = nil, isFirst: Bool = true) -> String {
        "\(isFirst ? "" : "\r\n")--\(text)\r\nContent-Type: \(contentType)\r\n"
            + (location.map { "Content-Location: \($0)\r\n" } ?? "") + "\r\n"
    }

    /// What comes behind the content of the last part, or alone in a body without parts.
    func end(isAlone: Bool = false) -> String { "\(isAlone ? "" : "\r\n")--\(text)--\r\n" }
}
