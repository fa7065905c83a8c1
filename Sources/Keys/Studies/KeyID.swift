/// Names a study key: 16 random bytes that say nothing about the study.
public struct KeyID: Hashable, Sendable {
    /// How many bytes an identifier has.
    public static let byteCount = 16

    @usableFromInline let high: UInt64
    @usableFromInline let low: UInt64

    /// Reads an identifier that was written by `append(to:)` or `bytes`.
    ///
    /// - Returns: nil unless there are exactly 16 bytes.
    @inlinable public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        var words: (UInt64, UInt64) = (0, 0)
        var index = 0
        for byte in bytes {
            if index < 8 { words.0 = words.0 << 8 | UInt64(byte) } else { words.1 = words.1 << 8 | UInt64(byte) }
            index += 1
        }
        (high, low) = words
    }

    /// Makes an identifier that was never made before.
    ///
    /// - Throws: `.cryptography` when the system has no randomness.
    public static func random() throws(KeyError) -> KeyID {
        let bytes = try randomBytes(count: byteCount)
        guard let id = KeyID(bytes: bytes) else { throw .cryptography(operation: "random identifier") }
        return id
    }

    /// The 16 bytes.
    public var bytes: [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(Self.byteCount)
        for word in [high, low] {
            for shift in stride(from: 56, through: 0, by: -8) {
                result.append(UInt8(truncatingIfNeeded: word >> shift))
            }
        }
        return result
    }

    /// Writes the 16 bytes at the start of `buffer`.
    public func write(to buffer: UnsafeMutableRawPointer) {
        buffer.storeBytes(of: high.bigEndian, as: UInt64.self)
        buffer.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
    }
}

extension KeyID: Codable {
    /// Reads 32 hexadecimal digits.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let bytes = [UInt8](hexadecimal: try container.decode(String.self)), let id = KeyID(bytes: bytes) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "no key identifier")
        }
        self = id
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(hexadecimal)
    }

    /// 32 digits.
    public var hexadecimal: String {
        bytes.hexadecimal
    }
}
