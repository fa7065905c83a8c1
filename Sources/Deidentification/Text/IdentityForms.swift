import DICOM
import Synchronization

/// How each of an object's identities may be written, ready to be looked for.
///
/// Making them costs about a millisecond; the last ones are kept.
final class IdentityForms: Sendable {
    /// When what stands in a text is one of the forms.
    enum Condition: Sendable {
        /// Wherever it stands: a name in ideographs.
        case anywhere
        /// As all that a text says: a part of a name that is too common to be looked for elsewhere.
        case alone
        /// As words of its own: a name in letters, parts apart or together.
        case words
        /// As a word that begins with a capital letter amid a sentence: a surname that is a word as well.
        case capitalized
        /// As capital letters, with points or without anything between them.
        case initials
        /// As capital letters with points.
        case pointedInitials
        /// A number or code, with or without separators.
        case number
        /// A number that is too short to be looked for in parts.
        case shortNumber
        case contact
        case institution
        case birthDate
    }

    /// A name that is known in letters only, as its syllables.
    struct Reading: Sendable {
        var surname: [String]
        var given: [String]
    }

    /// Forms of one name.
    static let formLimit = 256
    /// Units of one form.
    static let unitLimit = 96

    let trie: WordTrie<Condition>
    let readings: [Reading]
    let known: KnownIdentities

    private static let kept = Mutex<[(KnownIdentities, IdentityForms)]>([])
    private static let keptLimit = 64

    /// The forms of these identities, made now or before.
    static func of(_ known: KnownIdentities) -> IdentityForms {
        let held = kept.withLock { kept -> IdentityForms? in
            guard let index = kept.firstIndex(where: { $0.0 == known }) else { return nil }
            if index > 0 { kept.insert(kept.remove(at: index), at: 0) }
            return kept[0].1
        }
        if let held { return held }
        let made = IdentityForms(known)
        kept.withLock { kept in
            kept.insert((known, made), at: 0)
            if kept.count > keptLimit { kept.removeLast() }
        }
        return made
    }

    private init(_ known: KnownIdentities) {
        var builder = FormBuilder()
        builder.insert(known)
        trie = builder.trie
        readings = builder.readings
        self.known = known
    }
}

/// Gathers the forms.
private struct FormBuilder {
    var trie = WordTrie<IdentityForms.Condition>(unitCount: 4096)
    var readings: [IdentityForms.Reading] = []

    mutating func insert(_ known: KnownIdentities) {
        for name in known.names.sorted() {
            var forms = NameForms(name)
            for (text, condition) in forms.make() { insert(text, condition) }
            readings += forms.readings
        }
        for identifier in known.identifiers { insertNumber(identifier) }
        for contact in known.contacts { insertContact(contact) }
        for institution in known.institutions { insertInstitution(institution) }
        if let day = known.birthDate {
            let short = [day.year % 100, day.month, day.day].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined()
            insert(FoldedText.units(of: short), .birthDate)
        }
    }

    private mutating func insert(_ units: [UInt32], _ condition: IdentityForms.Condition) {
        let isAlone = if case .alone = condition { true } else { false }
        guard units.count >= (isAlone ? 1 : 2), units.count <= IdentityForms.unitLimit else { return }
        // What needs less evidence wins.
        trie.insert(units, condition) { held, new in
            switch (held, new) {
            case (.anywhere, _), (.words, _), (.number, _): held
            case (_, .alone): held
            default: new
            }
        }
    }

    private mutating func insertNumber(_ value: String) {
        let units = FoldedText.units(of: value)
        let bare = units.filter { TextUnit.isWordLetter($0) || TextUnit.isDigit($0) || TextUnit.isIdeograph($0) }
        if bare.allSatisfy(TextUnit.isIdeograph) {
            if bare.count >= 2, !Lexicon.isPlaceholder(value) { insert(bare, .anywhere) }
            return
        }
        guard bare.contains(where: TextUnit.isDigit) else {
            let word = String(String.UnicodeScalarView(bare.compactMap { Unicode.Scalar($0) }))
            if bare.count >= 4, !Lexicon.isOrdinary(word), !Lexicon.isPlaceholder(word) { insert(bare, .number) }
            return
        }
        if bare.count >= 3 { insert(bare, bare.count >= 6 ? .number : .shortNumber) }
        let digits = bare.filter(TextUnit.isDigit)
        if digits.count >= 5 {
            insert(digits, digits.count >= 6 ? .number : .shortNumber)
            let trimmed = Array(digits.drop { $0 == 0x30 })
            if trimmed.count >= 5 { insert(trimmed, trimmed.count >= 6 ? .number : .shortNumber) }
        }
    }

