import DICOM

/// Makes the bits of pixel words that hold no pixel say nothing: retired overlays lay there. PS3.5 §8.1.1.
struct NativeBits {
    let byteCount: Int
    private let storedMask: UInt32
    private let signBit: UInt32
    private let signCopies: UInt32
    private let padding: UInt32?
    /// In eight bytes of words, the bits that must be zero, and those that must be as the one above them.
    private let zeros: UInt64
    private let copies: UInt64
    /// The same of words that stand for no pixel, or that are clean, and of the highest bits alone.
    private let paddings: UInt64
    private let highest: UInt64

    /// Nil when every bit of a word is a pixel's, or words are not of 8, 16 or 32 bits.
    init?(_ header: Dataset) {
        guard let allocated = header.int(.bitsAllocated), let stored = header.int(.bitsStored),
            [8, 16, 32].contains(allocated), stored > 0, stored < allocated
        else { return nil }
        let high = min(max(header.int(.highBit) ?? stored - 1, stored - 1), allocated - 1)
        byteCount = allocated / 8
        storedMask = UInt32((UInt64(1) << UInt64(stored)) - 1) << UInt32(high - stored + 1)
        let isSigned = header.int(.pixelRepresentation) == 1
        signBit = isSigned ? UInt32(1) << UInt32(high) : 0
        let whole: UInt32 = allocated == 32 ? .max : (UInt32(1) << UInt32(allocated)) - 1
        padding = header.int(.pixelPaddingValue).map { UInt32(truncatingIfNeeded: $0) & whole }
        // Signed words go on above their sign with copies of it.
        let above = isSigned ? whole & ~(signBit - 1) : 0
        signCopies = above & ~signBit
        zeros = Self.repeated(whole & ~storedMask & ~above, allocated)
        copies = Self.repeated(above & whole >> 1, allocated)
        paddings = Self.repeated(padding ?? 0, allocated)
        highest = Self.repeated(whole & ~(whole >> 1), allocated)
    }

    private static func repeated(_ word: UInt32, _ bitCount: Int) -> UInt64 {
        stride(from: 0, to: 64, by: bitCount).reduce(0) { $0 | UInt64(word) << UInt64($1) }
    }

    /// Whether these are whole words and none of them needs cleaning.
    func areWholeAndClean(_ words: UnsafeRawBufferPointer) -> Bool {
        guard words.count % byteCount == 0 else { return false }
        var start = 0
        while start < words.count {
            // So many are looked at before they are judged; most images hold no padding.
            let end = min(start + Self.blockByteCount, words.count)
            let block = UnsafeRawBufferPointer(rebasing: words[start..<end])
            guard isClean(block, lookingForPadding: false) || isClean(block, lookingForPadding: true) else {
                return false
            }
            start = end
        }
        return true
    }

    private static let blockByteCount = 4096

    private func isClean(_ words: UnsafeRawBufferPointer, lookingForPadding: Bool) -> Bool {
        typealias Piece = SIMD8<UInt64>
        let zeros = Piece(repeating: zeros)
        let copies = Piece(repeating: copies)
        var surplus = Piece(repeating: 0)
        var index = 0
        while index + MemoryLayout<Piece>.size <= words.count {
            let piece = words.loadUnaligned(fromByteOffset: index, as: Piece.self)
            let more = piece & zeros | (piece ^ piece &>> 1) & copies
            if lookingForPadding {
                // In a word that differs the highest bit is set, and then all of them are.
                let below = Piece(repeating: ~highest)
                let difference = piece ^ Piece(repeating: paddings)
                let marks = ((difference & below) &+ below | difference) & Piece(repeating: highest)
                surplus |= more & (marks | (marks &- marks &>> UInt64(8 * byteCount - 1)))
            } else {
                surplus |= more
            }
            index += MemoryLayout<Piece>.size
        }
        guard surplus == Piece(repeating: 0) else { return false }
        return stride(from: index, to: words.count, by: byteCount).allSatisfy {
            self.surplus(ofWordAt: $0, in: words) == 0
        }
    }

    /// Cleans whole words in place. Returns how many changed.
    func clean(_ words: UnsafeMutableRawBufferPointer) -> Int {
        let source = UnsafeRawBufferPointer(words)
        var changedCount = 0
        var start = 0
        while start < words.count {
            let end = min(start + 8, words.count)
            if end - start == 8 {
                let piece = source.loadUnaligned(fromByteOffset: start, as: UInt64.self)
                if piece & zeros | (piece ^ piece >> 1) & copies == 0 {
                    start = end
                    continue
                }
            }
            for index in stride(from: start, to: end, by: byteCount) {
                let surplus = surplus(ofWordAt: index, in: source)
                if surplus == 0 { continue }
                changedCount += 1
                for place in 0..<byteCount {
                    words[index + place] ^= UInt8(truncatingIfNeeded: surplus >> UInt32(8 * place))
                }
            }
            start = end
        }
        return changedCount
    }

    /// The bits of a word that are not as they should be; none where it stands for no pixel.
    @inline(__always)
    private func surplus(ofWordAt index: Int, in words: UnsafeRawBufferPointer) -> UInt32 {
        let word =
            switch byteCount {
            case 1: UInt32(words[index])
            case 2: UInt32(words.loadUnaligned(fromByteOffset: index, as: UInt16.self))
            default: words.loadUnaligned(fromByteOffset: index, as: UInt32.self)
            }
        return word == padding ? 0 : (word & storedMask | (word & signBit == 0 ? 0 : signCopies)) ^ word
    }
}
