extension TextScan {
    // MARK: Ideographs

    /// The end of a surname that begins there.
    private func endOfSurname(_ start: Int) -> Int? {
        if Surnames.isCompound(unit(start), unit(start + 1)) { return start + 2 }
        return Surnames.isSurname(unit(start)) ? start + 1 : nil
    }

    private func isNameDelimiter(_ index: Int) -> Bool { !isIdeograph(index) }

    /// A name stands behind a label that says so.
    mutating func findName(label: Range<Int>, at start: Int, isMarked: Bool) {
        let start = skipSpaces(start)
        if isLetter(start) {
            // `by` needs no colon before a name.
            let isBy =
                matches(" BY", at: label.upperBound - 3) && isCapital(start)
                && (!isCapital(start + 1) || beginsNameInCapitals(start))
            guard isMarked || isBy else { return }
            return findWordsOfName(at: start, isAnyCase: isMarked && unit(label.upperBound - 1) != 0x54)
        }
        guard isIdeograph(start) else { return }
        if isMarked {
            guard let end = endOfName(start, limit: 4, isSure: true) else { return }
            add(start..<end, .labelledName)
            // Several people of one label.
            var next = end
            for _ in 0..<8 {
                let separator = skipSpaces(next)
                guard [0x3001, 0x2F, 0x2C, 0x3B].contains(unit(separator)) || separator > next else { return }
                let other = skipSpaces(
                    [0x3001, 0x2F, 0x2C, 0x3B].contains(unit(separator)) ? separator + 1 : separator)
                guard endOfSurname(other) != nil, let otherEnd = endOfName(other, limit: 4, isSure: false),
                    isNameDelimiter(otherEnd), unit(otherEnd) != 0x3A, otherEnd - other <= 4,
                    units[other + 1..<otherEnd].allSatisfy(Surnames.isGiven), !Lexicon.beginsWord(units, at: other)
                else { return }
                add(other..<otherEnd, .labelledName)
                next = otherEnd
            }
        } else if let end = endOfName(start, limit: 3, isSure: false), !Lexicon.beginsWord(units, at: start) {
            add(start..<end, .labelledName)
        }
    }

    /// The end of a name in ideographs.
    ///
    /// - Parameter isSure: whether what stands there can only be a name.
    private func endOfName(_ start: Int, limit: Int, isSure: Bool) -> Int? {
        if Lexicon.endOfStop(units, at: start) != nil { return nil }
        let surname = endOfSurname(start)
        guard var index = surname ?? (isSure ? start + 1 : nil) else { return nil }
        // Names of other peoples have a point between their parts, and are longer.
        var hasPoint = false
        let limit = surname == start + 2 ? max(limit, 4) : limit
        while index - start < (hasPoint ? 16 : surname == nil ? 10 : limit) {
            if unit(index) == 0xB7, isIdeograph(index + 1) {
                hasPoint = true
                index += 2
                continue
            }
            if isSure, isSpace(index), index == (surname ?? start + 1), isIdeograph(index + 1),
                isNameDelimiter(index + 2) || isNameDelimiter(index + 3),
                Lexicon.endOfStop(units, at: index + 1) == nil, !Lexicon.beginsWord(units, at: index + 1)
            {
                index += 2
                continue
            }
            guard isIdeograph(index), Lexicon.endOfStop(units, at: index) == nil else { break }
            index += 1
        }
        // More points follow a longer name that began before one was seen.
        if !isSure, index == start + 1 { return nil }
        return index
    }

    /// Whether two words that are none of English or medicine stand there, or a title before one: in a line of capitals
    /// nothing else tells a name.
    private func beginsNameInCapitals(_ start: Int) -> Bool {
        var index = start
        var count = 0
        if let title = TextLabel.trie.longest(in: units, at: start, isWhole: { !isWordLetter($0) }),
            case .courtesy = title.value
        {
            index = skipSpaces(unit(title.end) == 0x2E ? title.end + 1 : title.end)
            count = 1
        }
        while count < 2 {
            let end = endOfWord(index)
            guard end > index, isCapital(index), !Lexicon.isWord(word(index..<end)) else { return false }
            index = skipSpaces(unit(end) == 0x2E || unit(end) == 0x2C ? end + 1 : end)
            count += 1
        }
        return true
    }

    /// A name stands behind a person: only what looks like one and ends like one.
    mutating func findPerson(at start: Int, isMarked: Bool) {
        guard let surname = endOfSurname(start), !Lexicon.beginsWord(units, at: start) else { return }
        for count in [2, 1] {
            let end = surname + count
            let given = units[min(surname, units.count)..<min(end, units.count)]
            guard given.count == count, given.allSatisfy(Surnames.isGiven) else { continue }
            guard isNameDelimiter(end) || Lexicon.endOfStop(units, at: end) != nil || isMarked else { continue }
            if Lexicon.isChineseWord(Array(units[start..<end])) { continue }
            add(start..<end, .labelledName)
            return
        }
    }