    private mutating func insertContact(_ value: String) {
        let units = FoldedText.units(of: value)
        let bare = units.filter { TextUnit.isWordLetter($0) || TextUnit.isDigit($0) || TextUnit.isIdeograph($0) }
        if bare.count >= 5 { insert(bare, .contact) }
        let digits = bare.filter(TextUnit.isDigit)
        if digits.count >= 7, bare.allSatisfy(TextUnit.isDigit) {
            for prefix in [[0x38, 0x36], [0x30, 0x30, 0x38, 0x36]] as [[UInt32]] where digits.starts(with: prefix) {
                insert(Array(digits.dropFirst(prefix.count)), .contact)
            }
            insert(digits, .contact)
            if digits.count >= 10, digits[0] == 0x30 { insert(Array(digits.suffix(8)), .contact) }
        }
        // Parts of an address, between commas and carets.
        for part in units.split(whereSeparator: { $0 == 0x2C || $0 == 0x5E || $0 == 0x3B || TextUnit.isNewline($0) }) {
            let bare = part.filter { TextUnit.isWordLetter($0) || TextUnit.isDigit($0) || TextUnit.isIdeograph($0) }
            if bare.count >= (bare.contains(where: TextUnit.isIdeograph) ? 4 : 8) { insert(Array(bare), .contact) }
        }
    }

    private mutating func insertInstitution(_ value: String) {
        let units = FoldedText.units(of: value)
        let bare = units.filter { TextUnit.isWordLetter($0) || TextUnit.isDigit($0) || TextUnit.isIdeograph($0) }
        let isEastAsian = bare.contains(where: TextUnit.isIdeograph)
        if bare.count >= (isEastAsian ? 3 : 4) { insert(bare, .institution) }
        guard isEastAsian else { return }
        let parts = units.split { !TextUnit.isIdeograph($0) && !TextUnit.isAlphanumeric($0) }
        for part in parts where part.count >= 4 && parts.count > 1 { insert(Array(part), .institution) }
    }
}

/// The forms of one value of VR PN.
struct NameForms {
    private let name: PersonName
    private var forms: [([UInt32], IdentityForms.Condition)] = []
    private(set) var readings: [IdentityForms.Reading] = []

    init(_ value: String) { name = PersonName(value) }

    mutating func make() -> [([UInt32], IdentityForms.Condition)] {
        var isIdeographic = false
        for group in [name.alphabetic, name.ideographic, name.phonetic] {
            let folded = NameText.folded(group)
            guard !folded.isEmpty, !Lexicon.isPlaceholder(folded) else { continue }
            if folded.unicodeScalars.contains(where: { TextUnit.isIdeograph($0.value) }) {
                isIdeographic = true
                makeIdeographic(folded)
            } else {
                makeLetters(group)
            }
        }
        if !isIdeographic { readings = Self.readings(of: NameText.stripped(NameText.folded(name.alphabetic))) }
        return Array(forms.prefix(IdentityForms.formLimit))
    }

    private mutating func add(_ units: [UInt32], _ condition: IdentityForms.Condition) {
        forms.append((units, condition))
    }

    private static func bare(_ text: some StringProtocol) -> [UInt32] {
        FoldedText.units(of: String(text)).filter { TextUnit.isWordLetter($0) || TextUnit.isDigit($0) || $0 >= 0x1100 }
    }

    private static func word(_ units: some Sequence<UInt32>) -> String {
        String(String.UnicodeScalarView(units.compactMap { Unicode.Scalar($0) }))
    }

    // MARK: Ideographs

