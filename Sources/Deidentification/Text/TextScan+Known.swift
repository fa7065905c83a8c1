import DICOM

extension TextScan {
    /// Units between two of a form's.
    private static let gapLimit = 3

    /// Forms of what the object itself says of its people.
    mutating func findKnown() {
        let trie = known.trie
        guard !trie.isEmpty else { return }
        for start in units.indices where trie.canBegin(with: units[start]) {
            if let found = longestForm(trie, at: start) { add(found.range, found.rule) }
        }
    }

    private func longestForm(_ trie: WordTrie<IdentityForms.Condition>, at start: Int) -> (
        range: Range<Int>, rule: TextRule
    )? {
        var node: Int32 = 0
        var index = start
        var found: (Range<Int>, TextRule)?
        var hasGap = false
        while index < units.count {
            if let next = trie.child(of: node, units[index]) {
                node = next
                index += 1
                if let condition = trie.values[Int(node)], let rule = rule(condition, start..<index, hasGap: hasGap) {
                    found = (start..<index, rule)
                }
                continue
            }
            guard index > start else { break }
            // The tone of a syllable, as a digit.
            if (0x31...0x35).contains(units[index]), isLetter(index - 1), !isDigit(index + 1) {
                index += 1
                if let condition = trie.values[Int(node)], case .words = condition,
                    let rule = rule(condition, start..<index, hasGap: hasGap)
                {
                    found = (start..<index, rule)
                }
                continue
            }
            var gap = index
            while gap - index < Self.gapLimit, TextUnit.isNameSeparator(unit(gap)) { gap += 1 }
            if gap == index, unit(index) == 0x28 || unit(index) == 0x29 { gap += 1 }
            guard gap > index, gap < units.count else { break }
            hasGap = true
            index = gap
        }
        return found
    }

    private func rule(_ condition: IdentityForms.Condition, _ range: Range<Int>, hasGap: Bool) -> TextRule? {
        switch condition {
        case .anywhere: return .knownName
        case .alone: return isAllThereIs(range) ? .knownName : nil
        case .words: return isWhole(range) ? .knownName : nil
        case .capitalized: return isWhole(range) && !hasGap && isCapitalized(range) ? .knownName : nil
        case .initials:
            return isWhole(range) && (!hasGap && range.allSatisfy(isCapital) || isPointed(range)) ? .knownName : nil
        case .pointedInitials: return isWhole(range) && isPointed(range) ? .knownName : nil
        case .number: return isWholeNumber(range) ? .knownIdentifier : nil
        case .shortNumber: return isWholeNumber(range) && !hasGap && !isMeasure(range) ? .knownIdentifier : nil
        case .contact: return isWholeNumber(range) ? .knownContact : nil
        case .institution: return isWhole(range) || isIdeograph(range.lowerBound) ? .knownInstitution : nil
        case .birthDate: return isWholeNumber(range) && !hasGap ? .birthDate : nil
        }
    }

    /// Whether capital letters have points between them.
    private func isPointed(_ range: Range<Int>) -> Bool {
        range.contains { unit($0) == 0x2E } && range.allSatisfy { !isLetter($0) || isCapital($0) }
    }

    /// Whether the text says nothing else.
    private func isAllThereIs(_ range: Range<Int>) -> Bool {
        guard TextUnit.isKana(unit(range.lowerBound)) else {
            return range.lowerBound <= words.lowerBound && range.upperBound >= words.upperBound
        }
        // No word of `words`: marks may stand around it, and nothing that is read.
        return !units.indices.contains { index in
            !range.contains(index) && (Self.isOfWord(units[index]) || TextUnit.isKana(units[index]))
        }
    }

    /// Whether no letter goes on before a first letter or behind a last one. Nothing parts letters from Kana or Hangul beside them.
    private func isWhole(_ range: Range<Int>) -> Bool {
        !(isWordLetter(range.lowerBound) && isWordLetter(range.lowerBound - 1))
            && !(isWordLetter(range.upperBound - 1) && isWordLetter(range.upperBound))
    }

