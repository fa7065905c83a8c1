/// A media type with its parameters, or a range of them. RFC 9110 §8.3.1 and §12.5.1.
public struct MediaRange: Sendable, Equatable {
    /// Lower case, such as `multipart`; `*` for all.
    public var type: String
    public var subtype: String
    /// In order; names in lower case, values as they were given, quotes off.
    public var parameters: [Parameter]

    public struct Parameter: Sendable, Equatable {
        public var name: String
        public var value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// Bytes of a header field that are read.
    public static let byteCountLimit = 8192
    /// Media types of one field that are read.
    public static let countLimit = 64

    public init(_ type: String, _ subtype: String, _ parameters: [Parameter] = []) {
        self.type = type
        self.subtype = subtype
        self.parameters = parameters
    }

    /// `type/subtype`.
    public var essence: String { "\(type)/\(subtype)" }

    /// The first parameter of a name in lower case.
    public subscript(name: String) -> String? { parameters.first { $0.name == name }?.value }

    /// 0 to 1; 1 where none is said.
    public var quality: Double { self["q"].flatMap(Double.init).map { min(max($0, 0), 1) } ?? 1 }

    /// Whether a range takes a media type without parameters.
    public func takes(_ type: String, _ subtype: String) -> Bool {
        (self.type == "*" || self.type == type) && (self.subtype == "*" || self.subtype == subtype)
    }

    /// Reads one media type; nil for what is none.
    public init?(_ field: String) {
        guard let list = Self.list(field), list.count == 1, let only = list.first else { return nil }
        self = only
    }

    /// Reads a list of media ranges in the order of their qualities, those of quality 0 left out.
    public static func accepted(_ field: String) -> [MediaRange]? {
        guard let list = list(field) else { return nil }
        let sorted = list.enumerated().filter { $0.element.quality > 0 }.sorted {
            ($1.element.quality, $0.offset) < ($0.element.quality, $1.offset)
        }
        return sorted.map(\.element)
    }

    /// Reads a list; nil when it is not one, or past its bounds.
    static func list(_ field: String) -> [MediaRange]? {
        guard field.utf8.count <= byteCountLimit else { return nil }
        var parser = MediaRangeParser(Array(field.utf8))
        return parser.list(limit: countLimit)
    }
}

private struct MediaRangeParser {
    private let bytes: [UInt8]
    private var index = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func list(limit: Int) -> [MediaRange]? {
        var result: [MediaRange] = []
        while true {
            skipSpace()
            if index == bytes.count { break }
            if take(",") { continue }
            guard result.count < limit, let one = mediaType() else { return nil }
            result.append(one)
            skipSpace()
            guard index == bytes.count || take(",") else { return nil }
        }
        return result
    }

    private mutating func mediaType() -> MediaRange? {
        guard let type = token(), take("/"), let subtype = token() else { return nil }
        var result = MediaRange(type.lowercased(), subtype.lowercased())
        while true {
            skipSpace()
            guard take(";") else { return result }
            skipSpace()
            // An empty parameter is allowed: RFC 9110 §5.6.6.
            guard let name = token() else { continue }
            guard take("="), let value = value() else { return nil }
            result.parameters.append(.init(name.lowercased(), value))
        }
    }

    private mutating func value() -> String? {
        guard take("\"") else { return looseToken() }
        var result: [UInt8] = []
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: result, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard index < bytes.count else { return nil }
                result.append(bytes[index])
                index += 1
            default: result.append(byte)
            }
        }
        return nil
    }

    private mutating func token() -> String? { run { Self.isToken($0) } }

    /// Clients write `type=application/dicom` without the quotes that the slash needs.
    private mutating func looseToken() -> String? { run { Self.isToken($0) || $0 == UInt8(ascii: "/") } }

    private mutating func run(while isPart: (UInt8) -> Bool) -> String? {
        let start = index
        while index < bytes.count, isPart(bytes[index]) { index += 1 }
        return index > start ? String(decoding: bytes[start..<index], as: UTF8.self) : nil
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard index < bytes.count, bytes[index] == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    private mutating func skipSpace() {
        while index < bytes.count, bytes[index] == 0x20 || bytes[index] == 0x09 { index += 1 }
    }

    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
