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

/// Separators of multipart bodies.
enum Boundary {
    /// 128 random bits in hexadecimal.
    static func make() -> String {
        String(UInt64.random(in: .min ... .max), radix: 16) + String(UInt64.random(in: .min ... .max), radix: 16)
    }
}
