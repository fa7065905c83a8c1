/// Text that changes its character sets by escape sequences. ISO 2022; PS3.5 §6.1.2.5, PS3.3 tables C.12-3 and -4.
struct CodeExtensions: Sendable {
    /// A set that lies in the lower half of the bytes.
    enum Lower: Sendable, Equatable {
        case ascii
        /// JIS X 0201 romaji, read as ASCII.
        case romaji
        /// JIS X 0208, two bytes a character.
        case kanji
        /// JIS X 0212, two bytes a character.
        case supplementaryKanji

        var isTwoByte: Bool { self == .kanji || self == .supplementaryKanji }

        var escape: [UInt8] {
            switch self {
            case .ascii: [0x1B, 0x28, 0x42]
            case .romaji: [0x1B, 0x28, 0x4A]
            case .kanji: [0x1B, 0x24, 0x42]
            case .supplementaryKanji: [0x1B, 0x24, 0x28, 0x44]
            }
        }
    }

    /// A set that lies in the upper half.
    enum Upper: Sendable, Equatable {
        case single(Int)
        /// KS X 1001, two bytes a character.
        case korean
        /// GB 2312, two bytes a character.
        case chinese

        var escape: [UInt8] {
            switch self {
            case .single(13): [0x1B, 0x29, 0x49]
            case .single(let number): [0x1B, 0x2D, SingleByteSet.all[number]?.escapeFinal ?? 0]
            case .korean: [0x1B, 0x24, 0x29, 0x43]
            case .chinese: [0x1B, 0x24, 0x29, 0x41]
            }
        }
    }

    let initialLower: Lower
    let initialUpper: Upper?
    /// For writing, in the order they were declared.
    let lowers: [Lower]
    let uppers: [Upper]

    /// The first term's set is what each value begins in; nil when no term is known.
    init?(_ terms: [CharacterSetTerm]) {
        var lowers: [Lower] = []
        var uppers: [Upper] = []
        for term in terms {
            guard case .number(let number, _) = term else { continue }
            switch number {
            case 87: lowers.append(.kanji)
            case 159: lowers.append(.supplementaryKanji)
            case 149: uppers.append(.korean)
            case 58: uppers.append(.chinese)
            default: if SingleByteSet.all[number] != nil { uppers.append(.single(number)) }
            }
        }
        if lowers.isEmpty && uppers.isEmpty { return nil }
        var initialUpper: Upper?
        var initialLower = Lower.ascii
        if case .number(let number, _) = terms.first, SingleByteSet.all[number] != nil {
            initialUpper = .single(number)
            if number == 13 { initialLower = .romaji }
        }
        self.initialUpper = initialUpper
        self.initialLower = initialLower
        self.lowers = lowers
        self.uppers = uppers
    }

    // MARK: Reading

    /// What reading begins with.
    enum Start: Sendable {
        /// Nothing says which set it is: the bytes are guessed at.
        case guess
        case upper(Upper?)
    }

    /// - Parameters: what is known of all bytes of the value, asked only where it matters.
    func start(
        hasEscape: Bool, designatesUpper: @autoclosure () -> Bool, isEastAsian: @autoclosure () -> Bool,
        isUTF8: @autoclosure () -> Bool, hasHigh: @autoclosure () -> Bool
    ) -> Start {
        // Senders leave out the escape that a delimiter makes necessary; the set designated last then stays.
        if let upper = initialUpper ?? (hasEscape || isEastAsian() ? nil : uppers.first) { return .upper(upper) }
        if !designatesUpper(), !hasEscape || isUTF8() && hasHigh() { return .guess }
        return .upper(nil)
    }

    func decode(_ input: UnsafeRawBufferPointer, vr: VR, to output: inout [UInt8]) {
        let start = start(
            hasEscape: input.contains(0x1B), designatesUpper: Self.designatesUpper(input),
            isEastAsian: UTF8Text.isEastAsian(input), isUTF8: UTF8Text.isValid(input),
            hasHigh: input.contains { $0 >= 0x80 })
        guard case .upper(let upper) = start else {
            output += CharacterSet.guessed(input)
            return
        }
        var decoder = ExtensionDecoder(self, upper: upper, vr: vr)
        decoder.decode(input, isLast: true, to: &output)
    }

    /// Whether an escape sequence says what bytes of the upper half mean. Then nothing is guessed: two bytes of GB 2312
    /// or KS X 1001 can be a character of UTF-8 as well.
    static func designatesUpper(_ input: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        while index + 2 < input.count {
            if input[index] == 0x1B {
                let next = input[index + 1]
                if next == 0x29 || next == 0x2D || next == 0x24 && input[index + 2] == 0x29 { return true }
            }
            index += 1
        }
        return false
    }

    /// Whether the sets in use end here. PS3.5 §6.1.2.5.3.
    static func isDelimiter(_ byte: UInt8, vr: VR) -> Bool {
        switch byte {
        case 0x09, 0x0A, 0x0C, 0x0D: true
        case UInt8(ascii: "\\"): vr.hasSeveralValues
        case UInt8(ascii: "^"), UInt8(ascii: "="): vr == .PN
        default: false
        }
    }

    // MARK: Writing

    func encode(_ string: String, vr: VR) -> [UInt8]? {
        var output: [UInt8] = []
        var lower = initialLower
        var upper = initialUpper
        for scalar in string.unicodeScalars {
            if scalar.isASCII {
                if lower.isTwoByte {
                    output += initialLower.escape
                    lower = initialLower
                }
                output.append(UInt8(scalar.value))
                if Self.isDelimiter(UInt8(scalar.value), vr: vr) { upper = initialUpper }
                continue
            }
            if let upper, let bytes = Self.bytes(of: scalar, in: upper) {
                output += bytes
            } else if let (set, bytes) = Self.first(uppers, { Self.bytes(of: scalar, in: $0) }) {
                output += set.escape + bytes
                upper = set
            } else if let (set, bytes) = Self.first(lowers, { Self.bytes(of: scalar, in: $0) }) {
                if lower != set { output += set.escape }
                lower = set
                output += bytes
            } else {
                return nil
            }
        }
        if lower.isTwoByte { output += initialLower.escape }
        return output
    }

    private static func first<Set>(_ sets: [Set], _ bytes: (Set) -> [UInt8]?) -> (Set, [UInt8])? {
        for set in sets { if let found = bytes(set) { return (set, found) } }
        return nil
    }

    private static func bytes(of scalar: Unicode.Scalar, in set: Upper) -> [UInt8]? {
        switch set {
        case .single(let number): SingleByteSet.all[number]?.byte(of: scalar).map { [$0] }
        case .korean: converted(scalar, to: "EUC-KR").flatMap { $0.count == 2 ? $0 : nil }
        case .chinese: converted(scalar, to: "EUC-CN").flatMap { $0.count == 2 ? $0 : nil }
        }
    }

    private static func bytes(of scalar: Unicode.Scalar, in set: Lower) -> [UInt8]? {
        guard let bytes = converted(scalar, to: "EUC-JP") else { return nil }
        switch set {
        case .kanji where bytes.count == 2 && bytes[0] >= 0xA1: return bytes.map { $0 & 0x7F }
        case .supplementaryKanji where bytes.count == 3 && bytes[0] == 0x8F: return bytes[1...].map { $0 & 0x7F }
        default: return nil
        }
    }

    private static func converted(_ scalar: Unicode.Scalar, to encoding: String) -> [UInt8]? {
        Array(String(scalar).utf8).withUnsafeBytes { Iconv.encode($0, to: encoding) }
    }
}
