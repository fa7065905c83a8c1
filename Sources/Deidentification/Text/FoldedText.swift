import DICOM
import Foundation

/// A text in the form in which it is searched: one width, upper case, no marks on letters, simplified ideographs, decimal
/// digits of any script as 0 to 9; and where each unit comes from.
struct FoldedText {
    /// Stands for what was put in place of something: belongs to no word, number or name.
    static let barrier: UInt32 = 0xFFFF_FFFF

    /// Folded scalars. One scalar of the source may become several, or none.
    private(set) var units: [UInt32] = []
    /// For each unit the offset of its source in UTF-8, and at the end that of the text's end.
    private(set) var byteOffsets: [Int32] = []
    /// Whether the source is a capital letter.
    private(set) var areCapital: [Bool] = []
    private(set) var hasIdeographs = false

    /// - Parameter barriers: ranges of bytes, in order, that are not to be looked at.
    init(_ bytes: UnsafeBufferPointer<UInt8>, barriers: [Range<Int>]) {
        units.reserveCapacity(bytes.count)
        byteOffsets.reserveCapacity(bytes.count + 1)
        areCapital.reserveCapacity(bytes.count)
        var folding = Folding()
        var offset = 0
        var nextBarrier = 0
        while offset < bytes.count {
            while nextBarrier < barriers.count, barriers[nextBarrier].upperBound <= offset { nextBarrier += 1 }
            if nextBarrier < barriers.count, barriers[nextBarrier].lowerBound <= offset {
                append(Self.barrier, from: offset)
                offset = barriers[nextBarrier].upperBound
                continue
            }
            let first = bytes[offset]
            if first == UInt8(ascii: "[") || first == 0xE3, let length = TextMarks.length(bytes, at: offset) {
                append(Self.barrier, from: offset)
                offset += length
                continue
            }
            if first < 0x80 {
                let isSmall = first >= 0x61 && first <= 0x7A
                append(UInt32(isSmall ? first - 32 : first), from: offset, isCapital: first >= 0x41 && first <= 0x5A)
                offset += 1
                continue
            }
            let (scalar, length) = Self.scalar(bytes, at: offset)
            if scalar.value >= 0x3400 { hasIdeographs = hasIdeographs || TextUnit.isIdeograph(scalar.value) }
            if let one = folding.ideograph(scalar) {
                append(one, from: offset)
            } else {
                let folded = folding.fold(scalar)
                for unit in folded.units { append(unit, from: offset, isCapital: folded.isCapital) }
            }
            offset += length
        }
        byteOffsets.append(Int32(bytes.count))
    }

    private mutating func append(_ unit: UInt32, from offset: Int, isCapital: Bool = false) {
        units.append(unit)
        byteOffsets.append(Int32(offset))
        areCapital.append(isCapital)
    }

    /// The units of a short text alone.
    static func units(of text: String) -> [UInt32] {
        var text = text
        return text.withUTF8 { FoldedText($0, barriers: []).units }
    }

    /// The bytes that units come from, with what was left out behind them.
    func bytes(of range: Range<Int>) -> Range<Int> {
        var end = range.upperBound
        while end < units.count, end > range.lowerBound, byteOffsets[end] == byteOffsets[end - 1] { end += 1 }
        return Int(byteOffsets[range.lowerBound])..<Int(byteOffsets[end])
    }

    /// One scalar of text that is known to be UTF-8.
    private static func scalar(_ bytes: UnsafeBufferPointer<UInt8>, at offset: Int) -> (Unicode.Scalar, Int) {
        let first = UInt32(bytes[offset])
        let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1
        guard offset + length <= bytes.count, length > 1 else { return ("\u{FFFD}", 1) }
        var value = first & (length == 4 ? 0x07 : length == 3 ? 0x0F : 0x1F)
        for place in 1..<length { value = value << 6 | UInt32(bytes[offset + place] & 0x3F) }
        return (Unicode.Scalar(value) ?? "\u{FFFD}", length)
    }
}

/// What one scalar is folded to; remembers those that need more than a table.
private struct Folding {
    struct Folded {
        var units: [UInt32]
        var isCapital: Bool
    }

    private var held: [UInt32: Folded] = [:]

    /// The simplified forms of the commonest block, by place.
    private static let ideographs: [UInt16] = {
        var table = (0x4E00...0x9FFF).map { UInt16($0) }
        for (traditional, simplified) in NameText.simplified
        where (0x4E00...0x9FFF).contains(traditional.value) && simplified.value <= 0xFFFF {
            table[Int(traditional.value - 0x4E00)] = UInt16(simplified.value)
        }
        return table
    }()

    func ideograph(_ scalar: Unicode.Scalar) -> UInt32? {
        guard scalar.value >= 0x4E00, scalar.value <= 0x9FFF else { return nil }
        return UInt32(Self.ideographs[Int(scalar.value - 0x4E00)])
    }

    mutating func fold(_ scalar: Unicode.Scalar) -> Folded {
        if let known = held[scalar.value] { return known }
        let folded = Self.folded(scalar)
        held[scalar.value] = folded
        return folded
    }