    /// A name stands before a title that begins there.
    ///
    /// - Returns: whether one was found.
    @discardableResult
    mutating func findTitledName(before title: Int) -> Bool {
        var end = title
        if isSpace(end - 1) { end -= 1 }
        guard isIdeograph(end - 1) else { return false }
        // Surname and given name, compound ones first.
        for count in [4, 3, 2] {
            let start = end - count
            guard start >= 0, (start..<end).allSatisfy(isIdeograph), let surname = endOfSurname(start), surname < end,
                count < 4 || surname == start + 2,
                units[surname..<end].allSatisfy(Surnames.isGiven) || isIntroduced(start),
                !holdsWord(start..<end)
            else { continue }
            add(start..<end, .labelledName)
            return true
        }
        for count in [2, 1] {
            let start = end - count
            guard start >= 0, endOfSurname(start) == end,
                count == 2 || !Surnames.isFunctionWord(unit(start)) || isAlone(start),
                !isEndOfWord(start..<end)
            else { continue }
            add(start..<end, .labelledName)
            return true
        }
        return false
    }

    /// Whether what stands before a name leads to one.
    private func isIntroduced(_ start: Int) -> Bool {
        isNameDelimiter(start - 1) || Self.introductions.contains(unit(start - 1))
    }

    private func isAlone(_ start: Int) -> Bool {
        isNameDelimiter(start - 1) && !Self.prepositions.contains(unit(start))
    }

    private func holdsWord(_ range: Range<Int>) -> Bool {
        range.contains { index in
            if let end = Lexicon.endOfStop(units, at: index), end > index + 1 || index == range.lowerBound {
                return true
            }
            return Lexicon.beginsWord(units, at: index)
        }
    }

    /// Whether a surname is the end of an ordinary word: `主任` before `医师`, `班主任`, `责任` before `护士`.
    private func isEndOfWord(_ range: Range<Int>) -> Bool {
        let first = unit(range.lowerBound)
        let before = unit(range.lowerBound - 1)
        if first == 0x4EFB, [0x4E3B, 0x8D23, 0x4FE1, 0x62C5].contains(before) { return true }
        return Lexicon.beginsWord(units, at: range.lowerBound - 1) || Lexicon.beginsWord(units, at: range.lowerBound)
    }

    private static let introductions = UnitSet(characters: "由经请与和及向给让找被是为的示嘱告送遵据随跟、致师生授任者")
    private static let prepositions = UnitSet(characters: "向和同由经让请但时应要都来对")

    // MARK: Letters

    /// Words of a name, with or without capital letters.
    mutating func findWordsOfName(at start: Int, isAnyCase: Bool) {
        var index = start
        // The name goes on behind a title.
        if let title = TextLabel.trie.longest(
            in: units, at: start, isWhole: { !isWordLetter($0) || unit($0 - 1) == 0x2E }),
            case .courtesy = title.value, isSpace(title.end)
        {
            index = skipSpaces(title.end)
        }
        let start = index
        var end = start
        var count = 0
        while count < 5, isLetter(index), isAnyCase || isCapital(index) {
            let wordEnd = endOfWord(index)
            let word = word(index..<wordEnd)
            let isWord = isCapital(index) && count == 0 ? Lexicon.isListed(word) : Lexicon.isWord(word)
            if isWord, wordEnd - index > 1 { break }
            // A label that begins here ends the name.
            if count > 0, TextLabel.trie.longest(in: units, at: index, isWhole: { !isWordLetter($0) }) != nil { break }
            end = wordEnd
            count += 1
            var next = wordEnd
            if unit(next) == 0x2E, isLetter(next + 1) || wordEnd - index <= 3 { next += 1 }
            if unit(next) == 0x2C || unit(next) == 0x5E || unit(next) == 0x3D { next += 1 }
            let spaced = skipSpaces(next, limit: 2)
            if next > wordEnd, unit(wordEnd) == 0x2E, wordEnd - index <= 3 { end = wordEnd + 1 }
            guard spaced > wordEnd else { break }
            index = spaced
        }
        add(start..<end, .labelledName)
    }

