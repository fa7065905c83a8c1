import Foundation

/// Names in the forms in which they are compared. Case and width never count. PS3.4 §C.2.2.2.1 and §C.2.2.2.4 leave to
/// the implementation how person names match.
package enum NameText {
    /// Letters of one word whose spelling is looked at.
    package static let wordLimit = 64

    /// Upper case, one width, composed characters, simplified ideographs, runs of spaces as one, no delimiters at
    /// the end, no control characters: no name has them, and SQLite ends a text at the first zero.
    package static func folded(_ value: some StringProtocol) -> String {
        if value.utf8.allSatisfy({ $0 < 0x80 }) { return trimmed(value.uppercased().unicodeScalars) }
        var scalars = String.UnicodeScalarView()
        var mustCompose = false
        for scalar in value.unicodeScalars {
            let wide = widened(scalar)
            mustCompose = mustCompose || isComposing(wide.value)
            scalars.append(wide)
        }
        var text = String(scalars)
        if mustCompose { text = text.precomposedStringWithCanonicalMapping }
        return trimmed(text.uppercased().unicodeScalars)
    }

    private static func trimmed(_ value: String.UnicodeScalarView) -> String {
        var scalars = String.UnicodeScalarView()
        var pendingSpace = false
        for scalar in value {
            if scalar == " " {
                pendingSpace = !scalars.isEmpty
                continue
            }
            if scalar.value < 0x20 || scalar.value == 0x7F { continue }
            if pendingSpace, scalar != "^" { scalars.append(" ") }
            pendingSpace = false
            scalars.append(scalar.value < 0x3400 ? scalar : simplified[scalar] ?? scalar)
        }
        while scalars.last == "^" || scalars.last == " " { scalars.removeLast() }
        return String(scalars)
    }

    /// Full-width letters as half-width ones, half-width katakana as full-width ones.
    private static func widened(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        switch scalar.value {
        case 0xFF01...0xFF5E: Unicode.Scalar(scalar.value - 0xFEE0) ?? scalar
        case 0x3000, 0xA0: " "
        case 0xFF61...0xFF9F: katakana[Int(scalar.value - 0xFF61)]
        default: scalar
        }
    }

    /// U+FF61 to U+FF9F; the sound marks as those that join the letter before them.
    private static let katakana = Array(
        "。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン\u{3099}\u{309A}"
            .unicodeScalars)

    /// Whether composing may change text with this scalar: marks, conjoining jamo, compatibility ideographs.
    private static func isComposing(_ value: UInt32) -> Bool {
        switch value {
        case 0x300...0x36F, 0x1100...0x11FF, 0x3099...0x309A, 0xF900...0xFAFF, 0x2F800...0x2FA1F: true
        default: false
        }
    }

    /// The simplified form of each traditional ideograph that has only one.
    package static let simplified: [Unicode.Scalar: Unicode.Scalar] = {
        let scalars = Array(String(describing: VariantTable.pairs).unicodeScalars.filter { $0 != "\n" })
        var result: [Unicode.Scalar: Unicode.Scalar] = [:]
        for index in stride(from: 0, to: scalars.count - 1, by: 2) { result[scalars[index]] = scalars[index + 1] }
        return result
    }()

    /// Folded text without the marks on letters: what the index holds, and what fuzzy matching compares.
    package static func stripped(_ folded: String) -> String {
        guard folded.unicodeScalars.contains(where: { (0xC0..<0x2E80).contains($0.value) }) else { return folded }
        var scalars = String.UnicodeScalarView()
        for scalar in folded.decomposedStringWithCanonicalMapping.unicodeScalars
        where !(0x300...0x36F).contains(scalar.value) {
            if let letters = plainLetters[scalar] {
                scalars.append(contentsOf: letters.unicodeScalars)
            } else {
                scalars.append(scalar)
            }
        }
        return String(scalars).precomposedStringWithCanonicalMapping
    }

    /// Letters that no decomposition makes plain.
    private static let plainLetters: [Unicode.Scalar: String] = [
        "Ø": "O", "Ł": "L", "Đ": "D", "Ð": "D", "Æ": "AE", "Œ": "OE", "Þ": "TH", "Ħ": "H", "Ŧ": "T", "ẞ": "SS",
    ]

    /// Without spaces and the like, components still apart.
    package static func joined(_ folded: String) -> String {
        folded.unicodeScalars.contains { isSeparator($0) && $0 != "^" }
            ? String(String.UnicodeScalarView(folded.unicodeScalars.filter { !isSeparator($0) || $0 == "^" })) : folded
    }

    /// A name that separates its parts by spaces only, with the first part as a component.
    package static func parted(_ folded: String) -> String {
        guard !folded.utf8.contains(UInt8(ascii: "^")), let space = folded.firstIndex(of: " ") else { return folded }
        return folded[..<space] + "^" + folded[folded.index(after: space)...]
    }

    /// Without anything that separates the parts of a name.
    package static func squashed(_ folded: String) -> String {
        folded.unicodeScalars.contains(where: isSeparator)
            ? String(String.UnicodeScalarView(folded.unicodeScalars.filter { !isSeparator($0) })) : folded
    }

    package static func isSeparator(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case " ", "^", ",", ".", "'", "-", "\u{2019}", "\u{B7}", "\u{30FB}", "\u{2022}": true
        default: false
        }
    }

    /// Whether the text has ideographs, kana or hangul, which are written without spaces.
    package static func isEastAsian(_ text: String) -> Bool { text.unicodeScalars.contains { $0.value >= 0x2E80 } }

    /// A folded query as Pinyin without tones: marks and digits of tones taken off, V for `ü`, `u:` and the `yu` of
    /// passports; nil when it is none.
    package static func pinyin(_ folded: String) -> String? {
        var letters: [UInt8] = []
        for scalar in folded.decomposedStringWithCanonicalMapping.unicodeScalars {
            switch scalar.value {
            // The diaeresis of Ü, and the colon of U:.
            case 0x308, 0x3A:
                guard letters.last == UInt8(ascii: "U") else { return nil }
                letters[letters.count - 1] = UInt8(ascii: "V")
            case 0x300...0x304, 0x30C: continue
            case 0x30...0x35:
                guard let last = letters.last, (0x41...0x5A).contains(last) else { return nil }
            case 0x41...0x5A, 0x2A, 0x3F: letters.append(UInt8(scalar.value))
            default:
                guard isSeparator(scalar) else { return nil }
                letters.append(scalar.isASCII ? UInt8(scalar.value) : 0x20)
            }
        }
        let text = String(decoding: letters, as: UTF8.self)
        guard text.contains("YU") else { return text }
        // N may end a syllable that YU follows; L cannot.
        return text.replacing("LYU", with: "LV").replacing(/\bNYU/, with: "NV")
    }

    /// Whether every run of letters is made of whole syllables; the last one before a wildcard may be cut short.
    package static func isSpelled(pinyin: String) -> Bool {
        let words = pinyin.split { $0 != "*" && $0 != "?" && !$0.isLetter }
        return words.allSatisfy { word in
            word.split { $0 == "*" || $0 == "?" }.allSatisfy { run in
                run.utf8.count <= wordLimit
                    && Pinyin.isSpelled(
                        Array(run.utf8), isOpen: run.endIndex < word.endIndex || run.startIndex > word.startIndex)
            }
        }
    }
}
