/// Unique identifiers, which are plain strings everywhere. PS3.5 §9.
public enum UIDs {
    /// The longest identifier. PS3.5 §9.1.
    public static let characterCountLimit = 64

    /// The root of what this project identifies for itself: a UUID, PS3.5 §B.2.
    public static let implementationClass = "2.25.201884471236893240186273412093872166721"

    /// Whether a string is an identifier: 1 to 64 digits and single dots. PS3.5 §9.1.
    ///
    /// Leading zeros in a component, forbidden but met in the field, are let through.
    public static func isValid(_ uid: some StringProtocol) -> Bool {
        var count = 0
        var previous = UInt8(ascii: ".")
        for byte in uid.utf8 {
            count += 1
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): break
            case UInt8(ascii: ".") where previous != byte: break
            default: return false
            }
            guard count <= characterCountLimit else { return false }
            previous = byte
        }
        return count > 0 && previous != UInt8(ascii: ".")
    }

    /// A new identifier under `2.25`, from 122 random bits. PS3.5 §B.2.
    public static func generate() -> String {
        var bits = UInt128.random(in: 0...UInt128.max)
        bits &= ~(UInt128(0xF) << 76)
        bits |= UInt128(0x4) << 76
        bits &= ~(UInt128(0x3) << 62)
        bits |= UInt128(0x2) << 62
        return "2.25.\(bits)"
    }
}
