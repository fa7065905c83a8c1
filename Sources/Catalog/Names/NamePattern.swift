import DICOM

/// What a query asks of a person's name, made ready to be compared with many.
///
/// A pattern without `=` matches any component group, and by their readings ideographs in any; one with `=` names the
/// group each of its parts is for. `*` and `?` are wildcards, empty components at the end may be left out. Spaces,
/// apostrophes and hyphens do not count, and a pattern without `^` need not know where the surname ends.
struct NamePattern: Sendable {
    /// The forms of one group's pattern.
    struct Form: Sendable {
        let text: String
        let joined: String
        let squashed: String
        let caretCount: Int
        let hasWildcard: Bool
        let beginsWithWildcard: Bool
        let isEastAsian: Bool
        /// What stands before the first wildcard, if that is one whole syllable: then it is a surname, and no part of
        /// a longer one beside the beginning of a given name.
        let surnameCount: Int?

        init(_ text: String) {
            self.text = text
            joined = NameText.joined(text)
            squashed = NameText.squashed(text)
            caretCount = text.utf8.count { $0 == UInt8(ascii: "^") }
            hasWildcard = text.contains(where: Self.isWildcard)
            beginsWithWildcard = text.first.map(Self.isWildcard) ?? false
            isEastAsian = NameText.isEastAsian(text)
            let opening = squashed.prefix { !Self.isWildcard($0) }
            surnameCount = hasWildcard && Pinyin.isSyllable(String(opening)) ? opening.count : nil
        }

        static func isWildcard(_ character: Character) -> Bool { character == "*" || character == "?" }

        func matches(_ group: String) -> Bool {
            if MatchText.wildcard(padded(group), text) { return true }
            let parted = NameText.parted(group)
            if MatchText.wildcard(padded(NameText.joined(parted)), joined) { return true }
            let hasCaret = parted.utf8.contains(UInt8(ascii: "^"))
            guard caretCount == 0 || !hasCaret, !beginsWithWildcard || isEastAsian else { return false }
            if let surnameCount, hasCaret {
                let surname = parted.prefix { $0 != "^" }
                if NameText.squashed(String(surname)).count < surnameCount { return false }
            }
            return MatchText.wildcard(NameText.squashed(group), squashed)
        }

        /// A name that leaves empty components out, with as many as the pattern has.
        private func padded(_ group: String) -> String {
            guard caretCount > 0 else { return group }
            let held = group.utf8.count { $0 == UInt8(ascii: "^") }
            return held < caretCount ? group + String(repeating: "^", count: caretCount - held) : group
        }
    }

    /// One for each group that is named, or one for all.
    let groups: [Form?]
    let anyGroup: Form?
    let pinyin: Form?
    /// Whether the query is Pinyin with tones, so that names in letters without them are meant too.
    let hasTones: Bool
    /// Without marks, and the words a name must have; only where fuzzy matching was agreed on.
    let fuzzy: Form?
    let fuzzyWords: [String]

    /// - Parameter isFuzzy: PS3.4 §C.2.2.2.1.1: marks on letters do not count, and each word of the query need only
    ///   begin a word of the name, in any order.
    init(_ pattern: String, isFuzzy: Bool = false) {
        if pattern.contains("=") {
            let wanted = MatchText.name(pattern)
            groups = [wanted.alphabetic, wanted.ideographic, wanted.phonetic].map {
                let text = isFuzzy ? NameText.stripped($0) : $0
                return text.isEmpty ? nil : Form(text)
            }
            anyGroup = nil
            pinyin = nil
            hasTones = false
            fuzzy = nil
            fuzzyWords = []
            strips = isFuzzy
            return
        }
        let folded = NameText.folded(pattern)
        groups = []
        anyGroup = Form(folded)
        let pinyin = NameText.pinyin(folded)
        self.pinyin = pinyin.map(Form.init)
        hasTones = pinyin.map { $0 != folded && NameText.isSpelled(pinyin: $0) } ?? false
        strips = false
        fuzzy = isFuzzy ? Form(NameText.stripped(folded)) : nil
        fuzzyWords = isFuzzy ? Self.words(NameText.stripped(folded)) : []
    }

    private let strips: Bool

    /// Whether a name in its folded groups is meant.
    func matches(_ held: [String]) -> Bool {
        if !groups.isEmpty {
            return zip(held, groups).allSatisfy { group, form in
                form?.matches(strips ? NameText.stripped(group) : group) ?? true
            }
        }
        return held.contains { !$0.isEmpty && matchesGroup($0) }
    }

    private func matchesGroup(_ group: String) -> Bool {
        if anyGroup?.matches(group) == true { return true }
        // A digit in a name is no tone: NAME1 is not NAME2.
        if hasTones, !group.utf8.contains(where: { (0x30...0x39).contains($0) }), let pinyin,
            let held = NameText.pinyin(group), pinyin.matches(held)
        {
            return true
        }
        let readings = pinyin == nil ? [] : Pinyin.readings(of: group)
        if let pinyin, readings.contains(where: { pinyin.matches($0) }) { return true }
        guard let fuzzy else { return false }
        let stripped = NameText.stripped(group)
        if fuzzy.matches(stripped) || hasWords(stripped, fuzzyWords) { return true }
        guard let pinyin else { return false }
        let words = Self.words(pinyin.text)
        return readings.contains { hasWords($0, words) }
    }

    /// Whether each of the words begins one of the group's; ideographs may stand anywhere.
    private func hasWords(_ group: String, _ wanted: [String]) -> Bool {
        let held = Self.words(group)
        let whole = NameText.squashed(group)
        return !wanted.isEmpty
            && wanted.allSatisfy { word in
                NameText.isEastAsian(word)
                    ? MatchText.wildcard(whole, "*\(word)*")
                    : held.contains { MatchText.wildcard($0, word + "*") }
            }
    }

    static func words(_ text: String) -> [String] {
        text.unicodeScalars.split(whereSeparator: NameText.isSeparator).map { String($0) }
            .filter { !$0.allSatisfy(Form.isWildcard) }
    }
}
