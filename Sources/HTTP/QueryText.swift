/// The parameters of a request's query component, or of a form's body, in order. RFC 3986 §3.4.
public struct QueryText: Sendable {
    public static let parameterLimit = 512
    /// Bytes of one decoded value.
    public static let valueByteCountLimit = 16 * 1024

    public private(set) var parameters: [(name: String, value: String)] = []

    /// - Throws: 400 for escapes that are none, text that is not UTF-8, and what is past the bounds.
    public init(_ query: String?) throws(Problem) {
        guard let query, !query.isEmpty else { return }
        let parts = query.utf8.split(separator: UInt8(ascii: "&"))
        guard parts.count <= Self.parameterLimit else {
            throw Problem(.badRequest, "The query has more than \(Self.parameterLimit) parameters.")
        }
        for part in parts {
            let pair = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            let value = pair.count == 2 ? try Self.decoded(pair[1]) : ""
            parameters.append((try Self.decoded(pair[0]), value))
        }
    }

    /// The first value of a name.
    public subscript(name: String) -> String? { parameters.first { $0.name == name }?.value }

    /// Forms write a space as a plus sign, and so do most libraries.
    private static func decoded(_ text: Substring.UTF8View.SubSequence) throws(Problem) -> String {
        var bytes: [UInt8] = []
        var index = text.startIndex
        while index < text.endIndex {
            var byte = text[index]
            index = text.index(after: index)
            switch byte {
            case UInt8(ascii: "+"): byte = 0x20
            case UInt8(ascii: "%"):
                guard text.distance(from: index, to: text.endIndex) >= 2,
                    let code = UInt8(
                        String(decoding: text[index..<text.index(index, offsetBy: 2)], as: UTF8.self), radix: 16)
                else { throw Problem(.badRequest, "The query has a percent sign without two hexadecimal digits.") }
                byte = code
                index = text.index(index, offsetBy: 2)
            default: break
            }
            bytes.append(byte)
        }
        guard bytes.count <= valueByteCountLimit else {
            throw Problem(.badRequest, "A value of the query has more than \(valueByteCountLimit) bytes.")
        }
        guard let result = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
            throw Problem(.badRequest, "The query is not text in UTF-8.")
        }
        return result
    }
}
