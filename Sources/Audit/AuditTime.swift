/// Milliseconds since 1970 as RFC 3339 in UTC, `2026-11-21T15:00:00.123Z`, and back; to the millisecond.
public enum AuditTime {
    private static let day: Int64 = 86_400_000

    public static func text(_ milliseconds: Int64) -> String {
        var days = milliseconds / day
        var rest = milliseconds % day
        if rest < 0 {
            days -= 1
            rest += day
        }
        let (year, month, dayOfMonth) = civil(days)
        var text = ""
        text.reserveCapacity(24)
        append(year, 4, "-", &text)
        append(month, 2, "-", &text)
        append(dayOfMonth, 2, "T", &text)
        append(rest / 3_600_000, 2, ":", &text)
        append(rest / 60_000 % 60, 2, ":", &text)
        append(rest / 1000 % 60, 2, ".", &text)
        append(rest % 1000, 3, "Z", &text)
        return text
    }

    /// Nil for what `text` does not write.
    public static func milliseconds(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count == 24 else { return nil }
        func number(_ range: Range<Int>) -> Int64 {
            bytes[range].reduce(0) { $0 * 10 + Int64($1 &- UInt8(ascii: "0")) }
        }
        let days = Self.days(number(0..<4), number(5..<7), number(8..<10))
        let hours = days * 24 + number(11..<13)
        let milliseconds = ((hours * 60 + number(14..<16)) * 60 + number(17..<19)) * 1000 + number(20..<23)
        // Whatever is no digit, no day or no sign comes out otherwise.
        return Self.text(milliseconds) == text ? milliseconds : nil
    }

    private static func append(_ value: Int64, _ width: Int, _ end: String, _ text: inout String) {
        let digits = String(value)
        for _ in 0..<max(0, width - digits.utf8.count) { text += "0" }
        text += digits
        text += end
    }

    /// Of the Gregorian calendar, from days since 1970. Years begin with March, so that the leap day is a year's last.
    private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let part = (5 * dayOfYear + 2) / 153
        let month = part < 10 ? part + 3 : part - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * part + 2) / 5 + 1)
    }

    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = year / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
