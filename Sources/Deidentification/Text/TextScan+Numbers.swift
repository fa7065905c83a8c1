/// Digits as people write them: in one, or in groups with something between.
struct DigitGroups {
    /// Digits that are looked at from one place on.
    static let limit = 24

    var digits: [UInt8] = []
    /// Behind each digit.
    var ends: [Int] = []
    /// Digits of each group.
    var sizes: [Int] = []
    /// What stands between groups, each kind once.
    var separators: [UInt32] = []
    /// Whether each gap is one separator.
    var areSingle = true

    /// The groups that have exactly so many digits together, if a group ends there.
    func sizes(totalling count: Int) -> ArraySlice<Int>? {
        var sum = 0
        for (index, size) in sizes.enumerated() {
            sum += size
            if sum == count { return sizes[...index] }
            if sum > count { return nil }
        }
        return nil
    }

    func value(_ range: Range<Int>) -> Int { digits[range].reduce(0) { $0 * 10 + Int($1) } }
}

extension TextScan {
    /// A run of digits begins here.
    ///
    /// - Returns: where looking goes on.
    mutating func findNumber(at start: Int) -> Int {
        if let end = endOfUID(start) { return end }
        if let end = endOfAddressIP(start), !isLetter(start - 1), unit(start - 1) != 0x2E {
            add(start..<end, .networkAddress)
            return end
        }
        findHexadecimalAddress(at: start)
        findStreet(at: start)
        findAge(at: start)
        let runEnd = endOfDigits(start)
        let run = runEnd - start
        // What follows a point is part of a decimal number.
        let isFraction = unit(start - 1) == 0x2E && isDigit(start - 2) && run < 15
        let groups = groups(from: start)
        if groups.digits.count >= 7, !isFraction {
            findResidentNumber(groups, at: start)
            findTelephone(groups, at: start, run: run)
            findCard(groups, at: start, run: run)
        }
        if run >= 9, !isFraction, !isTimestamp(start, run) {
            var end = runEnd
            while isAlphanumeric(end) { end += 1 }
            add(wholeToken(start)..<end, .longNumber)
            return end
        }
        if run == 7, unit(runEnd) == 0x28, isDigit(runEnd + 1), unit(runEnd + 2) == 0x29 {
            add(start..<runEnd + 3, .documentNumber)
        }
        if run == 1, unit(runEnd) == 0x2F, endOfDigits(runEnd + 1) == runEnd + 7, unit(runEnd + 7) == 0x2F,
            isDigit(runEnd + 8), !isDigit(runEnd + 9)
        {
            add(start..<runEnd + 9, .documentNumber)
        }
        // The bed of a ward.
        if run <= 3, unit(runEnd) == 0x5E8A, unit(start - 1) != 0x2E { add(start..<runEnd + 1, .recordNumber) }
        return runEnd
    }

    /// Letters that belong to the number whose digits begin there.
    private func wholeToken(_ start: Int) -> Int {
        var begin = start
        while start - begin < 8, isAlphanumeric(begin - 1) || unit(begin - 1) == 0x2D && isAlphanumeric(begin - 2) {
            begin -= 1
        }
        return begin
    }

    func groups(from start: Int) -> DigitGroups {
        var groups = DigitGroups()
        var index = start
        while groups.digits.count < DigitGroups.limit {
            let before = groups.digits.count
            while isDigit(index), groups.digits.count < DigitGroups.limit {
                groups.digits.append(UInt8(unit(index) - 0x30))
                index += 1
                groups.ends.append(index)
            }
            groups.sizes.append(groups.digits.count - before)
            var gap = index
            while gap - index < 3, isDigitSeparator(unit(gap)) { gap += 1 }
            guard gap > index, isDigit(gap) else { break }
            if gap - index > 1 { groups.areSingle = false }
            for place in index..<gap where !groups.separators.contains(unit(place)) {
                groups.separators.append(unit(place))
            }
            index = gap
        }
        return groups
    }

    private func isDigitSeparator(_ unit: UInt32) -> Bool {
        switch unit {
        case 0x20, 0x09, 0x0A, 0x0D, 0x2D, 0x2E, 0xB7, 0x5F, 0x2F, 0x28, 0x29: true
        default: false
        }
    }

    // MARK: Resident numbers

    /// GB 11643: 6 digits of place, 8 of birth, 3 of order, a check character of MOD 11-2 (ISO 7064); before 1999 without
    /// century and check character.
    private mutating func findResidentNumber(_ groups: DigitGroups, at start: Int) {
        let digits = groups.digits
        guard digits.count >= 15, Self.provinces.contains(groups.value(0..<2)) else { return }
        let isUniform = groups.separators.count <= 1 && !groups.separators.contains(0x0A)
        if digits.count >= 17,
            CalendarDay(year: groups.value(6..<10), month: groups.value(10..<12), day: groups.value(12..<14)) != nil
        {
            var end = groups.ends[16]
            var check: Int?
            var gap = end
            while gap - end < 2, isDigitSeparator(unit(gap)) { gap += 1 }
            if unit(gap) == 0x58, !isAlphanumeric(gap + 1) {
                check = 10
                end = gap + 1
            } else if digits.count >= 18, digits.count == 18 || groups.ends[17] < groups.ends[18] - 1 {
                check = Int(digits[17])
                end = groups.ends[17]
            }
            if let check, !isDigit(end) {
                let isValid = Self.checkCharacter(digits[..<17]) == check
                if isValid || isUniform { add(start..<end, .residentNumber) }
            }
        }
        if let sizes = groups.sizes(totalling: 15), isUniform || sizes.count == 1,
            CalendarDay(year: 1900 + groups.value(6..<8), month: groups.value(8..<10), day: groups.value(10..<12))
                != nil,
            sizes.count <= 4 || sizes.allSatisfy({ $0 == 1 })
        {
            add(start..<groups.ends[14], .residentNumber)
        }
    }

