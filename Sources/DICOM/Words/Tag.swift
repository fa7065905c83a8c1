/// The tag of an attribute. PS3.5 §7.1.1.
public struct Tag: Hashable, Comparable, Sendable {
    public let rawValue: UInt32

    public init(_ rawValue: UInt32) { self.rawValue = rawValue }

    public init(_ group: UInt16, _ element: UInt16) { rawValue = UInt32(group) << 16 | UInt32(element) }

    public var group: UInt16 { UInt16(truncatingIfNeeded: rawValue >> 16) }
    public var element: UInt16 { UInt16(truncatingIfNeeded: rawValue) }

    /// Whether the group is odd. PS3.5 §7.8.
    public var isPrivate: Bool { rawValue & 0x1_0000 != 0 }

    /// Whether this reserves a block of private elements. PS3.5 §7.8.1.
    public var isPrivateCreator: Bool { isPrivate && (0x0010...0x00FF).contains(element) }

    /// The element that reserves the block of a private one. PS3.5 §7.8.1.
    public var creator: Tag { Tag(group, element >> 8) }

    /// PS3.5 §7.2.
    public var isGroupLength: Bool { rawValue & 0xFFFF == 0 }

    public static func < (left: Tag, right: Tag) -> Bool { left.rawValue < right.rawValue }

    /// The attribute with a keyword of PS3.6, or a tag written as `0010,0020`, `(0010,0020)` or `00100020`.
    public static func named(_ name: String) -> Tag? {
        if let tag = Dictionary.tag(keyword: name) { return tag }
        var digits: UInt32 = 0
        var count = 0
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: ","): continue
            default:
                guard let digit = Hexadecimal.value(of: byte), count < 8 else { return nil }
                digits = digits << 4 | UInt32(digit)
                count += 1
            }
        }
        return count == 8 ? Tag(digits) : nil
    }

    /// A tag from exactly eight hexadecimal digits, in ASCII.
    public init?(hex digits: some Collection<UInt8>) {
        guard digits.count == 8 else { return nil }
        var value: UInt32 = 0
        for digit in digits {
            guard let digit = Hexadecimal.value(of: digit) else { return nil }
            value = value << 4 | UInt32(digit)
        }
        self.init(value)
    }

    /// Eight hexadecimal digits in capitals, as the JSON model names attributes. PS3.18 §F.2.2.
    public var hex: String {
        String(unsafeUninitializedCapacity: 8) { buffer in
            for index in 0..<8 {
                buffer[index] = Hexadecimal.digit(UInt8(truncatingIfNeeded: rawValue >> UInt32(28 - 4 * index)))
            }
            return 8
        }
    }
}

extension Tag: CustomStringConvertible {
    /// `(0010,0020)`.
    public var description: String {
        String(unsafeUninitializedCapacity: 11) { buffer in
            for (place, mark) in [(0, UInt8(ascii: "(")), (5, UInt8(ascii: ",")), (10, UInt8(ascii: ")"))] {
                buffer[place] = mark
            }
            for index in 0..<8 {
                buffer[index < 4 ? 1 + index : 2 + index] = Hexadecimal.digit(
                    UInt8(truncatingIfNeeded: rawValue >> UInt32(28 - 4 * index)))
            }
            return 11
        }
    }
}

/// Hexadecimal digits, without Foundation.
enum Hexadecimal {
    /// The digit for the low four bits, in capitals.
    static func digit(_ value: UInt8) -> UInt8 {
        let low = value & 15
        return low < 10 ? UInt8(ascii: "0") + low : UInt8(ascii: "A") - 10 + low
    }

    static func value(of byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
