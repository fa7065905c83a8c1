import DICOM

/// Whether a value is what its VR allows: what is not could be anything. PS3.5 §6.2.
enum ValueCheck {
    /// Every value of a string VR whose form is fixed.
    static func isAllowed(_ text: String, _ vr: VR) -> Bool {
        let bytes = Array(text.utf8)
        return switch vr {
        case .CS: bytes.count <= 16 && bytes.allSatisfy { isUpper($0) || isDigit($0) || $0 == 0x20 || $0 == 0x5F }
        case .DS: bytes.count <= 16 && isNumber(bytes)
        case .IS: bytes.count <= 12 && Int32(text) != nil
        case .AS: isAge(bytes)
        case .DA: day(bytes) != nil
        case .TM: isTime(bytes)
        case .DT: DateTime(bytes) != nil
        default: false
        }
    }

    /// Whether one value of VR DS or IS is a number.
    static func isAllowed(number bytes: ArraySlice<UInt8>, _ vr: VR) -> Bool {
        // Most are plain: digits, in DS with a point between them.
        var digits = bytes
        if let first = digits.first, first == 0x2B || first == 0x2D { digits.removeFirst() }
        let whole = digits.prefix(while: isDigit)
        let rest = digits.dropFirst(whole.count)
        if !whole.isEmpty {
            if vr == .IS, rest.isEmpty, whole.count <= 9 { return bytes.count <= 12 }
            let isPlain = rest.isEmpty || rest.count > 1 && rest.first == 0x2E && rest.dropFirst().allSatisfy(isDigit)
            if vr == .DS, isPlain { return bytes.count <= 16 }
        }
        return isAllowed(String(decoding: bytes, as: UTF8.self), vr)
    }

    static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
    private static func isUpper(_ byte: UInt8) -> Bool { byte &- 0x41 < 26 }

    private static func isNumber(_ bytes: [UInt8]) -> Bool {
        bytes.allSatisfy { isDigit($0) || "+-.eE".utf8.contains($0) }
            && Double(String(decoding: bytes, as: UTF8.self)) != nil
    }

    private static func isAge(_ bytes: [UInt8]) -> Bool {
        bytes.count == 4 && bytes[..<3].allSatisfy(isDigit) && "DWMY".utf8.contains(bytes[3])
    }

    /// A day as `20261121`, or as `2026.11.21` of ACR-NEMA.
    static func day(_ bytes: [UInt8]) -> CalendarDay? {
        var digits = bytes
        if bytes.count == 10, bytes[4] == 0x2E, bytes[7] == 0x2E { digits = bytes.filter { $0 != 0x2E } }
        guard digits.count == 8, digits.allSatisfy(isDigit) else { return nil }
        return CalendarDay(
            year: number(digits[0..<4]), month: number(digits[4..<6]), day: number(digits[6..<8]))
    }

    static func number(_ digits: ArraySlice<UInt8>) -> Int { digits.reduce(0) { $0 * 10 + Int($1 &- 0x30) } }

    /// `HHMMSS.FFFFFF`, cut anywhere between components, or with the colons of ACR-NEMA.
    static func isTime(_ bytes: [UInt8]) -> Bool {
        if bytes.count == 6, bytes.allSatisfy(isDigit) {
            return number(bytes[0..<2]) < 24 && number(bytes[2..<4]) <= 59 && number(bytes[4..<6]) <= 60
        }
        let plain = bytes.count > 2 && bytes[2] == 0x3A ? bytes.filter { $0 != 0x3A } : bytes
        let parts = plain.split(separator: 0x2E, maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, [2, 4, 6].contains(whole.count), whole.allSatisfy(isDigit) else { return false }
        let start = whole.startIndex
        guard number(whole[start..<start + 2]) < 24 else { return false }
        if whole.count >= 4, number(whole[start + 2..<start + 4]) > 59 { return false }
        if whole.count == 6, number(whole[start + 4..<start + 6]) > 60 { return false }
        guard parts.count == 2 else { return true }
        return whole.count == 6 && (1...6).contains(parts[1].count) && parts[1].allSatisfy(isDigit)
    }

    /// A value of VR DT: its day, where it has one, and the rest.
    struct DateTime {
        var day: CalendarDay?
        /// From the hour on, offset included.
        var rest: [UInt8]

        init?(_ bytes: [UInt8]) {
            var body = bytes[...]
            var zone: ArraySlice<UInt8> = []
            if let sign = bytes.lastIndex(where: { $0 == 0x2B || $0 == 0x2D }), sign >= 4 {
                zone = bytes[sign...]
                body = bytes[..<sign]
                guard ValueCheck.isZone(Array(zone)) else { return nil }
            }
            guard body.count >= 4, body.prefix(8).allSatisfy(ValueCheck.isDigit) else { return nil }
            switch body.count {
            case 4, 6:
                guard CalendarDay.years.contains(ValueCheck.number(body.prefix(4))),
                    body.count == 4 || (1...12).contains(ValueCheck.number(body[4..<6]))
                else { return nil }
                rest = Array(zone)
            default:
                guard body.count >= 8, let day = ValueCheck.day(Array(body.prefix(8))) else { return nil }
                let time = Array(body.dropFirst(8))
                guard time.isEmpty || ValueCheck.isTime(time) else { return nil }
                self.day = day
                rest = time + zone
            }
        }
    }

    /// `+0800`. PS3.5 §6.2, DT.
    static func isZone(_ bytes: [UInt8]) -> Bool {
        bytes.count == 5 && (bytes[0] == 0x2B || bytes[0] == 0x2D) && bytes[1...].allSatisfy(isDigit)
            && number(bytes[1..<3]) <= 14 && number(bytes[3..<5]) < 60
    }

    /// The characters a text VR has room for; nil when that is no matter.
    static func characterLimit(_ vr: VR) -> Int? {
        switch vr {
        case .AE, .SH, .CS: 16
        case .LO: 64
        case .ST: 1024
        case .LT: 10_240
        default: nil
        }
    }
}

extension CalendarDay {
    /// As VR DA writes it.
    var digits: [UInt8] {
        [year / 1000, year / 100, year / 10, year, month / 10, month, day / 10, day].map { 0x30 + UInt8($0 % 10) }
    }
}