    private static func checkCharacter(_ digits: ArraySlice<UInt8>) -> Int {
        let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
        let sum = zip(digits, weights).reduce(0) { $0 + Int($1.0) * $1.1 }
        return (12 - sum % 11) % 11
    }

    private static let provinces: Set<Int> = [
        11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54, 61, 62,
        63,
        64, 65, 71, 81, 82, 83, 91,
    ]

    // MARK: Telephones

    private mutating func findTelephone(_ groups: DigitGroups, at start: Int, run: Int) {
        // With the country before it: a plus, or 00, or 86.
        if unit(start - 1) == 0x2B, groups.digits.count >= 8 {
            let count = min(groups.digits.count, 15)
            add(start - 1..<extended(groups.ends[count - 1]), .telephoneNumber)
            return
        }
        var first = 0
        for prefix in [[0, 0, 8, 6], [8, 6], [1, 7, 9, 5, 1], [1, 2, 5, 9, 3], [0]] as [[UInt8]]
        where groups.digits.starts(with: prefix) {
            if isMobile(groups, from: prefix.count) {
                first = prefix.count
                break
            }
        }
        if isMobile(groups, from: first) {
            add(openingParenthesis(start)..<groups.ends[first + 10], .telephoneNumber)
            return
        }
        if isLandline(groups) || isNationwide(groups) || isNorthAmerican(groups) {
            let count = groups.digits.count
            let length = landlineLength(groups) ?? (count >= 10 ? 10 : count)
            add(openingParenthesis(start)..<extended(groups.ends[min(length, count) - 1]), .telephoneNumber)
        }
    }

    /// Eleven digits that begin 13 to 19, in groups as people make them.
    private func isMobile(_ groups: DigitGroups, from first: Int) -> Bool {
        let digits = groups.digits
        guard digits.count >= first + 11, digits[first] == 1, digits[first + 1] >= 3 else { return false }
        guard let all = groups.sizes(totalling: first + 11) else { return false }
        var rest = first
        var sizes: [Int] = []
        for size in all {
            if rest >= size {
                rest -= size
            } else {
                sizes.append(size - rest)
                rest = 0
            }
        }
        if sizes.count == 1 { return true }
        let isDecimal = groups.separators.contains(0x2E) && groups.separators.contains(0x20)
        if isDecimal || groups.separators.contains(0x2F) { return false }
        return sizes.count <= 4 && sizes.allSatisfy { $0 >= 2 } && sizes[0] != 2 || sizes.allSatisfy { $0 == 1 }
            || sizes == [2, 3, 3, 3]
    }

    /// A code that begins with 0, and seven or eight digits.
    private func landlineLength(_ groups: DigitGroups) -> Int? {
        let digits = groups.digits
        guard digits.count >= 10, digits[0] == 0, digits[1] != 0, !groups.separators.contains(0x2E),
            !groups.separators.contains(0x2F)
        else { return nil }
        let code = digits[1] <= 2 ? 3 : 4
        for length in [code + 8, code + 7] {
            guard let sizes = groups.sizes(totalling: length) else { continue }
            if sizes.count == 1 { return length }
            if sizes.first == code, sizes.count <= 3, sizes.dropFirst().allSatisfy({ $0 >= 3 }) { return length }
        }
        return nil
    }

    private func isLandline(_ groups: DigitGroups) -> Bool { landlineLength(groups) != nil }

    /// 400 and 800 numbers.
    private func isNationwide(_ groups: DigitGroups) -> Bool {
        guard groups.digits.count >= 10, [400, 800].contains(groups.value(0..<3)),
            let sizes = groups.sizes(totalling: 10)
        else { return false }
        return sizes.count == 1 || sizes.count <= 4 && sizes.first == 3 && groups.separators == [0x2D]
    }

    private func isNorthAmerican(_ groups: DigitGroups) -> Bool {
        guard groups.digits.count >= 10, groups.digits[0] >= 2, let sizes = groups.sizes(totalling: 10),
            Array(sizes) == [3, 3, 4]
        else { return false }
        return groups.separators == [0x2D] || groups.separators == [0x2E] || groups.separators.contains(0x29)
    }

    private func openingParenthesis(_ start: Int) -> Int {
        var begin = start
        if unit(begin - 1) == 0x28 { begin -= 1 }
        if unit(begin - 1) == 0x2B { begin -= 1 }
        return begin
    }

