import Keys

/// Names one transfer on both sides, by 16 random bytes: whoever does not know it cannot ask for it.
public struct TransferID: Hashable, Sendable, CustomStringConvertible {
    public static let byteCount = 16

    public let bytes: [UInt8]

    public init() throws(KeyError) { bytes = try randomBytes(count: Self.byteCount) }

    /// - Returns: nil unless there are 16 bytes.
    public init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }

    /// - Parameter text: 32 lower-case hexadecimal digits; nil for anything else.
    public init?(_ text: some StringProtocol) {
        guard text.utf8.count == 2 * Self.byteCount, text == text.lowercased(),
            let bytes = [UInt8](hexadecimal: String(text))
        else { return nil }
        self.bytes = bytes
    }

    /// 32 lower-case hexadecimal digits.
    public var description: String { bytes.hexadecimal }
}