    /// Whether no digit goes on before a first digit or behind a last one, zeros before it apart; the same with letters.
    private func isWholeNumber(_ range: Range<Int>) -> Bool {
        var before = range.lowerBound - 1
        if isDigit(range.lowerBound) {
            while range.lowerBound - before < 16, unit(before) == 0x30 { before -= 1 }
            if isDigit(before) || unit(before) == 0x2E && isDigit(before - 1) && range.count < 9 { return false }
        } else if isWordLetter(range.lowerBound), isWordLetter(before) {
            return false
        }
        let last = range.upperBound - 1
        if isDigit(last), isDigit(last + 1) { return false }
        return !(isWordLetter(last) && isWordLetter(last + 1))
    }

    /// Whether a short number is one of a measure: a unit or a point follows.
    private func isMeasure(_ range: Range<Int>) -> Bool {
        if unit(range.upperBound) == 0x2E, isDigit(range.upperBound + 1) { return true }
        let next = skipSpaces(range.upperBound, limit: 1)
        let end = endOfWord(next)
        return end > next && Self.measures.contains(word(next..<end)) || unit(next) == 0x25 || unit(next) == 0xD7
    }

    private static let measures: Set<String> = [
        "MM", "CM", "M", "UM", "NM", "ML", "L", "DL", "CC", "G", "KG", "MG", "UG", "NG", "MIN", "S", "SEC", "MS", "H",
        "HZ", "KHZ",
        "MHZ", "KV", "KVP", "MA", "MAS", "HU", "BPM", "MMHG", "KPA", "MGY", "GY", "MSV", "DEG", "C", "F", "IU", "U",
        "MMOL", "X",
    ]

    /// A capital letter amid a sentence, small ones after it; in a line of capitals a title must stand before it.
    private func isCapitalized(_ range: Range<Int>) -> Bool {
        guard isCapital(range.lowerBound) else { return false }
        if isCapital(range.lowerBound + 1) {
            return range.allSatisfy(isCapital) && isBehindTitle(range.lowerBound, initials: 1)
        }
        var index = range.lowerBound - 1
        while isSpace(index) { index -= 1 }
        guard index >= 0, index < range.lowerBound - 1 || isIdeograph(index) || unit(index) == 0x2C else {
            return false
        }
        return ![0x2E, 0x0A, 0x0D, 0x3A, 0x3B, 0x21, 0x3F, 0x3002].contains(unit(index))
            || unit(index) == 0x2E && isTitle(index, Self.titles)
    }

    private static let titles: Set<String> = ["MR", "MRS", "MS", "DR", "PROF", "PT"]
    private static let introductions = titles.union(["BY", "PATIENT", "MISS"])

    /// Whether the letters before a place are such a word.
    private func isTitle(_ end: Int, _ words: Set<String>) -> Bool {
        var begin = end
        while end - begin < 8, isLetter(begin - 1) { begin -= 1 }
        return words.contains(word(begin..<end))
    }

    /// Whether a title, or `BY`, stands before what begins there.
    ///
    /// - Parameter initials: how many may stand between.
    private func isBehindTitle(_ start: Int, initials: Int) -> Bool {
        var end = start
        while start - end < 3, isSpace(end - 1) || unit(end - 1) == 0x2E { end -= 1 }
        guard end < start else { return false }
        if isTitle(end, Self.introductions) { return true }
        return initials > 0 && isLetter(end - 1) && !isLetter(end - 2) && isBehindTitle(end - 1, initials: initials - 1)
    }

    /// Ideographs that are read as a name which is known in letters alone.
    mutating func findReading(at start: Int) {
        guard !known.readings.isEmpty, isIdeograph(start) else { return }
        for reading in known.readings {
            let isCompound = reading.surname.count == 2
            guard
                isCompound
                    ? Surnames.isCompound(unit(start), unit(start + 1))
                    : Surnames.isRead(unit(start), reading.surname[0])
            else { continue }
            guard let end = endOfReading(reading.surname + reading.given, at: start) else { continue }
            if !Lexicon.isChineseWord(Array(units[start..<end])) { return add(start..<end, .readingOfName) }
        }
    }

    private func endOfReading(_ syllables: [String], at start: Int) -> Int? {
        var index = start
        for (place, syllable) in syllables.enumerated() {
            if place > 0 { while index - start < 12, TextUnit.isNameSeparator(unit(index)) { index += 1 } }
            guard let scalar = Unicode.Scalar(unit(index)), isIdeograph(index) else { return nil }
            let surname = place == 0 ? Pinyin.surnameReadings(String(scalar)) : []
            guard (Pinyin.readings(of: scalar) + surname).contains(syllable) else { return nil }
            index += 1
        }
        return index
    }
}
