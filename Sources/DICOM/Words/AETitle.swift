/// The title of an application entity. PS3.5 §6.2, VR AE; PS3.8 §9.3.2.
public struct AETitle: Hashable, Sendable, CustomStringConvertible {
    /// The most characters a title has.
    public static let characterCountLimit = 16

    public let description: String

    /// Takes 1 to 16 printable ASCII characters without a backslash, leading and trailing spaces aside.
    public init?(_ title: some StringProtocol) {
        var bytes = Array(title.utf8)[...]
        while bytes.last == 0x20 || bytes.last == 0 { bytes.removeLast() }
        while bytes.first == 0x20 { bytes.removeFirst() }
        guard (1...Self.characterCountLimit).contains(bytes.count),
            bytes.allSatisfy({ (0x20...0x7E).contains($0) && $0 != UInt8(ascii: "\\") })
        else { return nil }
        description = String(decoding: bytes, as: UTF8.self)
    }
}
