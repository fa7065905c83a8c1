/// A place at which an object named its patient, with a value that stands nowhere else.
public struct PlantedSite: Sendable {
    public let name: String
    /// The value's bytes; of Chinese text in each character set that has it.
    let values: [[UInt8]]

    /// Whether the value stands in some bytes in any form it could hide in: as it is, reversed, in UTF-16, hexadecimal
    /// and base64, and in the four highest bits of words, where overlays were kept (PS3.5 §8.1.2, retired).
    func isFound(in bytes: Haystack) -> Bool {
        values.contains { value in
            Self.forms(value).contains { bytes.contains($0) }
                || bytes.highBits.contains { $0.firstRange(of: value) != nil }
        }
    }

    private static func forms(_ value: [UInt8]) -> [[UInt8]] {
        let digits = value.flatMap { byte -> [UInt8] in
            let text = String(byte, radix: 16)
            return Array((text.count == 1 ? "0" + text : text).utf8)
        }
        let capitals = digits.map { $0 >= 0x61 ? $0 - 0x20 : $0 }
        return [
            value, value.reversed(), value.flatMap { [$0, 0] }, value.flatMap { [0, $0] }, digits, capitals,
        ] + (0..<3).map { base64(value, phase: $0) }
    }

    /// What of a value's base64 does not depend on what stands beside it.
    private static func base64(_ value: [UInt8], phase: Int) -> [UInt8] {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        let bits = ([UInt8](repeating: 0, count: phase) + value).flatMap { byte in
            (0..<8).map { byte >> UInt8(7 - $0) & 1 }
        }
        return ((phase * 8 + 5) / 6..<bits.count / 6).map { index in
            alphabet[bits[index * 6..<index * 6 + 6].reduce(0) { $0 << 1 | Int($1) }]
        }
    }

    /// Bytes that are searched often.
    struct Haystack {
        let bytes: [UInt8]
        /// The highest four bits of its words put together, for each way in which words and bytes may lie.
        let highBits: [[UInt8]]

        init(_ bytes: [UInt8]) {
            self.bytes = bytes
            highBits = (0..<4).map { way in
                let nibbles = stride(from: way & 1, to: bytes.count, by: 2).map { bytes[$0] >> 4 }.dropFirst(way >> 1)
                return Array(nibbles).withUnsafeBufferPointer { found in
                    stride(from: 1, to: found.count, by: 2).map { found[$0 - 1] << 4 | found[$0] }
                }
            }
        }

        func contains(_ pattern: [UInt8]) -> Bool { bytes.firstRange(of: pattern) != nil }
    }
}
