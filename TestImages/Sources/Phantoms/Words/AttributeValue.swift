import DICOM

/// What an attribute is set to; written as a literal wherever one does.
enum AttributeValue {
    case text(String)
    case number(Int)
    /// A number whose attribute is SS where the dictionary leaves US or SS open.
    case signed(Int)
    case decimal(Double)
    case list([AttributeValue])
    case items([Dataset])
    /// 16-bit words in little endian.
    case words([UInt8])
    case bytes([UInt8])

    /// Present without a value.
    static let empty = AttributeValue.list([])

    static func item(_ attributes: KeyValuePairs<String, AttributeValue>) -> AttributeValue {
        .items([Dataset(attributes)])
    }

    /// A sequence of one coded concept. PS3.3 §8.
    static func code(_ code: Code) -> AttributeValue { .items([code.dataset]) }

    static func numbers(_ numbers: [Int]) -> AttributeValue { .list(numbers.map { .number($0) }) }

    static func decimals(_ numbers: [Double]) -> AttributeValue { .list(numbers.map { .decimal($0) }) }

    /// The values one by one, as text.
    var texts: [String] {
        switch self {
        case .text(let text): [text]
        case .number(let number), .signed(let number): [String(number)]
        case .decimal(let number): [Self.decimalString(number)]
        case .list(let values): values.flatMap(\.texts)
        case .items, .words, .bytes: []
        }
    }

    /// The values one by one, as numbers.
    var doubles: [Double] {
        switch self {
        case .number(let number), .signed(let number): [Double(number)]
        case .decimal(let number): [number]
        case .list(let values): values.flatMap(\.doubles)
        case .text, .items, .words, .bytes: []
        }
    }

    /// At most six places after the point, so that a DS stays within its 16 characters. PS3.5 §6.2.
    static func decimalString(_ number: Double) -> String {
        let scaled = Int((abs(number) * 1_000_000).rounded())
        var places = String(scaled % 1_000_000)
        places = String(repeating: "0", count: 6 - places.count) + places
        while places.hasSuffix("0") { places.removeLast() }
        let sign = number < 0 && scaled > 0 ? "-" : ""
        return sign + String(scaled / 1_000_000) + (places.isEmpty ? "" : "." + places)
    }
}

extension AttributeValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByArrayLiteral
{
    init(stringLiteral text: String) { self = .text(text) }
    init(integerLiteral number: Int) { self = .number(number) }
    init(floatLiteral number: Double) { self = .decimal(number) }
    init(arrayLiteral values: AttributeValue...) { self = .list(values) }
}

/// A coded concept. PS3.3 §8.
struct Code {
    var value: String
    var scheme: String
    var meaning: String

    init(_ value: String, _ scheme: String, _ meaning: String) {
        self.value = value
        self.scheme = scheme
        self.meaning = meaning
    }

    var dataset: Dataset {
        Dataset(["CodeValue": .text(value), "CodingSchemeDesignator": .text(scheme), "CodeMeaning": .text(meaning)])
    }
}
