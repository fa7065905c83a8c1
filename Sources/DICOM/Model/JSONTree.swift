/// JSON as it is written. RFC 8259.
enum JSONTree {
    case null
    case flag(Bool)
    /// The characters of a number.
    case number([UInt8])
    /// UTF-8 without escapes.
    case string([UInt8])
    case array([JSONTree])
    /// In the order it came, names in UTF-8.
    case object([(name: [UInt8], value: JSONTree)])
}

/// Reads one value after another off a text that is held.
struct JSONParser {
    private let bytes: [UInt8]
    private(set) var index = 0
    private let limits: ModelLimits
    private var nodeCount = 0

    /// What a sequence nests: object of a dataset, object of an attribute, array of values.
    private static let levelsOfSequence = 3

    init(_ bytes: [UInt8], limits: ModelLimits) {
        self.bytes = bytes
        self.limits = limits
        // A mark of the byte order is no JSON, and met.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { index = 3 }
    }

    var failure: ModelError { .badSyntax(byteOffset: index) }

    /// The next character that is no space; 0 at the end.
    mutating func peek() -> UInt8 {
        while index < bytes.count {
            switch bytes[index] {
            case 0x20, 0x09, 0x0A, 0x0D: index += 1
            case let byte: return byte
            }
        }
        return 0
    }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(ascii: character), index < bytes.count else { return false }
        index += 1
        return true
    }

    var isAtEnd: Bool { index == bytes.count }

    /// The next value; its nodes are counted from 0.
    mutating func value() throws(ModelError) -> JSONTree {
        nodeCount = 0
        return try value(depth: 0)
    }

    private mutating func value(depth: Int) throws(ModelError) -> JSONTree {
        guard depth <= (limits.depth + 1) * Self.levelsOfSequence else { throw .tooDeep(limit: limits.depth) }
        nodeCount += 1
        guard nodeCount <= limits.nodeCount else { throw .tooManyNodes(limit: limits.nodeCount) }
        switch peek() {
        case UInt8(ascii: "{"): return .object(try object(depth: depth))
        case UInt8(ascii: "["): return .array(try array(depth: depth))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .flag(true))
        case UInt8(ascii: "f"): return try word("false", .flag(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return .number(try number())
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSONTree) throws(ModelError) -> JSONTree {
        let end = index + word.utf8CodeUnitCount
        let isThere = end <= bytes.count && word.withUTF8Buffer { $0.elementsEqual(bytes[index..<end]) }
        guard isThere else { throw failure }
        index = end
        return value
    }

    private mutating func array(depth: Int) throws(ModelError) -> [JSONTree] {
        index += 1
        var result: [JSONTree] = []
        if take("]") { return result }
        while true {
            result.append(try value(depth: depth + 1))
            if take("]") { return result }
            guard take(",") else { throw failure }
        }
    }

    private mutating func object(depth: Int) throws(ModelError) -> [(name: [UInt8], value: JSONTree)] {
        index += 1
        var result: [(name: [UInt8], value: JSONTree)] = []
        if take("}") { return result }
        while true {
            guard peek() == UInt8(ascii: "\"") else { throw failure }
            let name = try string()
            guard take(":") else { throw failure }
            result.append((name, try value(depth: depth + 1)))
            if take("}") { return result }
            guard take(",") else { throw failure }
        }
    }

    // MARK: Numbers

    private mutating func number() throws(ModelError) -> [UInt8] {
        let start = index
        if index < bytes.count, bytes[index] == UInt8(ascii: "-") { index += 1 }
        let isZero = index < bytes.count && bytes[index] == UInt8(ascii: "0")
        let whole = digits()
        guard whole == 1 || (whole > 1 && !isZero) else { throw failure }
        if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
            index += 1
            guard digits() > 0 else { throw failure }
        }
        if index < bytes.count, bytes[index] | 0x20 == UInt8(ascii: "e") {
            index += 1
            if index < bytes.count, "+-".utf8.contains(bytes[index]) { index += 1 }
            guard digits() > 0 else { throw failure }
        }
        return Array(bytes[start..<index])
    }

    private mutating func digits() -> Int {
        let start = index
        while index < bytes.count, (0x30...0x39).contains(bytes[index]) { index += 1 }
        return index - start
    }

    // MARK: Strings

    private mutating func string() throws(ModelError) -> [UInt8] {
        index += 1
        var result: [UInt8] = []
        var start = index
        while index < bytes.count {
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "\""):
                result += bytes[start..<index]
                index += 1
                guard result.withUnsafeBytes({ UTF8Text.isValid($0) }) else { throw failure }
                return result
            case UInt8(ascii: "\\"):
                result += bytes[start..<index]
                index += 1
                try escape(&result)
                start = index
            case 0..<0x20: throw failure
            default: index += 1
            }
        }
        throw failure
    }

    private mutating func escape(_ result: inout [UInt8]) throws(ModelError) {
        guard index < bytes.count else { throw failure }
        let byte = bytes[index]
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(byte)
        case UInt8(ascii: "b"): result.append(0x08)
        case UInt8(ascii: "f"): result.append(0x0C)
        case UInt8(ascii: "n"): result.append(0x0A)
        case UInt8(ascii: "r"): result.append(0x0D)
        case UInt8(ascii: "t"): result.append(0x09)
        case UInt8(ascii: "u"):
            var scalar = try unit()
            if (0xD800..<0xDC00).contains(scalar), index + 1 < bytes.count, bytes[index] == UInt8(ascii: "\\"),
                bytes[index + 1] == UInt8(ascii: "u")
            {
                let before = index
                index += 2
                let low = try unit()
                if (0xDC00..<0xE000).contains(low) {
                    scalar = 0x10000 + (scalar - 0xD800) << 10 + (low - 0xDC00)
                } else {
                    index = before
                }
            }
            // A half of a pair alone is no character.
            UTF8Text.append(scalar, to: &result)
        default: throw failure
        }
    }

    private mutating func unit() throws(ModelError) -> UInt32 {
        guard index + 4 <= bytes.count else { throw failure }
        var result: UInt32 = 0
        for byte in bytes[index..<index + 4] {
            guard let digit = Hexadecimal.value(of: byte) else { throw failure }
            result = result << 4 | UInt32(digit)
        }
        index += 4
        return result
    }
}
