import DICOM

/// Makes the bits of pixel words that hold no pixel say nothing: retired overlays lay there. PS3.5 §8.1.1.
struct NativeBits {
    let byteCount: Int
    private let lowBit: UInt32
    private let storedMask: UInt32
    private let signBit: UInt32
    private let padding: UInt32?

    /// Nil when every bit of a word is a pixel's, or words are not of 8, 16 or 32 bits.
    init?(_ header: Dataset) {
        guard let allocated = header.int(.bitsAllocated), let stored = header.int(.bitsStored),
            [8, 16, 32].contains(allocated), stored > 0, stored < allocated
        else { return nil }
        let high = min(max(header.int(.highBit) ?? stored - 1, stored - 1), allocated - 1)
        byteCount = allocated / 8
        lowBit = UInt32(high - stored + 1)
        storedMask = UInt32((UInt64(1) << UInt64(stored)) - 1) << lowBit
        let isSigned = header.int(.pixelRepresentation) == 1
        signBit = isSigned ? UInt32(1) << UInt32(high) : 0
        padding = header.int(.pixelPaddingValue).map {
            UInt32(truncatingIfNeeded: $0) & (allocated == 32 ? .max : (UInt32(1) << UInt32(allocated)) - 1)
        }
    }

    /// Cleans whole words in place. Returns how many changed.
    func clean(_ words: UnsafeMutableRawBufferPointer) -> Int {
        switch byteCount {
        case 1: clean(words, as: UInt8.self)
        case 2: clean(words, as: UInt16.self)
        default: clean(words, as: UInt32.self)
        }
    }

    private func clean<Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ words: UnsafeMutableRawBufferPointer, as type: Word.Type
    ) -> Int {
        let mask = Word(truncatingIfNeeded: storedMask)
        let sign = Word(truncatingIfNeeded: signBit)
        // Above the sign bit, its copies.
        let extended = sign == 0 ? 0 : ~(sign &- 1) & ~sign
        let padding = self.padding.map { Word(truncatingIfNeeded: $0) }
        var changedCount = 0
        words.withMemoryRebound(to: Word.self) { words in
            for index in words.indices {
                let word = words[index]
                var result = word & mask
                if word & sign != 0 { result |= extended }
                if result != word, word != padding {
                    words[index] = result
                    changedCount += 1
                }
            }
        }
        return changedCount
    }
}