    private static func folded(_ scalar: Unicode.Scalar) -> Folded {
        if isLeftOut(scalar.value) { return Folded(units: [], isCapital: false) }
        let plain = NameText.stripped(String(scalar).decomposedStringWithCompatibilityMapping.uppercased())
        let isCapital = scalar.properties.isUppercase
        var units: [UInt32] = []
        // Decomposed, so that an ideograph of compatibility and a syllable of hangul meet their other spellings.
        for one in plain.decomposedStringWithCanonicalMapping.unicodeScalars where !isLeftOut(one.value) {
            if let digit = one.properties.numericValue, one.properties.numericType == .decimal, digit >= 0, digit <= 9 {
                units.append(0x30 + UInt32(digit))
            } else if (0x3041...0x3096).contains(one.value) || one.value == 0x309D {
                units.append(one.value + 0x60)
            } else {
                units.append(replaced(NameText.simplified[one] ?? one).value)
            }
        }
        return Folded(units: units, isCapital: isCapital)
    }

    /// Marks on letters, characters without width, directions of writing, variation selectors.
    private static func isLeftOut(_ value: UInt32) -> Bool {
        switch value {
        case 0x300...0x36F, 0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B...0x180F, 0x200B...0x200F,
            0x202A...0x202E, 0x2060...0x206F, 0x3164, 0xFE00...0xFE0F, 0xFEFF, 0xFFA0, 0xFFF9...0xFFFB,
            0x1D173...0x1D17A, 0xE0000...0xE0FFF:
            true
        default: false
        }
    }

    private static func replaced(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        switch scalar.value {
        case 0x2010...0x2015, 0x2043, 0x2212, 0x2500, 0x2501, 0xFE63: "-"
        case 0xB7, 0x2022, 0x2027, 0x2219, 0x22C5, 0x30FB, 0x318D, 0x387, 0x16EB: "\u{B7}"
        case 0x2018, 0x2019, 0x201B, 0x2032, 0x2BC, 0x60: "'"
        case 0x2028, 0x2029, 0x85: "\n"
        case 0x1680, 0x2000...0x200A: " "
        case 0x25CB, 0x25EF: "\u{3007}"
        default: scalar
        }
    }
}

/// What a unit of a folded text is.
enum TextUnit {
    static func isDigit(_ unit: UInt32) -> Bool { unit >= 0x30 && unit <= 0x39 }
    static func isLetter(_ unit: UInt32) -> Bool { unit >= 0x41 && unit <= 0x5A }
    static func isAlphanumeric(_ unit: UInt32) -> Bool { isLetter(unit) || isDigit(unit) }

    /// A letter of an alphabet that has words.
    static func isWordLetter(_ unit: UInt32) -> Bool {
        isLetter(unit) || (0xC0...0x10FF).contains(unit) && unit != 0xD7 && unit != 0xF7
            || (0x1E00...0x1FFF).contains(unit)
    }

    /// A syllable of Japanese, or the mark of its voice, length or repetition; Hiragana is folded to Katakana.
    static func isKana(_ unit: UInt32) -> Bool {
        (0x30A1...0x30FE).contains(unit) && unit != 0x30FB || unit == 0x3099 || unit == 0x309A
    }

    static func isIdeograph(_ unit: UInt32) -> Bool {
        (0x4E00...0x9FFF).contains(unit) || (0x3400...0x4DBF).contains(unit) || (0x20000...0x323AF).contains(unit)
            || (0xF900...0xFAFF).contains(unit)
    }

    static func isNewline(_ unit: UInt32) -> Bool { unit >= 0x0A && unit <= 0x0D }
    static func isSpace(_ unit: UInt32) -> Bool { unit == 0x20 || unit == 0x09 }

    /// What may stand between the parts of a name.
    static func isNameSeparator(_ unit: UInt32) -> Bool {
        switch unit {
        case 0x20, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x2E, 0x2D, 0x5E, 0x3D, 0x2C, 0x27, 0x5F, 0xB7, 0x2F, 0x3001, 0x7E,
            0x2A,
            0x7C, 0x5C:
            true
        default: false
        }
    }

    /// The value of a digit in ideographs, as years and numbers are read out; nil for what is none.
    static func ideographicDigit(_ unit: UInt32) -> Int? {
        switch unit {
        case 0x3007, 0x96F6: 0
        case 0x4E00, 0x58F9, 0x5E7A: 1
        case 0x4E8C, 0x8D30, 0x4E24, 0x8CB3: 2
        case 0x4E09, 0x53C1: 3
        case 0x56DB, 0x8086: 4
        case 0x4E94, 0x4F0D: 5
        case 0x516D, 0x9646: 6
        case 0x4E03, 0x67D2: 7
        case 0x516B, 0x634C: 8
        case 0x4E5D, 0x7396: 9
        default: nil
        }
    }
}

/// The marks that stand in place of what was taken out.
enum TextMarks {
    private static let all: [[UInt8]] = TextRule.allCases.flatMap { [$0.marks.chinese, $0.marks.other] }.reduce(into: []
    ) {
        let bytes = Array($1.utf8)
        if !$0.contains(bytes) { $0.append(bytes) }
    }

    /// Bytes of the mark that stands there; nil when none does.
    static func length(_ bytes: UnsafeBufferPointer<UInt8>, at offset: Int) -> Int? {
        for mark in all where offset + mark.count <= bytes.count {
            if (0..<mark.count).allSatisfy({ bytes[offset + $0] == mark[$0] }) { return mark.count }
        }
        return nil
    }
}
