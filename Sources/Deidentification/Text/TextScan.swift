/// One look through a folded text for what identifies people. Every scanner looks a bounded way ahead of where it stands,
/// so the time follows the length of the text.
struct TextScan {
    /// What is taken out.
    struct Span {
        var range: Range<Int>
        var rule: TextRule
        /// What is written in its place where that is not the rule's mark.
        var replacement: String?
    }

    let text: FoldedText
    let units: [UInt32]
    let known: IdentityForms
    let dates: (any DateMapping)?
    /// Whether dates are looked for.
    let findsDates: Bool
    /// From the first letter, digit or ideograph to the last.
    let words: Range<Int>
    private(set) var spans: [Span] = []

    init(_ text: FoldedText, known: IdentityForms, dates: (any DateMapping)?, findsDates: Bool) {
        self.text = text
        units = text.units
        self.known = known
        self.dates = dates
        self.findsDates = findsDates
        let first = units.firstIndex(where: Self.isOfWord) ?? 0
        words = first..<(units.lastIndex(where: Self.isOfWord).map { $0 + 1 } ?? first)
    }

    static func isOfWord(_ unit: UInt32) -> Bool {
        TextUnit.isWordLetter(unit) || TextUnit.isDigit(unit) || TextUnit.isIdeograph(unit)
    }

    /// Everything found, in order, no two overlapping.
    mutating func run() -> [Span] {
        guard !units.isEmpty else { return [] }
        findKnown()
        var hasDigits = false
        var index = 0
        while index < units.count {
            let unit = units[index]
            var next = index + 1
            if TextUnit.isDigit(unit) {
                hasDigits = true
                if !isDigit(index - 1) { next = findNumber(at: index) }
            } else if TextUnit.isLetter(unit) {
                if !isWordLetter(index - 1) { next = findWord(at: index) }
            } else if unit >= 0x3007 {
                findIdeographs(at: index)
            } else if unit == 0x40 {
                findElectronicAddress(at: index)
            } else if unit == 0x5E {
                findComponents(at: index)
            }
            index = next
        }
        if findsDates, hasDigits || text.hasIdeographs { findDates() }
        return merged()
    }

    mutating func add(_ range: Range<Int>, _ rule: TextRule, _ replacement: String? = nil) {
        guard !range.isEmpty else { return }
        spans.append(Span(range: range, rule: rule, replacement: replacement))
    }

    /// Spans that overlap become one, named by the longest; a date in something else is no date.
    private func merged() -> [Span] {
        guard spans.count > 1 else { return spans }
        let sorted = spans.sorted {
            ($0.range.lowerBound, -$0.range.count) < ($1.range.lowerBound, -$1.range.count)
        }
        var result: [Span] = [sorted[0]]
        for span in sorted.dropFirst() {
            let last = result[result.count - 1]
            guard span.range.lowerBound < last.range.upperBound else {
                result.append(span)
                continue
            }
            if span.range == last.range, span.rule == last.rule { continue }
            let isSame =
                last.range.lowerBound <= span.range.lowerBound && last.range.upperBound >= span.range.upperBound
            if isSame, span.replacement != nil, last.replacement == nil { continue }
            let longer = span.range.count > last.range.count && span.replacement == nil ? span : last
            result[result.count - 1] = Span(
                range: last.range.lowerBound..<max(last.range.upperBound, span.range.upperBound),
                rule: longer.rule, replacement: nil)
        }
        return result
    }

    // MARK: Looking

    /// The unit there, or a barrier beyond the ends.
    @inline(__always)
    func unit(_ index: Int) -> UInt32 { index >= 0 && index < units.count ? units[index] : FoldedText.barrier }

    @inline(__always)
    func isDigit(_ index: Int) -> Bool { TextUnit.isDigit(unit(index)) }
    @inline(__always)
    func isLetter(_ index: Int) -> Bool { TextUnit.isLetter(unit(index)) }
    @inline(__always)
    func isAlphanumeric(_ index: Int) -> Bool { TextUnit.isAlphanumeric(unit(index)) }
    @inline(__always)
    func isWordLetter(_ index: Int) -> Bool { TextUnit.isWordLetter(unit(index)) }
    @inline(__always)
    func isIdeograph(_ index: Int) -> Bool { TextUnit.isIdeograph(unit(index)) }
    @inline(__always)
    func isSpace(_ index: Int) -> Bool { TextUnit.isSpace(unit(index)) }

    func isCapital(_ index: Int) -> Bool { index >= 0 && index < units.count && text.areCapital[index] }

    /// The units there as text, for looking up a word; at most 32.
    func word(_ range: Range<Int>) -> String {
        var scalars = String.UnicodeScalarView()
        for index in range.prefix(32) {
            if let scalar = Unicode.Scalar(unit(index)) { scalars.append(scalar) }
        }
        return String(scalars)
    }

    /// The end of the run of letters, with apostrophes and hyphens between them, that begins there.
    func endOfWord(_ start: Int) -> Int {
        var end = start
        while end - start < 32,
            isLetter(end) || (unit(end) == 0x27 || unit(end) == 0x2D) && isLetter(end + 1) && end > start
        {
            end += 1
        }
        return end
    }

    func endOfDigits(_ start: Int, limit: Int = 64) -> Int {
        var end = start
        while end - start < limit, isDigit(end) { end += 1 }
        return end
    }

    /// The number that a few digits make.
    func number(_ range: Range<Int>) -> Int {
        range.prefix(9).reduce(0) { $0 * 10 + Int(unit($1)) - 0x30 }
    }

    func skipSpaces(_ start: Int, limit: Int = 3) -> Int {
        var index = start
        while index - start < limit, isSpace(index) { index += 1 }
        return index
    }

    func matches(_ word: StaticString, at start: Int) -> Bool {
        word.withUTF8Buffer { bytes in
            for (place, byte) in bytes.enumerated() where unit(start + place) != UInt32(byte) { return false }
            return true
        }
    }
}
