import Deidentification
import Foundation

/// Something that must not be in a text any more, whatever stands between its parts and however wide it is.
struct Planted {
    private let plain: String

    init(_ text: String) { plain = Self.plain(text) }

    func stands(in text: String) -> Bool {
        plain.count < 3 && plain.allSatisfy(\.isASCII)
            ? Self.words(text).contains(plain) : !plain.isEmpty && Self.plain(text).contains(plain)
    }

    /// Letters, digits and ideographs alone, without marks and case.
    private static func plain(_ text: String) -> String {
        let folded = text.decomposedStringWithCompatibilityMapping.uppercased()
        return String(
            String.UnicodeScalarView(
                folded.unicodeScalars.filter {
                    !(0x300...0x36F).contains($0.value)
                        && ($0.properties.isAlphabetic || $0.properties.numericType != nil)
                }))
    }

    private static func words(_ text: String) -> [String] {
        text.split { !$0.isLetter && !$0.isNumber && $0 != "." }.map { plain(String($0)) }
    }
}

struct DayShift: DateMapping {
    var days: Int

    func mapped(_ day: CalendarDay) -> CalendarDay? { CalendarDay(number: day.number + days) }
}