    /// With an extension behind it.
    private func extended(_ end: Int) -> Int {
        var index = skipSpaces(end, limit: 1)
        if unit(index) == 0x2D || unit(index) == 0x8F6C || unit(index) == 0x58 {
            index += 1
        } else if matches("EXT", at: index) {
            index += 3
            if unit(index) == 0x2E { index += 1 }
        } else {
            return end
        }
        index = skipSpaces(index, limit: 1)
        let last = endOfDigits(index, limit: 6)
        return last > index && !isDigit(last) ? last : end
    }

    // MARK: Cards and long numbers

    /// 13 to 19 digits whose check digit is right. ISO/IEC 7812-1, Luhn.
    private mutating func findCard(_ groups: DigitGroups, at start: Int, run: Int) {
        guard groups.digits.count >= 13 else { return }
        for length in (13...min(19, groups.digits.count)).reversed() {
            guard let sizes = groups.sizes(totalling: length) else { continue }
            let isGrouped =
                groups.separators.count == 1 && groups.areSingle && !groups.separators.contains(0x2E)
                && sizes.allSatisfy { $0 >= 3 } && sizes.count <= 5
            guard sizes.count == 1 || isGrouped, Self.isLuhn(groups.digits[..<length]) else { continue }
            if sizes.count == 1, isTimestamp(start, run) { continue }
            add(start..<groups.ends[length - 1], .bankCard)
            return
        }
    }

    private static func isLuhn(_ digits: ArraySlice<UInt8>) -> Bool {
        var sum = 0
        for (place, digit) in digits.reversed().enumerated() {
            let doubled = place % 2 == 1 ? Int(digit) * 2 : Int(digit)
            sum += doubled > 9 ? doubled - 9 : doubled
        }
        return sum % 10 == 0
    }

    /// A date and a time in digits alone.
    func isTimestamp(_ start: Int, _ run: Int) -> Bool {
        guard run == 12 || run == 14,
            CalendarDay(
                year: number(start..<start + 4), month: number(start + 4..<start + 6),
                day: number(start + 6..<start + 8))
                != nil, number(start..<start + 2) == 19 || number(start..<start + 2) == 20
        else { return false }
        return number(start + 8..<start + 10) < 24 && number(start + 10..<start + 12) < 60
    }

    // MARK: Numbers with points

    /// The end of a UID that begins there: it is replaced as a whole by who knows UIDs, or is one already.
    func endOfUID(_ start: Int) -> Int? {
        guard unit(start) <= 0x32, unit(start + 1) == 0x2E, isDigit(start + 2), unit(start - 1) != 0x2E else {
            return nil
        }
        var end = start
        var count = 0
        while end - start < 65 {
            let next = endOfDigits(end)
            guard next > end else { break }
            count += 1
            end = next
            guard unit(end) == 0x2E, isDigit(end + 1) else { break }
            end += 1
        }
        if count >= 5 { return end }
        return count >= 3 && (end - start >= 24 || matches("1.2.840", at: start)) ? end : nil
    }

    // MARK: Ages

    /// An age of 90 years or more: so few people have it that it identifies them. HIPAA 45 CFR 164.514(b)(2)(i)(C).
    private mutating func findAge(at start: Int) {
        let end = endOfDigits(start, limit: 4)
        let isPadded = end - start == 3 && unit(start) == 0x30
        guard end - start == 2 || end - start == 3, (90...130).contains(number(start..<end)), unit(start - 1) != 0x2E
        else {
            return
        }
        let next = skipSpaces(end, limit: 1)
        let unitNext = unit(unit(next) == 0x2D ? next + 1 : next)
        let place = unit(next) == 0x2D ? next + 1 : next
        let isAge: Bool
        if unitNext == 0x5C81 || unitNext == 0x5468 && unit(place + 1) == 0x5C81 {
            isAge = true
        } else if unitNext == 0x59 {
            let wordEnd = endOfWord(place)
            let word = word(place..<wordEnd)
            isAge =
                ["YO", "YR", "YRS", "YEAR-OLD", "YEARS-OLD", "YR-OLD"].contains(word) || isPadded && word == "Y"
                || ["YEAR", "YEARS", "YR", "YRS"].contains(word) && isOldAhead(wordEnd)
                || word == "Y" && matches("/O", at: wordEnd)
        } else {
            isAge = hasAgeLabel(before: start)
        }
        if isAge { add(start..<end, .advancedAge) }
    }

    private func isOldAhead(_ index: Int) -> Bool {
        let next = skipSpaces(index)
        return matches("OLD", at: next) || matches("OF AGE", at: next)
            || unit(next) == 0x2D && matches("OLD", at: next + 1)
    }

    private func hasAgeLabel(before start: Int) -> Bool {
        var index = start - 1
        while start - index < 5, isSpace(index) || unit(index) == 0x3A || unit(index) == 0x3D { index -= 1 }
        guard index < start - 1 else { return false }
        if unit(index) == 0x9F84, unit(index - 1) == 0x5E74 { return true }
        return unit(index) == 0x45 && unit(index - 1) == 0x47 && unit(index - 2) == 0x41 && !isLetter(index - 3)
    }
}