    /// A name stands behind `Dr.`, `Mr` and the like. In capitals and without a point these are modalities and diseases.
    mutating func findCourtesy(_ title: Range<Int>) {
        let last = title.upperBound - 1
        let hasPoint = unit(last) == 0x2E
        let isAllCapital = title.count <= 4 && isCapital(title.lowerBound + 1)
        guard isCapital(title.lowerBound), hasPoint || !isAllCapital || title.count > 4 else { return }
        let start = skipSpaces(title.upperBound)
        guard start > title.upperBound || hasPoint, isLetter(start), isCapital(start) else { return }
        let wordEnd = endOfWord(start)
        if Lexicon.isListed(word(start..<wordEnd)), wordEnd - start > 1 {
            // A surname that is a word as well, written as a name is.
            guard hasPoint, !isCapital(start + 1), !isAllCapital else { return }
            return add(start..<wordEnd, .labelledName)
        }
        if let label = TextLabel.trie.longest(in: units, at: start, isWhole: { !isWordLetter($0) }),
            case .courtesy = label.value
        {
            return
        }
        var index = start
        var end = start
        for place in 0..<4 {
            guard isLetter(index), isCapital(index) else { break }
            let next = endOfWord(index)
            if place > 0, next - index > 1, Lexicon.isWord(word(index..<next)) { break }
            // In a line of capitals a name has no more than two words.
            if place > 1, next - index > 1, (index..<next).allSatisfy({ isCapital($0) }) { break }
            end = next
            var after = next
            if unit(after) == 0x2E, next - index == 1 {
                after += 1
                end = after
            }
            let spaced = skipSpaces(after, limit: 1)
            if unit(spaced) == 0x5E {
                index = spaced + 1
            } else if spaced > after || after > next {
                index = spaced
            } else {
                break
            }
        }
        add(start..<end, .labelledName)
    }

    /// `Doe^Jane`: a name as a value of VR PN has it, where neither part is a word; a protocol, as `Head^Routine`, has one.
    /// PS3.5 §6.2.1.
    mutating func findComponents(at caret: Int) {
        var start = caret
        while caret - start < 32,
            isLetter(start - 1) || isIdeograph(start - 1) || unit(start - 1) == 0x27 || unit(start - 1) == 0x2D
        { start -= 1 }
        guard let first = component(start), first == caret, !isPartOfWord(start - 1), let second = component(caret + 1),
            isIdeograph(start) ? endOfSurname(start) == caret : !isWord(start..<caret) && !isWord(caret + 1..<second)
        else { return }
        var end = second
        // The other components, then the other groups.
        for _ in 0..<8 {
            guard unit(end) == 0x5E || unit(end) == 0x3D, let next = component(end + 1) else { break }
            end = next
        }
        guard !isPartOfWord(end) else { return }
        add(start..<end, .labelledName)
    }

    /// The end of a part of a name that begins there: two letters and more, or ideographs.
    private func component(_ start: Int) -> Int? {
        if isIdeograph(start) { return (start + 1...start + 5).first { !isIdeograph($0) } }
        let end = endOfWord(start)
        return end - start >= 2 ? end : nil
    }

    private func isPartOfWord(_ index: Int) -> Bool { isAlphanumeric(index) || unit(index) == 0x5F }

    private func isWord(_ range: Range<Int>) -> Bool { Lexicon.isWord(word(range)) }

    /// `Jane Doe, M.D.`: a name stands before a degree that begins there.
    mutating func findNameBeforeDegree(at start: Int, wordEnd: Int) {
        guard
            Self.degrees.contains(word(start..<wordEnd)) || matches("M.D.", at: start) || matches("D.O.", at: start)
                || matches("PH.D", at: start), isCapital(start), unit(start - 1) == 0x20 || unit(start - 1) == 0x2C
        else { return }
        var end = start - 1
        if unit(end - 1) == 0x2C { end -= 1 }
        let hasComma = unit(end) == 0x2C
        guard hasComma else { return }
        var begin = end
        for _ in 0..<3 {
            var wordStart = begin
            while begin - wordStart < 32, isLetter(wordStart - 1) || [0x27, 0x2D, 0x2E].contains(unit(wordStart - 1)) {
                wordStart -= 1
            }
            guard wordStart < begin, isCapital(wordStart), !isDigit(wordStart - 1) else { break }
            let word = word(wordStart..<begin)
            if begin - wordStart > 2, Lexicon.isListed(word) { break }
            begin = wordStart
            guard isSpace(begin - 1), isLetter(begin - 2) || unit(begin - 2) == 0x2E else { break }
            begin -= 1
        }
        while isSpace(begin) { begin += 1 }
        add(begin..<end, .labelledName)
    }

    private static let degrees: Set<String> = [
        "MD", "DO", "RN", "PHD", "FRCR", "MBBS", "MBCHB", "NP", "PA-C", "RT", "FACR", "DDS",
    ]
}
