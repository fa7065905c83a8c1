/// Values of VR DT as moments. PS3.5 §6.2, PS3.4 §C.2.2.2.5.
///
/// A value without an offset from UTC is compared as if it had that of UTC: which zone it means is not known here.
enum DateTimeText {
    /// Microseconds since 1970; nil is open. A bound of fewer digits stands for the whole year, day or minute it names.
    struct Bounds: Sendable, Equatable {
        var low: Int64?
        var high: Int64?

        func contains(_ value: String) -> Bool {
            guard let moment = DateTimeText.span(value)?.lowerBound else { return false }
            return moment >= low ?? .min && moment <= high ?? .max
        }
    }

    /// A single value, or a range; nil when it is neither.
    static func bounds(_ key: String) -> Bounds? {
        let key = key.filter { $0 != " " }
        guard let hyphen = separator(key) else {
            return span(key).map { Bounds(low: $0.lowerBound, high: $0.upperBound) }
        }
        let (left, right) = (String(key[..<hyphen]), String(key[key.index(after: hyphen)...]))
        let (low, high) = (span(left)?.lowerBound, span(right)?.upperBound)
        if left.isEmpty ? high == nil : low == nil { return nil }
        if !right.isEmpty && high == nil { return nil }
        return Bounds(low: low, high: high)
    }

    /// The hyphen between two values; one before four digits that can be an offset west of UTC belongs to a value.
    private static func separator(_ key: String) -> String.Index? {
        var start = key.startIndex
        while let hyphen = key[start...].firstIndex(of: "-") {
            let rest = key[key.index(after: hyphen)...]
            let digits = rest.prefix { $0.isNumber }
            let isOffset =
                digits.count == 4 && hyphen != key.startIndex && (offset(digits) ?? .max) <= 12 * 60
                && (digits.endIndex == key.endIndex || key[digits.endIndex] == "-")
            if !isOffset { return hyphen }
            start = digits.endIndex
        }
        return nil
    }

    /// From the first to the last microsecond that a value names.
    static func span(_ value: String) -> ClosedRange<Int64>? {
        var text = Substring(value.filter { $0 != " " })
        var zone: Int64 = 0
        if let sign = text.lastIndex(where: { $0 == "+" || $0 == "-" }) {
            guard let minutes = offset(text[text.index(after: sign)...]) else { return nil }
            zone = text[sign] == "-" ? -minutes : minutes
            text = text[..<sign]
        }
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let digits = parts.first, digits.allSatisfy({ $0.isASCII && $0.isNumber }),
            (4...14).contains(digits.count), digits.count.isMultiple(of: 2)
        else { return nil }
        let numbers = digits.dropFirst(4)
        func part(_ index: Int) -> Int64? {
            guard numbers.count >= 2 * index + 2 else { return nil }
            let start = numbers.index(numbers.startIndex, offsetBy: 2 * index)
            return Int64(numbers[start..<numbers.index(start, offsetBy: 2)])
        }
        guard let year = Int64(digits.prefix(4)) else { return nil }
        let (month, day) = (part(0), part(1))
        guard (1...12).contains(month ?? 1), (1...31).contains(day ?? 1), (0...23).contains(part(2) ?? 0),
            (0...59).contains(part(3) ?? 0), (0...60).contains(part(4) ?? 0)
        else { return nil }
        let seconds =
            days(year, month ?? 1, day ?? 1) * 86_400 + (part(2) ?? 0) * 3600 + (part(3) ?? 0) * 60 + (part(4) ?? 0)
            - zone * 60
        var (start, length) = (seconds * 1_000_000, Int64(1_000_000))
        if parts.count == 2 {
            let fraction = parts[1].prefix(6)
            guard digits.count == 14, !fraction.isEmpty, let number = Int64(fraction) else { return nil }
            length = (fraction.count..<6).reduce(1) { length, _ in length * 10 }
            start += number * length
        } else if month == nil {
            length = (days(year + 1, 1, 1) - days(year, 1, 1)) * 86_400_000_000
        } else if let month, day == nil {
            let next = month == 12 ? days(year + 1, 1, 1) : days(year, month + 1, 1)
            length = (next - days(year, month, 1)) * 86_400_000_000
        } else {
            let units: [Int: Int64] = [8: 86_400_000_000, 10: 3_600_000_000, 12: 60_000_000]
            length = units[digits.count] ?? 1_000_000
        }
        return start...(start + length - 1)
    }

    /// Minutes of an offset of four digits.
    private static func offset(_ digits: some StringProtocol) -> Int64? {
        guard digits.count == 4, digits.allSatisfy({ $0.isASCII && $0.isNumber }), let number = Int64(digits),
            number / 100 <= 14, number % 100 < 60
        else { return nil }
        return number / 100 * 60 + number % 100
    }

    /// Days since 1970-01-01 in the Gregorian calendar.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        // Years begin in March here, so that the leap day is a year's last.
        let shifted = month <= 2 ? year - 1 : year
        let month = (month + 9) % 12
        return 365 * shifted + shifted / 4 - shifted / 100 + shifted / 400 + (month * 306 + 5) / 10 + day - 719_469
    }
}
