/// The encoding of text that (0008,0005) Specific Character Set declares. PS3.3 §C.12.1.1.2, PS3.5 §6.1.
///
/// Any thread may use it. Text in ASCII costs one look at its bytes.
public struct CharacterSet: Sendable {
    /// The terms as they are written in (0008,0005).
    public let definedTerms: [String]
    let coding: Coding

    enum Coding: Sendable {
        /// Nothing, or nothing known, is declared: ASCII, and a guess for other bytes.
        case undeclared
        case utf8
        case singleByte(SingleByteSet)
        /// The names for reading and writing: GBK is read as its superset.
        case multiByte(reading: String, writing: String)
        case codeExtensions(CodeExtensions)
    }

    /// ISO_IR 192.
    public static let utf8 = CharacterSet(["ISO_IR 192"])

    /// What is read without (0008,0005).
    public static let undeclared = CharacterSet([])

    /// The defined terms that are read and written; single-valued ones first. PS3.3 §C.12.1.1.2.
    public static let supportedTerms: [String] = {
        let numbers = SingleByteSet.all.keys.sorted()
        let single = numbers.map { "ISO_IR \($0)" } + ["ISO_IR 192", "GB18030", "GBK"]
        return single + (["6"] + (numbers + [58, 87, 149, 159]).sorted().map { "\($0)" }).map { "ISO 2022 IR \($0)" }
    }()

    /// The set that the values of (0008,0005) declare; misspellings met in the field are understood.
    public init(_ specificCharacterSet: [String]) {
        let terms = specificCharacterSet.map { String($0.drop(while: { $0 == " " })) }
        definedTerms = terms.allSatisfy(\.isEmpty) ? [] : terms
        coding = Self.coding(terms.map { CharacterSetTerm($0) })
    }

    private static func coding(_ terms: [CharacterSetTerm]) -> Coding {
        for term in terms {
            switch term {
            case .utf8: return .utf8
            case .gb18030: return .multiByte(reading: "GB18030", writing: "GB18030")
            case .gbk: return .multiByte(reading: "GB18030", writing: "GBK")
            default: continue
            }
        }
        guard let first = terms.first else { return .undeclared }
        if terms.count == 1, case .number(let number, isExtensible: false) = first,
            let set = SingleByteSet.all[number]
        {
            return .singleByte(set)
        }
        return CodeExtensions(terms).map { .codeExtensions($0) } ?? .undeclared
    }

    /// The set that a value of (0008,0005) declares, as it is written.
    init(declared bytes: [UInt8]) {
        let terms = bytes.split(separator: UInt8(ascii: "\\"), omittingEmptySubsequences: false)
        self.init(terms.map { String(decoding: $0, as: UTF8.self) })
    }

    /// The characters of a value, all its values with their backslashes.
    ///
    /// Bytes that are no character become U+FFFD.
    public func decode(_ bytes: some Collection<UInt8>, vr: VR) -> String {
        let held = bytes.withContiguousStorageIfAvailable { buffer in
            String(decoding: utf8(UnsafeRawBufferPointer(buffer), vr: vr), as: UTF8.self)
        }
        return held ?? Array(bytes).withUnsafeBytes { String(decoding: utf8($0, vr: vr), as: UTF8.self) }
    }

    /// The same as `decode`, as valid UTF-8.
    func utf8(_ bytes: UnsafeRawBufferPointer, vr: VR) -> [UInt8] {
        if UTF8Text.isPlain(bytes) { return Array(bytes) }
        guard vr.isText else { return UTF8Text.repaired(bytes) }
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count * 2)
        switch coding {
        case .undeclared: return Self.guessed(bytes)
        case .utf8: return UTF8Text.repaired(bytes)
        case .singleByte(let set): set.decode(bytes, to: &output)
        case .multiByte(let encoding, _): Iconv.decode(bytes, from: encoding, to: &output)
        case .codeExtensions(let extensions): extensions.decode(bytes, vr: vr, to: &output)
        }
        return output
    }

    /// UTF-8 if it is that, else GB18030 if it is that, else Latin-1.
    static func guessed(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        if UTF8Text.isValid(bytes) { return Array(bytes) }
        var output: [UInt8] = []
        if Iconv.canDecode(bytes, from: "GB18030") {
            Iconv.decode(bytes, from: "GB18030", to: &output)
        } else {
            for byte in bytes { UTF8Text.append(UInt32(byte), to: &output) }
        }
        return output
    }

    /// The bytes of a value in this set; nil when it lacks a character.
    public func encode(_ string: String, vr: VR) -> [UInt8]? {
        let utf8 = Array(string.utf8)
        return utf8.withUnsafeBytes { encode(utf8: $0, vr: vr) }
    }

    /// The same of valid UTF-8.
    func encode(utf8 bytes: UnsafeRawBufferPointer, vr: VR) -> [UInt8]? {
        if UTF8Text.isPlain(bytes) { return Array(bytes) }
        guard vr.isText else { return UTF8Text.isASCII(bytes) ? Array(bytes) : nil }
        switch coding {
        case .undeclared: return UTF8Text.isASCII(bytes) ? Array(bytes) : nil
        case .utf8: return UTF8Text.repaired(bytes)
        case .multiByte(_, let encoding): return Iconv.encode(bytes, to: encoding)
        case .singleByte(let set):
            var output: [UInt8] = []
            for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
                guard let byte = scalar.isASCII ? UInt8(scalar.value) : set.byte(of: scalar) else { return nil }
                output.append(byte)
            }
            return output
        case .codeExtensions(let extensions):
            return extensions.encode(String(decoding: bytes, as: UTF8.self), vr: vr)
        }
    }
}

/// One value of (0008,0005), read leniently: "ISO-IR 100", "ISO_2022_IR_100" and the like are met in the field.
enum CharacterSetTerm: Sendable {
    case none
    case utf8
    case gb18030
    case gbk
    case number(Int, isExtensible: Bool)

    init(_ term: String) {
        let letters = term.utf8.compactMap { byte -> UInt8? in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - 0x20
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): byte
            default: nil
            }
        }
        let name = String(decoding: letters, as: UTF8.self)
        switch name {
        case "GB18030": self = .gb18030
        case "GBK", "GB2312": self = .gbk
        case "UTF8", "ISOIR192", "ISO2022IR192": self = .utf8
        default:
            let isExtensible = name.hasPrefix("ISO2022IR")
            // ISO_IR 6 is ASCII, which needs no declaring.
            if isExtensible || name.hasPrefix("ISOIR"), let number = Int(name.dropFirst(isExtensible ? 9 : 5)),
                number != 6
            {
                self = .number(number, isExtensible: isExtensible)
            } else if let number = Self.latin[name] {
                self = .number(number, isExtensible: false)
            } else {
                self = .none
            }
        }
    }

    private static let latin = ["ISO88591": 100, "LATIN1": 100, "ISO885915": 203]
}
