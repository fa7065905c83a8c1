import Glibc

/// A dataset as the JSON or the XML model has it: long values may lie elsewhere, at an address. PS3.18 §F.2.2, PS3.19 §A.1.
public struct ModelDataset: Sendable {
    /// A value that lies elsewhere is `.bulk`, whose offset is the index of its address.
    public var dataset: Dataset
    public var addresses: [String]
    /// What in it is no value of its attribute, where something is; the rest was read all the same.
    public var problem: ModelError?

    public init(dataset: Dataset = Dataset(), addresses: [String] = [], problem: ModelError? = nil) {
        self.dataset = dataset
        self.addresses = addresses
        self.problem = problem
    }
}

/// Bounds of what is read of a model. One past a bound throws.
public struct ModelLimits: Hashable, Sendable {
    /// Sequences inside sequences.
    public var depth = 64
    /// Attributes, items and values together, of one dataset.
    public var nodeCount = 4_000_000
    /// Characters of an address.
    public var addressByteCount = 4096

    public init() {}
}

/// Why a model was not read. No case carries a value.
public enum ModelError: Error, Hashable, Sendable {
    /// The text is no JSON or XML from this byte on.
    case badSyntax(byteOffset: Int)
    case tooDeep(limit: Int)
    case tooManyNodes(limit: Int)
    /// The text has a document type declaration, which could name other files.
    case documentType
    /// It is well-formed and no dataset.
    case notADataset
    case badTag
    case badVR(Tag)
    /// The value is none of the attribute's VR.
    case badValue(Tag)
    case addressTooLong(Tag, byteCountLimit: Int)
    case outOfMemory
}

extension ModelError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .badSyntax(let offset): "the metadata are not well-formed at byte \(offset)"
        case .tooDeep(let limit): "the metadata nest more than \(limit) sequences"
        case .tooManyNodes(let limit): "the metadata of one object have more than \(limit) attributes, items and values"
        case .documentType: "the metadata have a document type declaration: leave it out"
        case .notADataset: "the metadata are no dataset"
        case .badTag: "a name in the metadata is no tag of eight hexadecimal digits"
        case .badVR(let tag): "the metadata give \(tag) no value representation"
        case .badValue(let tag): "the metadata have a value of \(tag) that is none of its value representation"
        case .addressTooLong(let tag, let limit): "the address of \(tag) in the metadata has more than \(limit) bytes"
        case .outOfMemory: "there is no memory to read the metadata: try again"
        }
    }
}

/// Values of a model as those of a dataset.
enum ModelValues {
    /// The most characters of DS and IS. PS3.5 §6.2.
    private static let decimalCharacterCount = 16

    /// A value's bytes from the text of each of its parts; nil when one is none of the VR.
    ///
    /// - Parameter texts: nil for an empty one.
    static func bytes(_ texts: [[UInt8]?], _ vr: VR) -> [UInt8]? {
        if vr.isString {
            var result: [UInt8] = []
            for (index, text) in texts.enumerated() {
                if index > 0 { result.append(UInt8(ascii: "\\")) }
                guard let text else { continue }
                guard !text.contains(0) else { return nil }
                result += text
            }
            return result
        }
        var result: [UInt8] = []
        for text in texts {
            guard let number = number(text, vr) else { return nil }
            number.append(to: &result)
        }
        return result
    }

    /// Text of a JSON number as DS or IS has it: no longer than they may be.
    static func decimal(_ text: [UInt8], _ vr: VR) -> [UInt8]? {
        if vr == .IS {
            // 5.0 is an integer to JSON.
            guard text.contains(where: { ".eE".utf8.contains($0) }) else { return text }
            return Double(String(decoding: text, as: UTF8.self)).flatMap { Int(exactly: $0) }.map {
                Array(String($0).utf8)
            }
        }
        if text.count <= decimalCharacterCount { return text }
        guard let number = Double(String(decoding: text, as: UTF8.self)), number.isFinite else { return nil }
        // As many digits as there is room for; one always fits.
        for digits in stride(from: Int32(17), through: 1, by: -1) {
            let shortened = formatted(number, digits: digits)
            if shortened.count <= decimalCharacterCount { return shortened }
        }
        return nil
    }

    private static func formatted(_ number: Double, digits: Int32) -> [UInt8] {
        var buffer = [CChar](repeating: 0, count: 40)
        let count = withVaList([digits, number]) { vsnprintf(&buffer, buffer.count, "%.*g", $0) }
        return buffer.prefix(max(0, Int(count))).map { UInt8(bitPattern: $0) }
    }

    private static func number(_ text: [UInt8]?, _ vr: VR) -> BinaryNumber? {
        switch (vr, text) {
        case (.FL, nil): return BinaryNumber(bits: UInt64(Float.nan.bitPattern), byteCount: 4)
        case (.FD, nil): return BinaryNumber(bits: Double.nan.bitPattern, byteCount: 8)
        case (_, nil): return nil
        case (.AT, let text?):
            guard let tag = Tag(hex: text)?.rawValue else { return nil }
            return BinaryNumber(bits: UInt64(tag & 0xFFFF) << 16 | UInt64(tag >> 16), byteCount: 4)
        case (_, let text?):
            return BinaryNumber(String(decoding: text, as: UTF8.self), vr, takesWholeFractions: true)
        }
    }
}

extension ModelDataset {
    /// Takes an address; nil past the bound.
    mutating func address(_ text: String, limits: ModelLimits) -> Value? {
        guard text.utf8.count <= limits.addressByteCount else { return nil }
        addresses.append(text)
        return .bulk(offset: UInt64(addresses.count - 1), length: 0)
    }
}

extension Tag {
    /// A tag from exactly eight hexadecimal digits; nil for items and delimiters, which are no attributes. PS3.5 §7.5.
    init?(model digits: [UInt8]) {
        self.init(hex: digits)
        if group == 0xFFFE { return nil }
    }
}
