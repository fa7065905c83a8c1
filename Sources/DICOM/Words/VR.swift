/// A value representation: its raw value holds the two ASCII letters. PS3.5 §6.2.
public enum VR: UInt16, Sendable, CaseIterable {
    case AE = 0x4145
    case AS = 0x4153
    case AT = 0x4154
    case CS = 0x4353
    case DA = 0x4441
    case DS = 0x4453
    case DT = 0x4454
    case FD = 0x4644
    case FL = 0x464C
    case IS = 0x4953
    case LO = 0x4C4F
    case LT = 0x4C54
    case OB = 0x4F42
    case OD = 0x4F44
    case OF = 0x4F46
    case OL = 0x4F4C
    case OV = 0x4F56
    case OW = 0x4F57
    case PN = 0x504E
    case SH = 0x5348
    case SL = 0x534C
    case SQ = 0x5351
    case SS = 0x5353
    case ST = 0x5354
    case SV = 0x5356
    case TM = 0x544D
    case UC = 0x5543
    case UI = 0x5549
    case UL = 0x554C
    case UN = 0x554E
    case UR = 0x5552
    case US = 0x5553
    case UT = 0x5554
    case UV = 0x5556

    /// The value representation that two bytes of an explicit VR stream name.
    public init?(bytes first: UInt8, _ second: UInt8) {
        self.init(rawValue: UInt16(first) << 8 | UInt16(second))
    }

    /// Whether the explicit encoding has two reserved bytes and a length of 32 bits. PS3.5 §7.1.2.
    public var isLong: Bool {
        switch self {
        case .OB, .OD, .OF, .OL, .OV, .OW, .SQ, .SV, .UC, .UN, .UR, .UT, .UV: true
        default: false
        }
    }

    /// Whether (0008,0005) decides how the characters are encoded. PS3.5 §6.1.2.2.
    public var isText: Bool {
        switch self {
        case .SH, .LO, .ST, .LT, .UT, .UC, .PN: true
        default: false
        }
    }

    /// Whether the value is characters rather than numbers, bytes or items.
    public var isString: Bool {
        switch self {
        case .AE, .AS, .CS, .DA, .DS, .DT, .IS, .LO, .LT, .PN, .SH, .ST, .TM, .UC, .UI, .UR, .UT: true
        default: false
        }
    }

    /// Whether a backslash separates values. PS3.5 §6.4.
    public var hasSeveralValues: Bool {
        switch self {
        case .LT, .ST, .UT, .UR, .SQ, .OB, .OD, .OF, .OL, .OV, .OW, .UN: false
        default: true
        }
    }

    /// Bytes that swap places between the byte orders; 1 when none do. PS3.5 §7.3.
    public var unitByteCount: Int {
        switch self {
        case .US, .SS, .OW, .AT: 2
        case .UL, .SL, .FL, .OF, .OL: 4
        case .FD, .OD, .SV, .UV, .OV: 8
        default: 1
        }
    }

    /// What fills a value to even length. PS3.5 §6.2.
    var paddingByte: UInt8 { isString && self != .UI ? 0x20 : 0 }
}

extension VR: CustomStringConvertible {
    /// The two letters.
    public var description: String {
        String(decoding: [UInt8(rawValue >> 8), UInt8(rawValue & 0xFF)], as: UTF8.self)
    }
}