    private mutating func makeIdeographic(_ folded: String) {
        let parts = Pinyin.components(folded).prefix(3).map(Self.bare).filter { !$0.isEmpty }
        guard let family = parts.first else { return }
        let given = parts.dropFirst().flatMap { $0 }
        let whole = family + given
        if whole.count >= 2 { add(whole, .anywhere) }
        // Of one ideograph a surname is a word; of more it seldom is.
        add(family, family.count >= 2 && !Lexicon.isChineseWord(family) ? .anywhere : .alone)
        if !given.isEmpty { add(given, .alone) }
        guard !given.isEmpty else { return }
        add(given + family, .anywhere)
        if given.count >= 2, !Lexicon.isChineseWord(given) { add(given, .anywhere) }
        // Readings, with each character's syllable kept apart for its initial.
        let surname = Self.word(family)
        var familyReadings = Pinyin.surnameReadings(surname).map { [$0] }
        familyReadings += Self.product(family)
        let givenReadings = Self.product(given)
        for first in familyReadings.prefix(6) {
            for second in givenReadings.prefix(16) { addLatin(family: first, given: second) }
        }
        for first in familyReadings.prefix(6) { addFamily(first.joined()) }
    }

    /// Each way of reading characters, as syllables.
    private static func product(_ units: [UInt32]) -> [[String]] {
        var result: [[String]] = [[]]
        for unit in units.prefix(4) {
            guard let scalar = Unicode.Scalar(unit) else { continue }
            var syllables = Pinyin.readings(of: scalar)
            // Passports write YU for the vowel that Pinyin has two dots on.
            for syllable in syllables where syllable.utf8.contains(UInt8(ascii: "V")) {
                syllables.append(syllable.replacing("V", with: "YU"))
            }
            if syllables.isEmpty { return [] }
            result = result.flatMap { start in syllables.map { start + [$0] } }
            if result.count > Pinyin.readingLimit { result = Array(result.prefix(Pinyin.readingLimit)) }
        }
        return result.first?.isEmpty == true ? [] : result
    }

    /// A name in letters in both orders, whole and with initials.
    private mutating func addLatin(family: [String], given: [String]) {
        let first = Self.bare(family.joined())
        let second = Self.bare(given.joined())
        guard !first.isEmpty, !second.isEmpty else { return }
        add(first + second, .words)
        add(second + first, .words)
        let initials = given.compactMap { Self.bare($0).first }
        if first.count >= 2, !initials.isEmpty {
            add(first + initials, .words)
            add(initials + first, .words)
        }
        addInitials(family.compactMap { Self.bare($0).first }.prefix(1) + initials)
        addInitials(initials + family.compactMap { Self.bare($0).first }.prefix(1))
        if family.count > 1 { addInitials(family.compactMap { Self.bare($0).first } + initials) }
        if second.count >= 5, given.count >= 2 { addAlone(second) }
    }

    private mutating func addInitials(_ units: [UInt32]) {
        guard units.count >= 2 else { return }
        let isPlain = units.count >= 3 && !Lexicon.isWord(Self.word(units))
        add(units, isPlain ? .initials : .pointedInitials)
    }

    private mutating func addFamily(_ family: String) {
        let units = Self.bare(family)
        if units.count >= 4 { addAlone(units) } else if units.count == 3 { add(units, .capitalized) }
    }

    private mutating func addAlone(_ units: [UInt32]) {
        let word = Self.word(units)
        if Lexicon.isPlaceholder(word) { return }
        add(units, units.count < 4 || Lexicon.isOrdinary(word) ? .capitalized : .words)
    }

    // MARK: Letters

    private mutating func makeLetters(_ group: String) {
        var components = group.split(separator: "^", omittingEmptySubsequences: false).prefix(3).map(Self.tokens)
        if components.count == 1 {
            // Nobody says where the surname is: both ends may be.
            let tokens = components[0]
            if tokens.count >= 2 {
                components = [[tokens[0]], Array(tokens[1...])]
                makeLetters([Array(tokens[..<(tokens.count - 1)]), [tokens[tokens.count - 1]]])
            }
        }
        makeLetters(components)
    }

    private static func tokens(_ component: Substring) -> [[UInt32]] {
        var result: [[UInt32]] = []
        let folded = FoldedText.units(of: String(component))
        for token in folded.split(whereSeparator: { TextUnit.isNameSeparator($0) && $0 != 0x27 }) {
            let bare = token.filter {
                $0 != 0x27 && (TextUnit.isWordLetter($0) || TextUnit.isDigit($0) || $0 >= 0x1100)
            }
            if !bare.isEmpty, !Lexicon.isTitle(word(bare)) { result.append(bare) }
        }
        return result
    }

