/// How ideographs are read in Mandarin: Hanyu Pinyin in upper case, without tones, V for ü.
///
/// Any thread may call. The tables are read on first use, some ten milliseconds, and take about 2 MB; `prepare` has it
/// over before a transaction is open.
package enum Pinyin {
    /// Readings of one name that are looked at; polyphonic characters multiply, and few names reach this.
    package static let readingLimit = 32

    private struct Table: Sendable {
        var syllables: [String] = []
        /// Up to four places in `syllables`, one more than each, in 16 bits each.
        var readings: [UInt32: UInt64] = [:]
        var surnames: [String: [String]] = [:]
    }

    private static let table = read()
    private static let syllables = Set(table.syllables)

    package static func prepare() { _ = table }

    /// Whether the letters are one whole syllable.
    package static func isSyllable(_ letters: String) -> Bool { syllables.contains(letters) }

    /// Whether letters can be cut into syllables.
    ///
    /// - Parameter isOpen: whether more letters may stand before or behind.
    package static func isSpelled(_ letters: [UInt8], isOpen: Bool) -> Bool {
        // From each place that syllables can lead to, one syllable on.
        var reached = [Bool](repeating: false, count: letters.count + 1)
        reached[0] = true
        for start in letters.indices where reached[start] {
            for end in start + 1...min(start + longestSyllable, letters.count) {
                if isSyllable(String(decoding: letters[start..<end], as: UTF8.self)) { reached[end] = true }
            }
        }
        return reached[letters.count] || isOpen && reached.suffix(longestSyllable).contains(true)
    }

    private static let longestSyllable = 6

    package static func isIdeograph(_ scalar: Unicode.Scalar) -> Bool { table.readings[scalar.value] != nil }

    /// The readings of one component group of a folded name, `^` between family and given name; the likeliest first.
    ///
    /// Empty for a group without ideographs, and for one with kana or hangul, which says itself how it is read.
    package static func readings(of group: String) -> [String] {
        guard group.unicodeScalars.contains(where: { $0.value >= 0x3400 }),
            group.unicodeScalars.contains(where: isIdeograph),
            !group.unicodeScalars.contains(where: { isPhonetic($0.value) })
        else { return [] }
        var readings = [""]
        for (index, component) in components(group).enumerated() {
            var found = index == 0 ? table.surnames[component] ?? [] : []
            for one in product(component) where !found.contains(one) { found.append(one) }
            readings = join(readings, found.map { index == 0 ? $0 : "^" + $0 })
        }
        return readings
    }

    /// The readings of one ideograph, the likeliest first; empty for what is none.
    package static func readings(of scalar: Unicode.Scalar) -> [String] {
        table.readings[scalar.value].map(syllables) ?? []
    }

    /// The readings of a surname in simplified ideographs that differ from those of its characters.
    package static func surnameReadings(_ surname: String) -> [String] { table.surnames[surname] ?? [] }

    /// The components, and a name without delimiters cut behind its surname.
    package static func components(_ group: String) -> [String] {
        let parts = group.split(separator: "^", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 1 else { return parts }
        if let space = group.firstIndex(of: " ") {
            return [String(group[..<space]), String(group[group.index(after: space)...])]
        }
        let scalars = group.unicodeScalars
        for count in [2, 1] where scalars.count > count {
            let end = scalars.index(scalars.startIndex, offsetBy: count)
            let surname = String(scalars[..<end])
            if count == 1 || table.surnames[surname] != nil { return [surname, String(scalars[end...])] }
        }
        return parts
    }

    private static func product(_ component: String) -> [String] {
        var result = [""]
        for scalar in component.unicodeScalars {
            if let packed = table.readings[scalar.value] {
                result = join(result, syllables(packed))
            } else if !NameText.isSeparator(scalar) {
                result = result.map { $0 + String(scalar) }
            }
        }
        return result
    }

    /// The syllables of one character. Many write ü as u where no other mark is at hand.
    private static func syllables(_ packed: UInt64) -> [String] {
        var result: [String] = []
        var rest = packed
        while rest != 0 {
            result.append(table.syllables[Int(rest & 0xFFFF) - 1])
            rest >>= 16
        }
        for syllable in result where syllable.utf8.contains(UInt8(ascii: "V")) {
            let plain = syllable.replacing("V", with: "U")
            if !result.contains(plain) { result.append(plain) }
        }
        return result
    }

    private static func join(_ left: [String], _ right: [String]) -> [String] {
        if left.count == 1, right.count == 1 { return [left[0] + right[0]] }
        var result: [String] = []
        for start in left {
            for end in right where result.count < readingLimit { result.append(start + end) }
        }
        return result
    }

    /// Kana and hangul.
    private static func isPhonetic(_ value: UInt32) -> Bool {
        (0x3041...0x30FF).contains(value) && value != 0x30FB || (0xAC00...0xD7A3).contains(value)
    }

    private static func read() -> Table {
        var table = Table()
        var places: [String: Int] = [:]
        for text in [PinyinTable.first, PinyinTable.others] {
            for line in String(describing: text).split(separator: "\n") {
                let letters = line.prefix { $0.isASCII }
                let syllable = letters.uppercased()
                let place = places[syllable] ?? table.syllables.count
                if place == table.syllables.count {
                    places[syllable] = place
                    table.syllables.append(syllable)
                }
                for scalar in line[letters.endIndex...].unicodeScalars {
                    let held = table.readings[scalar.value] ?? 0
                    // The first free 16 bits.
                    let shift = held == 0 ? 0 : (64 - held.leadingZeroBitCount + 15) / 16 * 16
                    if shift < 64 { table.readings[scalar.value] = held | UInt64(place + 1) << UInt64(shift) }
                }
            }
        }
        for pair in String(describing: PinyinTable.surnames).split(whereSeparator: \.isWhitespace) {
            let surname = pair.prefix { !$0.isASCII }
            table.surnames[String(surname), default: []].append(pair[surname.endIndex...].uppercased())
        }
        return table
    }
}
