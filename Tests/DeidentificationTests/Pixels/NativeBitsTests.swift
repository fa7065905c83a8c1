import DICOM
import Testing

@testable import Deidentification

/// Bits of words that hold no pixel, looked at in many words at once, against one word after the other.
struct NativeBitsTests {
    /// The same numbers in every run.
    private struct Numbers: RandomNumberGenerator {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15

        mutating func next() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }
    }

    /// A word as it is to be.
    private static func cleaned(_ word: Int, stored: Int, high: Int, allocated: Int, isSigned: Bool) -> Int {
        let low = high - stored + 1
        var result = word & (((1 << stored) - 1) << low)
        if isSigned, word >> high & 1 == 1 { result |= ((1 << allocated) - 1) & ~((1 << (high + 1)) - 1) }
        return result
    }

    @Test(arguments: [
        (8, 7, 6), (8, 5, 7), (16, 12, 11), (16, 12, 15), (16, 10, 12), (16, 1, 0), (32, 24, 23), (32, 31, 31),
    ])
    func areCleanedAsOneWordAfterTheOther(allocated: Int, stored: Int, high: Int) throws {
        var numbers = Numbers()
        for isSigned in [false, true] {
            for padding in [nil, 0, (1 << allocated) - 2] {
                var header = FrameCleanerTests.image(allocated: allocated, stored: stored, isSigned: isSigned)
                header.set(.highBit, .US, ints: [high])
                if let padding { header.set(.pixelPaddingValue, .UL, ints: [padding]) }
                let bits = try #require(NativeBits(header))
                for count in [0, 1, 3, 33, 700, 5000] {
                    // Of one in so many, the bits around the pixel say something.
                    for rarity in [1, 2, 1000, 100_000] {
                        let words = (0..<count).map { _ in
                            let word = Int(truncatingIfNeeded: numbers.next()) & ((1 << allocated) - 1)
                            if let padding, numbers.next() % 3 == 0 { return padding }
                            return numbers.next() % UInt64(rarity) == 0
                                ? word
                                : Self.cleaned(
                                    word, stored: stored, high: high, allocated: allocated, isSigned: isSigned)
                        }
                        let expected = words.map {
                            $0 == padding
                                ? $0
                                : Self.cleaned($0, stored: stored, high: high, allocated: allocated, isSigned: isSigned)
                        }
                        var bytes = Self.bytes(words, allocated)
                        #expect(bytes.withUnsafeBytes(bits.areWholeAndClean) == (words == expected))
                        let changed = bytes.withUnsafeMutableBytes(bits.clean)
                        #expect(bytes == Self.bytes(expected, allocated))
                        #expect(changed == zip(words, expected).count { $0 != $1 })
                        #expect(bytes.withUnsafeBytes(bits.areWholeAndClean))
                    }
                }
                if allocated > 8 {
                    #expect([UInt8](repeating: 0, count: 65).withUnsafeBytes(bits.areWholeAndClean) == false)
                }
            }
        }
    }

    private static func bytes(_ words: [Int], _ allocated: Int) -> [UInt8] {
        words.flatMap { word in (0..<allocated / 8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
    }
}
