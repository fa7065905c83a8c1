import DICOM

/// A private attribute as it is named wherever its block lies: by who reserved the block, and its place in that. PS3.5
/// §7.8.1.
struct PrivatePlace: Hashable, Sendable {
    var group: UInt16
    /// Without padding.
    var creator: String
    /// The low byte of its element number.
    var element: UInt8
}

/// A private attribute that the operator has the catalogue keep.
public struct KeptAttribute: Hashable, Sendable {
    let place: PrivatePlace
    /// What it is read as where the object does not say.
    public let vr: VR
    /// Whose attribute it is: study, series or instance.
    public let level: QueryLevel

    /// Characters of a private creator, whose VR is LO. PS3.5 §6.2.
    static let creatorLength = 64
    /// Bytes of a value: what an explicit VR with a length of 16 bits can have. Longer ones are not kept.
    static let valueByteCountLimit = 0xFFFE

    private static let levels = ["study": QueryLevel.study, "series": .series, "instance": .instance]

    /// Whether there are values of it that can be compared: no sequences, bulk data and tags.
    static func isComparable(_ vr: VR) -> Bool {
        switch vr {
        case .AT, .OB, .OD, .OF, .OL, .OV, .OW, .SQ, .UN: false
        default: true
        }
    }

    /// Reads `LEVEL GGGGxxEE VR CREATOR`, the group and the low byte of the element number in hexadecimal digits.
    init(_ text: String) throws(PrivatePolicyFlaw) {
        let parts = text.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: true)
        guard parts.count == 4 else { throw .malformed(text) }
        guard let level = Self.levels[String(parts[0])] else { throw .unknownLevel(text) }
        let name = Array(parts[1].utf8)
        guard name.count == 8, name[4...5].allSatisfy({ $0 == UInt8(ascii: "x") || $0 == UInt8(ascii: "X") }),
            let tag = Tag(hex: name[..<4] + [UInt8(ascii: "1"), UInt8(ascii: "0")] + name[6...])
        else { throw .malformed(text) }
        // Below are no private groups, PS3.5 §7.8; behind pixel data no header is read.
        guard tag.isPrivate, (0x0009..<0x7FE0).contains(tag.group) else { throw .notPrivate(text) }
        let letters = Array(parts[2].utf8)
        guard letters.count == 2, let vr = VR(bytes: letters[0], letters[1]), Self.isComparable(vr) else {
            throw .unusableVR(text)
        }
        let creator = parts[3].trimmingSpaces
        guard !creator.isEmpty, creator.unicodeScalars.count <= Self.creatorLength,
            creator.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F })
        else { throw .malformed(text) }
        place = PrivatePlace(group: tag.group, creator: creator, element: UInt8(truncatingIfNeeded: tag.element))
        self.vr = vr
        self.level = level
    }

    /// An element's value under its own VR, or under that of the setting where the object names none.
    ///
    /// - Parameter characterSet: what text has that was not read as such.
    /// - Returns: nil for what is empty, too long, or no value of the VR.
    func value(of element: Element, _ characterSet: @autoclosure () -> CharacterSet) -> Element? {
        guard case .bytes(let bytes) = element.value else { return nil }
        var held = element
        if element.vr == .UN {
            guard let read = read(bytes, characterSet()) else { return nil }
            (held.vr, held.value) = (vr, .bytes(read))
        }
        guard Self.isComparable(held.vr), case .bytes(let value) = held.value, !value.isEmpty,
            value.count <= Self.valueByteCountLimit
        else { return nil }
        return held
    }

    /// The bytes of an unknown VR, little endian, as this one's. PS3.5 §6.2.2.
    private func read(_ bytes: [UInt8], _ characterSet: CharacterSet) -> [UInt8]? {
        guard vr.isString else { return bytes.count % vr.unitByteCount == 0 ? bytes : nil }
        return Array(characterSet.decode(bytes.withoutTrailingPadding, vr: vr).utf8)
    }
}

/// Why a list of private attributes is refused. It names the operator's own text.
public enum PrivatePolicyFlaw: Error, Equatable, CustomStringConvertible {
    case malformed(String)
    case unknownLevel(String)
    case notPrivate(String)
    case unusableVR(String)
    case twice(String)
    case tooMany(limit: Int)

    public var description: String {
        switch self {
        case .malformed(let text):
            "\"\(text)\" is not of the form LEVEL GGGGxxEE VR CREATOR, as \"series 0019xx0C IS SIEMENS MR HEADER\""
        case .unknownLevel(let text): "\"\(text)\" begins with no level: study, series or instance"
        case .notPrivate(let text): "\"\(text)\" is of no private group: odd, from 0009 to 7FDF"
        case .unusableVR(let text): "\"\(text)\" has a VR that is unknown, or none that can be searched: AT, O*, SQ, UN"
        case .twice(let text): "\"\(text)\" names an attribute that another entry names too"
        case .tooMany(let limit): "there are more than \(limit) entries"
        }
    }
}

extension Substring {
    var trimmingSpaces: String {
        var rest = drop { $0 == " " }
        while rest.last == " " { rest.removeLast() }
        return String(rest)
    }
}
