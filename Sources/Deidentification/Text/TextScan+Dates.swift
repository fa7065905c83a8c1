extension TextScan {
    /// A part of a date, and how it was written.
    private struct Part {
        var value: Int
        var range: Range<Int>
        var isIdeographic = false
    }

    mutating func findDates() {
        var index = 0
        while index < units.count {
            let unit = units[index]
            var end: Int?
            if TextUnit.isDigit(unit), !isDigit(index - 1) {
                end = endOfUID(index) ?? dateOfDigits(index)
            } else if TextUnit.isLetter(unit), !isWordLetter(index - 1) {
                end = dateOfMonthName(index)
            } else if TextUnit.isIdeograph(unit) || unit == 0x3007 {
                end = dateOfEra(index) ?? dateOfIdeographs(index)
            }
            index = max(end ?? 0, index + 1)
        }
    }

    /// Writes the day that stands for one in place of it, or takes it out.
    private mutating func put(_ range: Range<Int>, _ day: CalendarDay?, _ write: (TextScan, CalendarDay) -> String?) {
        guard let day else { return remove(range) }
        if day == known.known.birthDate { return remove(range, .birthDate) }
        guard let mapped = dates?.mapped(day), let text = write(self, mapped) else { return remove(range) }
        add(range, .date, text)
    }

    /// Takes a date out with the character that says what its last number is.
    private mutating func remove(_ range: Range<Int>, _ rule: TextRule = .date) {
        let mark = skipSpaces(range.upperBound, limit: 1)
        let hasMark = [0x65E5, 0x53F7, 0x6708, 0x5E74].contains(unit(mark))
        add(range.lowerBound..<(hasMark ? mark + 1 : range.upperBound), rule)
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// The source between two parts.
    private func source(_ range: Range<Int>) -> String {
        String(String.UnicodeScalarView(range.compactMap { Unicode.Scalar(unit($0)) }))
    }

    private static func isYear(_ value: Int) -> Bool { (1880...2099).contains(value) }

    // MARK: In digits

    /// A run of digits begins here. Returns the end of a date, or of what is surely none.
    private mutating func dateOfDigits(_ start: Int) -> Int? {
        let end = endOfDigits(start)
        let count = end - start
        // A decimal number is no date.
        if unit(start - 1) == 0x2E, isDigit(start - 2) { return end }
        switch count {
        case 4: return dateFromYear(start, end)
        case 8, 12, 14: return compactDate(start, end)
        case 1, 2: return dateFromDay(start, end)
        default: return end
        }
    }

    private mutating func compactDate(_ start: Int, _ end: Int) -> Int {
        let year = number(start..<start + 4)
        guard Self.isYear(year), end - start == 8 || isTimestamp(start, end - start),
            unit(end) != 0x2E || !isDigit(end + 1),
            let day = CalendarDay(year: year, month: number(start + 4..<start + 6), day: number(start + 6..<start + 8))
        else { return end }
        put(start..<start + 8, day) { Self.padded($1.year, 4) + Self.padded($1.month, 2) + Self.padded($1.day, 2) }
        return end
    }

    private static let separators = UnitSet(characters: "-/.·_ ,:\\")

    /// Four digits: a year, perhaps.
    private mutating func dateFromYear(_ start: Int, _ end: Int) -> Int? {
        let year = number(start..<end)
        guard Self.isYear(year) else { return end }
        let suffix = skipSpaces(end, limit: 1)
        if unit(suffix) == 0x5E74 { return dateBehindYear(Part(value: year, range: start..<end), suffix + 1) }
        // 2026-11-21, with spaces around what separates.
        guard let (monthStart, separator) = behindSeparator(end) else { return end }
        let monthEnd = endOfDigits(monthStart, limit: 3)
        let month = number(monthStart..<monthEnd)
        guard monthEnd - monthStart <= 2, (1...12).contains(month) else { return end }
        if let (dayStart, second) = behindSeparator(monthEnd), second == separator {
            let dayEnd = endOfDigits(dayStart, limit: 3)
            let isLong = separator != 0x20 || (monthEnd - monthStart == 2 && dayEnd - dayStart == 2)
            if dayEnd - dayStart <= 2, isLong,
                let day = CalendarDay(year: year, month: month, day: number(dayStart..<dayEnd)),
                !(unit(dayEnd) == 0x2E && isDigit(dayEnd + 1) && separator == 0x2E)
            {
                let (first, last) = (source(end..<monthStart), source(monthEnd..<dayStart))
                let widths = (monthEnd - monthStart, dayEnd - dayStart)
                put(start..<dayEnd, day) {
                    Self.padded($1.year, 4) + first + Self.padded($1.month, widths.0) + last
                        + Self.padded($1.day, widths.1)
                }
                return dayEnd
            }
        }
        // Year and month alone: not with a point or a space, which numbers have as well.
        guard separator == 0x2D || separator == 0x2F, monthEnd - monthStart == 2, !isWordLetter(monthEnd),
            unit(monthEnd) != 0x2E || !isDigit(monthEnd + 1), unit(monthEnd) != separator || !isDigit(monthEnd + 1)
        else { return end }
        let between = source(end..<monthStart)
        put(start..<monthEnd, CalendarDay(year: year, month: month, day: 15)) {
            Self.padded($1.year, 4) + between + Self.padded($1.month, 2)
        }
        return monthEnd
    }

    /// Where digits go on behind one separator, with a space on each side at most.
    private func behindSeparator(_ end: Int) -> (start: Int, separator: UInt32)? {
        var index = skipSpaces(end, limit: 1)
        guard Self.separators.contains(unit(index)), unit(index) != 0x20 else {
            return index > end && isDigit(index) ? (index, 0x20) : nil
        }
        let separator = unit(index)
        index = skipSpaces(index + 1, limit: 1)
        return isDigit(index) ? (index, separator) : nil
    }

    /// What stands behind `年`.
    private mutating func dateBehindYear(_ year: Part, _ index: Int) -> Int {
        guard let month = part(skipSpaces(index, limit: 1), limit: 12) else { return yearAlone(year, index) }
        let monthMark = skipSpaces(month.range.upperBound, limit: 1)
        guard unit(monthMark) == 0x6708 else { return yearAlone(year, index) }
        if let day = part(skipSpaces(monthMark + 1, limit: 1), limit: 31),
            let whole = CalendarDay(year: year.value, month: month.value, day: day.value)
        {
            let end = endOfDay(day.range.upperBound)
            put(year.range.lowerBound..<day.range.upperBound, whole) { scan, mapped in
                scan.written(mapped.year, like: year) + scan.source(year.range.upperBound..<month.range.lowerBound)
                    + scan.written(mapped.month, like: month)
                    + scan.source(month.range.upperBound..<day.range.lowerBound)
                    + scan.written(mapped.day, like: day)
            }
            return end
        }
        put(year.range.lowerBound..<month.range.upperBound, CalendarDay(year: year.value, month: month.value, day: 15))
        {
            $0.written($1.year, like: year) + $0.source(year.range.upperBound..<month.range.lowerBound)
                + $0.written($1.month, like: month)
        }
        return monthMark + 1
    }

    private func endOfDay(_ index: Int) -> Int {
        let mark = skipSpaces(index, limit: 1)
        return unit(mark) == 0x65E5 || unit(mark) == 0x53F7 ? mark + 1 : index
    }

    private mutating func yearAlone(_ year: Part, _ end: Int) -> Int {
        // The middle of a year stands for it.
        put(year.range, CalendarDay(year: year.value, month: 7, day: 1)) { $0.written($1.year, like: year) }
        return end
    }

    /// One or two digits: a day or month before others.
    private mutating func dateFromDay(_ start: Int, _ end: Int) -> Int? {
        let first = number(start..<end)
        let suffix = skipSpaces(end, limit: 1)
        if unit(suffix) == 0x6708, (1...12).contains(first), let day = part(skipSpaces(suffix + 1, limit: 1), limit: 31)
        {
            let last = endOfDay(day.range.upperBound)
            guard last > day.range.upperBound else { return end }
            // A day without its year cannot be shifted.
            remove(start..<day.range.upperBound)
            return last
        }
        if let found = dateBeforeMonthName(start, end, first) { return found }
        guard let (secondStart, separator) = behindSeparator(end), separator != 0x20, separator != 0x3A,
            separator != 0x2C
        else {
            return nil
        }
        let secondEnd = endOfDigits(secondStart, limit: 3)
        guard secondEnd - secondStart <= 2, let (thirdStart, other) = behindSeparator(secondEnd), other == separator
        else {
            return nil
        }
        let thirdEnd = endOfDigits(thirdStart, limit: 5)
        let (second, third) = (number(secondStart..<secondEnd), number(thirdStart..<thirdEnd))
        guard unit(thirdEnd) != 0x2E || !isDigit(thirdEnd + 1) else { return nil }
        if thirdEnd - thirdStart == 4, Self.isYear(third) {
            let european = CalendarDay(year: third, month: second, day: first)
            let american = CalendarDay(year: third, month: first, day: second)
            guard european != nil || american != nil else { return nil }
            let isAmbiguous = european != nil && american != nil && european != american
            if isAmbiguous, known.known.birthDate == european || known.known.birthDate == american {
                add(start..<thirdEnd, .birthDate)
                return thirdEnd
            }
            let (between, before) = (source(end..<secondStart), source(secondEnd..<thirdStart))
            let widths = (end - start, secondEnd - secondStart)
            // Day before month or month before day: what may be both is taken out.
            put(start..<thirdEnd, isAmbiguous ? nil : european ?? american) { _, day in
                let (one, two) = european != nil ? (day.day, day.month) : (day.month, day.day)
                return Self.padded(one, widths.0) + between + Self.padded(two, widths.1) + before
                    + Self.padded(day.year, 4)
            }
            return thirdEnd
        }
        // Years of two digits: nobody says which of the three they are.
        guard thirdEnd - thirdStart == 2, end - start == 2, secondEnd - secondStart == 2, unit(thirdEnd) != 0x25,
            !isMeasured(thirdEnd)
        else { return nil }
        let century = { (year: Int) in year + (year > 40 ? 1900 : 2000) }
        let isDay =
            CalendarDay(year: century(third), month: second, day: first) != nil
            || CalendarDay(year: century(third), month: first, day: second) != nil
            || CalendarDay(year: century(first), month: second, day: third) != nil
        guard isDay else { return nil }
        add(start..<thirdEnd, .date)
        return thirdEnd
    }

    /// Whether a unit of length follows.
    private func isMeasured(_ index: Int) -> Bool {
        let next = skipSpaces(index, limit: 1)
        return (matches("MM", at: next) || matches("CM", at: next)) && !isLetter(next + 2)
    }

    // MARK: In ideographs

    /// A number up to `limit` in digits or ideographs.
    private func part(_ start: Int, limit: Int) -> Part? {
        if isDigit(start) {
            let end = endOfDigits(start, limit: 3)
            guard end - start <= 2 else { return nil }
            let value = number(start..<end)
            return (1...limit).contains(value) ? Part(value: value, range: start..<end) : nil
        }
        var index = start
        var value = 0
        var hasTens = false
        while index - start < 3 {
            if unit(index) == 0x5341 || unit(index) == 0x62FE {
                guard !hasTens else { return nil }
                value = max(value, 1) * 10
                hasTens = true
            } else if unit(index) == 0x5EFF || unit(index) == 0x5345 {
                value = unit(index) == 0x5EFF ? 20 : 30
                hasTens = true
            } else if let digit = TextUnit.ideographicDigit(unit(index)) {
                value = hasTens || value == 0 ? value + digit : value * 10 + digit
            } else if unit(index) == 0x521D, index == start {
                // 初三, the third.
            } else if unit(index) == 0x6B63, index == start, unit(index + 1) == 0x6708 {
                value = 1
            } else {
                break
            }
            index += 1
        }
        guard index > start, (1...limit).contains(value) else { return nil }
        return Part(value: value, range: start..<index, isIdeographic: true)
    }

    private func written(_ value: Int, like part: Part) -> String {
        guard part.isIdeographic else { return Self.padded(value, part.range.count) }
        let digits = Array("〇一二三四五六七八九")
        if value > 99 { return String(String(value).compactMap { $0.wholeNumberValue.map { digits[$0] } }) }
        let (tens, ones) = (value / 10, value % 10)
        return (tens > 1 ? String(digits[tens]) : "") + (tens > 0 ? "十" : "") + (ones > 0 ? String(digits[ones]) : "")
    }

    /// A year of four ideographs, or a month.
    private mutating func dateOfIdeographs(_ start: Int) -> Int? {
        guard TextUnit.ideographicDigit(unit(start)) != nil || unit(start) == 0x5341 || unit(start) == 0x6B63,
            TextUnit.ideographicDigit(unit(start - 1)) == nil, unit(start - 1) != 0x5341
        else { return nil }
        let digits = (start..<start + 4).compactMap { TextUnit.ideographicDigit(unit($0)) }
        if digits.count == 4, unit(start + 4) == 0x5E74 {
            let year = digits.reduce(0) { $0 * 10 + $1 }
            guard Self.isYear(year) else { return nil }
            return dateBehindYear(Part(value: year, range: start..<start + 4, isIdeographic: true), start + 5)
        }
        guard let month = part(start, limit: 12), unit(month.range.upperBound) == 0x6708,
            let day = part(month.range.upperBound + 1, limit: 31)
        else { return nil }
        let end = endOfDay(day.range.upperBound)
        guard end > day.range.upperBound || unit(month.range.upperBound + 1) == 0x521D else { return nil }
        remove(start..<day.range.upperBound)
        return end
    }

    private static let eras: WordTrie<Bool> = {
        var trie = WordTrie<Bool>()
        for era in ["民国", "中华民国", "昭和", "平成", "令和", "大正", "明治"] { trie.insert(FoldedText.units(of: era), true) }
        return trie
    }()

    /// A year of an era with what follows.
    private mutating func dateOfEra(_ start: Int) -> Int? {
        guard let era = Self.eras.longest(in: units, at: start, isWhole: { _ in true }) else { return nil }
        var index = skipSpaces(era.end, limit: 1)
        while index - era.end < 16,
            isDigit(index) || isSpace(index) || TextUnit.ideographicDigit(unit(index)) != nil
                || [0x5143, 0x5E74, 0x6708, 0x65E5, 0x5341, 0x2E, 0x2F, 0x2D, 0x767E].contains(unit(index))
        {
            index += 1
        }
        guard index > era.end, (era.end..<index).contains(where: { unit($0) == 0x5E74 || unit($0) == 0x2E }) else {
            return nil
        }
        while isSpace(index - 1) { index -= 1 }
        add(start..<index, .date)
        return index
    }

    // MARK: With names of months

    private static let months: [String: Int] = {
        let names = [
            "JANUARY", "FEBRUARY", "MARCH", "APRIL", "MAY", "JUNE", "JULY", "AUGUST", "SEPTEMBER", "OCTOBER",
            "NOVEMBER", "DECEMBER",
        ]
        var result: [String: Int] = ["SEPT": 9]
        for (index, name) in names.enumerated() {
            result[name] = index + 1
            result[String(name.prefix(3))] = index + 1
        }
        return result
    }()

    /// How a month's name was written.
    private func nameOfMonth(_ month: Int, like range: Range<Int>) -> String {
        let isShort = range.count <= 4 && word(range) != "JUNE" && word(range) != "JULY"
        guard
            let full = Self.months.first(where: {
                $0.value == month && $0.key.count > 4
                    || $0.value == month && [5, 6, 7].contains(month) && $0.key.count >= (month == 5 ? 3 : 4)
            })?.key
        else { return "" }
        let name = isShort ? String(full.prefix(3)) : full
        if isCapital(range.lowerBound), range.count > 1, isCapital(range.lowerBound + 1) { return name }
        return isCapital(range.lowerBound) ? name.prefix(1) + name.dropFirst().lowercased() : name.lowercased()
    }

    private func endOfLetters(_ start: Int) -> Int {
        var end = start
        while end - start < 12, isLetter(end) { end += 1 }
        return end
    }

    /// Spaces, commas, points, hyphens.
    private func behindGap(_ start: Int) -> Int {
        var index = start
        while index - start < 3, isSpace(index) || [0x2C, 0x2E, 0x2D, 0x2F].contains(unit(index)) { index += 1 }
        return index
    }

    private func isOrdinalEnding(_ index: Int) -> Bool {
        (matches("ST", at: index) || matches("ND", at: index) || matches("RD", at: index) || matches("TH", at: index))
            && !isLetter(index + 2)
    }

    /// `Nov 21 2026`, `November 21st, 2026`, `Nov 2026`, `November 21`.
    private mutating func dateOfMonthName(_ start: Int) -> Int? {
        let end = endOfLetters(start)
        guard let month = Self.months[word(start..<end)] else { return nil }
        let next = behindGap(end)
        guard next > end || isDigit(end), isDigit(next) else { return nil }
        let firstEnd = endOfDigits(next, limit: 5)
        let first = number(next..<firstEnd)
        if firstEnd - next == 4, Self.isYear(first) {
            let between = source(end..<next)
            put(start..<firstEnd, CalendarDay(year: first, month: month, day: 15)) {
                $0.nameOfMonth($1.month, like: start..<end) + between + Self.padded($1.year, 4)
            }
            return firstEnd
        }
        guard firstEnd - next <= 2, (1...31).contains(first) else { return nil }
        let dayEnd = isOrdinalEnding(firstEnd) ? firstEnd + 2 : firstEnd
        let yearStart = behindGap(dayEnd)
        let yearEnd = endOfDigits(yearStart, limit: 5)
        if yearEnd - yearStart == 4, Self.isYear(number(yearStart..<yearEnd)), yearStart > dayEnd {
            let (between, last) = (source(end..<next), source(dayEnd..<yearStart))
            put(start..<yearEnd, CalendarDay(year: number(yearStart..<yearEnd), month: month, day: first)) {
                $0.nameOfMonth($1.month, like: start..<end) + between + String($1.day) + last + Self.padded($1.year, 4)
            }
            return yearEnd
        }
        // Without a year: as a name is written, and not what is counted.
        guard isCapital(start), !isMeasured(firstEnd), unit(firstEnd) != 0x2E || !isDigit(firstEnd + 1) else {
            return nil
        }
        add(start..<dayEnd, .date)
        return dayEnd
    }

    /// `21 Nov 2026`, `21-NOV-26`, `21st of November`.
    private mutating func dateBeforeMonthName(_ start: Int, _ end: Int, _ day: Int) -> Int? {
        guard (1...31).contains(day) else { return nil }
        let dayEnd = isOrdinalEnding(end) ? end + 2 : end
        var monthStart = behindGap(dayEnd)
        if matches("OF ", at: monthStart) { monthStart += 3 }
        let monthEnd = endOfLetters(monthStart)
        guard monthEnd > monthStart, !isWordLetter(monthEnd), let month = Self.months[word(monthStart..<monthEnd)]
        else { return nil }
        let yearStart = behindGap(monthEnd)
        let yearEnd = endOfDigits(yearStart, limit: 5)
        let count = yearEnd - yearStart
        if count == 4, Self.isYear(number(yearStart..<yearEnd)) {
            let (between, last) = (source(dayEnd..<monthStart), source(monthEnd..<yearStart))
            put(start..<yearEnd, CalendarDay(year: number(yearStart..<yearEnd), month: month, day: day)) {
                Self.padded($1.day, end - start) + between + $0.nameOfMonth($1.month, like: monthStart..<monthEnd)
                    + last
                    + Self.padded($1.year, 4)
            }
            return yearEnd
        }
        guard isCapital(monthStart) else { return nil }
        let hasYear = count == 2 && yearStart > monthEnd && !isMeasured(yearEnd)
        add(start..<(hasYear ? yearEnd : monthEnd), .date)
        return hasYear ? yearEnd : monthEnd
    }
}