    private mutating func makeLetters(_ components: [[[UInt32]]]) {
        let all = components.flatMap { $0 }
        guard let family = components.first, !all.isEmpty else { return }
        let rest = components.dropFirst().flatMap { $0 }
        for spelling in Self.spellings(all.count == 0 ? [] : [family.flatMap { $0 }, rest.flatMap { $0 }]) {
            let (first, second) = (spelling[0], spelling[1])
            if first.isEmpty || second.isEmpty {
                addAlone(first + second)
                continue
            }
            add(first + second, .words)
            add(second + first, .words)
            let initials = rest.compactMap(\.first)
            if first.count >= 2 {
                for count in 1...max(1, initials.count) where count <= initials.count {
                    add(first + initials.prefix(count), .words)
                    add(Array(initials.prefix(count)) + first, .words)
                }
            }
            if first.count >= 4 { addAlone(first) } else if first.count == 3 { add(first, .capitalized) }
        }
        // The first given name without the others.
        if rest.count > 1, let given = rest.first, given.count >= 2 {
            add(family.flatMap { $0 } + given, .words)
            add(given + family.flatMap { $0 }, .words)
        }
        for token in all {
            // In Kana nothing parts words, and no capital letter tells a name.
            if token.allSatisfy(TextUnit.isKana) {
                add(token, token.count >= 3 ? .words : .alone)
            } else if token.count >= 4 {
                addAlone(token)
            }
        }
        for token in rest where token.count == 3 { add(token, .capitalized) }
        let initials = rest.compactMap(\.first)
        if let first = family.first?.first {
            addInitials([first] + initials)
            addInitials(initials + [first])
        }
        // The syllables of a given name that is written in one.
        for spelled in Self.readings(of: Self.word(family.flatMap { $0 }) + "^" + Self.word(rest.flatMap { $0 })) {
            addLatin(family: spelled.surname, given: spelled.given)
        }
    }

    /// The same with each of the letters that stand for ü.
    private static func spellings(_ parts: [[UInt32]]) -> [[[UInt32]]] {
        guard parts.count == 2 else { return [] }
        let texts = parts.map { word($0) }
        var result = [parts]
        for (from, to) in [
            ("LYU", "LV"), ("LYU", "LU"), ("LV", "LU"), ("NV", "NU"), ("LV", "LYU"), ("NYU", "NV"), ("LUE", "LVE"),
        ] {
            guard texts.contains(where: { holds($0, from) }) else { continue }
            result.append(texts.map { FoldedText.units(of: $0.replacing(from, with: to)) })
        }
        if parts[0] == Array("LU".unicodeScalars.map(\.value)) {
            result += ["LV", "LYU"].map { [FoldedText.units(of: $0), parts[1]] }
        }
        return result
    }

    private static func holds(_ text: String, _ part: String) -> Bool {
        let (text, part) = (Array(text.utf8), Array(part.utf8))
        guard text.count >= part.count else { return false }
        return (0...text.count - part.count).contains { text[$0..<$0 + part.count].elementsEqual(part) }
    }

    /// The syllables of a name in letters, if it is Pinyin.
    private static func readings(of folded: String) -> [IdentityForms.Reading] {
        let parted = NameText.parted(folded)
        let components = parted.split(separator: "^").prefix(3).map { NameText.squashed(String($0)) }
        guard components.count >= 2, let family = components.first, !family.isEmpty else { return [] }
        let given = components.dropFirst().joined()
        var result: [IdentityForms.Reading] = []
        for surname in syllables(family, limit: 2).prefix(2) {
            for rest in syllables(given, limit: 3).prefix(4) {
                result.append(IdentityForms.Reading(surname: surname, given: rest))
            }
        }
        return result
    }

    /// Ways to cut letters into so many syllables at most.
    private static func syllables(_ letters: String, limit: Int) -> [[String]] {
        let scalars = Array(letters.unicodeScalars)
        guard scalars.count <= 18 else { return [] }
        var result: [[String]] = []
        func cut(_ start: Int, _ found: [String]) {
            if start == scalars.count, !found.isEmpty { return result.append(found) }
            guard found.count < limit, result.count < 8 else { return }
            for count in stride(from: min(6, scalars.count - start), through: 1, by: -1) {
                let syllable = String(String.UnicodeScalarView(scalars[start..<start + count]))
                if Pinyin.isSyllable(syllable) { cut(start + count, found + [syllable]) }
            }
        }
        cut(0, [])
        return result
    }
}
