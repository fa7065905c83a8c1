extension TextScan {
    /// Units between a label and what it announces.
    private static let connectorLimit = 12
    /// Units of a number behind a label.
    private static let tokenLimit = 48
    /// Units of an address behind a label.
    private static let addressLimit = 120

    /// A word of letters begins here.
    ///
    /// - Returns: where looking goes on.
    mutating func findWord(at start: Int) -> Int {
        let end = endOfWord(start)
        if !isDigit(start - 1) {
            if let behind = findURL(at: start, wordEnd: end) { return behind }
            findHexadecimalAddress(at: start)
            findDocument(at: start)
        }
        if let label = TextLabel.trie.longest(
            in: units, at: start, isWhole: { !isWordLetter($0) || unit($0 - 1) == 0x2E })
        {
            findLabelled(label.value, from: start, behind: label.end)
        }
        findNameBeforeDegree(at: start, wordEnd: end)
        return start + 1
    }

    /// Ideographs, or what is written among them.
    mutating func findIdeographs(at start: Int) {
        if let label = TextLabel.trie.longest(in: units, at: start, isWhole: { _ in true }) {
            findLabelled(label.value, from: start, behind: label.end)
        }
        findReading(at: start)
        findPlate(at: start)
        findPlace(at: start)
        findInstitution(at: start)
        findReadNumber(at: start)
    }

    private mutating func findLabelled(_ label: TextLabel, from start: Int, behind end: Int) {
        let connected = connector(end)
        switch label {
        case .record(let isStrict):
            if isStrict, !connected.isMarked { return }
            findToken(at: connected.end, .recordNumber, leastDigits: 1)
        case .telephone: findToken(at: connected.end, .telephoneNumber, leastDigits: 3)
        case .resident: findToken(at: connected.end, .residentNumber, leastDigits: 3)
        case .document: findToken(at: connected.end, .documentNumber, leastDigits: 3)
        case .plate: findToken(at: connected.end, .vehiclePlate, leastDigits: 1)
        case .account: findToken(at: connected.end, .bankCard, leastDigits: 3)
        case .address: findAddress(at: connected.end, isMarked: connected.isMarked)
        case .name: findName(label: start..<end, at: connected.end, isMarked: connected.isMarked)
        case .person:
            if !findTitledName(before: start) { findPerson(at: connected.end, isMarked: connected.isMarked) }
        case .title: findTitledName(before: start)
        case .courtesy: findCourtesy(start..<end)
        case .birthDate: break
        }
    }

    /// What leads from a label to its value, and whether it says that a value follows.
    private func connector(_ start: Int) -> (end: Int, isMarked: Bool) {
        var index = start
        var isMarked = false
        while index - start < Self.connectorLimit {
            switch unit(index) {
            case 0x20, 0x09, 0x2E, 0x29, 0x3011: index += 1
            case 0x3A, 0x3D, 0x23, 0x5F, 0x28, 0x3010, 0xFE55, 0x2236:
                isMarked = true
                index += 1
            case 0x53F7, 0x7801, 0x4E3A, 0x662F, 0x7CFB: index += 1
            case 0x4E, 0x49, 0x57:
                // NO, NUMBER, IS, WAS.
                let end = endOfWord(index)
                guard end - index > 1, ["NO", "NUMBER", "NUM", "IS", "WAS"].contains(word(index..<end)) else {
                    return (index, isMarked)
                }
                isMarked = isMarked || unit(index) == 0x4E
                index = end
            case 0x0A, 0x0D:
                // The value may stand on the next line.
                guard isMarked else { return (index, isMarked) }
                index += 1
            default: return (index, isMarked)
            }
        }
        return (index, isMarked)
    }

    /// Letters, digits and what joins them.
    private mutating func findToken(at start: Int, _ rule: TextRule, leastDigits: Int) {
        var end = start
        var digits = 0
        var last = start
        while end - start < Self.tokenLimit {
            if isAlphanumeric(end) {
                if isDigit(end) { digits += 1 }
                end += 1
                last = end
            } else if end > start, [0x2D, 0x5F, 0x2F, 0x2E, 0x28, 0x29, 0x2B, 0x2A].contains(unit(end)) {
                end += 1
            } else if end == start, unit(end) == 0x2B || unit(end) == 0x28 {
                end += 1
            } else if isSpace(end), isDigit(end + 1), isDigit(end - 1) {
                end += 1
            } else if end == start, Self.provincesOfPlates.contains(unit(end)) {
                end += 1
            } else {
                break
            }
        }
        // The end of what was cut goes with it.
        while last - start >= Self.tokenLimit, isAlphanumeric(last) { last += 1 }
        guard digits >= leastDigits else { return }
        if unit(last) == 0x29, units[start..<last].contains(0x28) { last += 1 }
        add(start..<last, rule)
        // Several values of one label.
        let next = skipSpaces(last)
        guard [0x2C, 0x3001, 0x2F].contains(unit(next)) else { return }
        let other = skipSpaces(next + 1)
        let otherEnd = endOfDigits(other)
        if otherEnd - other >= 5 { add(other..<otherEnd, rule) }
    }

    /// Passports, permits, identity cards of Hong Kong, Macau and Taiwan: letters and digits in one.
    private mutating func findDocument(at start: Int) {
        var letters = start
        while letters - start < 4, isLetter(letters) { letters += 1 }
        guard letters - start <= 3, !isLetter(letters) else { return }
        var digitStart = letters
        if unit(letters) == 0x2D || unit(letters) == 0x20 { digitStart += 1 }
        guard isDigit(digitStart) else { return }
        let end = endOfDigits(digitStart)
        let count = end - digitStart
        let isJoined = digitStart == letters
        if count == 6, letters - start <= 2 {
            if unit(end) == 0x28, isDigit(end + 1) || unit(end + 1) == 0x41, unit(end + 2) == 0x29 {
                return add(start..<end + 3, .documentNumber)
            }
            if isJoined, unit(end) == 0x41, !isAlphanumeric(end + 1) { return add(start..<end + 1, .documentNumber) }
        }
        guard isJoined ? count >= 7 : (8...10).contains(count), !isWordLetter(end) else { return }
        // A date behind a word is a date.
        if !isJoined,
            CalendarDay(
                year: number(digitStart..<digitStart + 4), month: number(digitStart + 4..<digitStart + 6),
                day: number(digitStart + 6..<digitStart + 8)) != nil
        {
            return
        }
        add(start..<end, .documentNumber)
    }

    // MARK: Plates and numbers that are read out

    static let provincesOfPlates = UnitSet(characters: "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领")

    /// GA 36: a province, a letter, five or six letters and digits.
    private mutating func findPlate(at start: Int) {
        guard Self.provincesOfPlates.contains(unit(start)) else { return }
        var index = skipSpaces(start + 1, limit: 1)
        guard isLetter(index) else { return }
        index = skipSpaces(index + 1, limit: 1)
        if unit(index) == 0xB7 || unit(index) == 0x2D || unit(index) == 0x2E { index = skipSpaces(index + 1, limit: 1) }
        var end = index
        var digits = 0
        while end - index < 7, isAlphanumeric(end) {
            if isDigit(end) { digits += 1 }
            end += 1
        }
        if end - index == 4, [0x6302, 0x5B66, 0x8B66, 0x6E2F, 0x6FB3, 0x9886, 0x8BD5].contains(unit(end)) { end += 1 }
        guard (5...6).contains(end - index), digits >= 1, !isAlphanumeric(end) else { return }
        add(start..<end, .vehiclePlate)
    }

    /// Seven and more digits in ideographs.
    private mutating func findReadNumber(at start: Int) {
        guard TextUnit.ideographicDigit(unit(start)) != nil, TextUnit.ideographicDigit(unit(start - 1)) == nil else {
            return
        }
        var end = start
        while end - start < 64, TextUnit.ideographicDigit(unit(end)) != nil { end += 1 }
        if end - start >= 7 { add(start..<end, .longNumber) }
    }
}
