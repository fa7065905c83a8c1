/// Reads text that changes its character sets by escape sequences, in pieces of any size. ISO 2022; PS3.5 §6.1.2.5.
///
/// The same comes out as of all pieces at once, but where no set says what a run of bytes means: that is guessed for each
/// `guessedByteCount` of it. Used by one thread.
struct ExtensionDecoder {
    /// Bytes of a run that are guessed at together.
    private static let guessedByteCount = 64 << 10

    private let extensions: CodeExtensions
    private let vr: VR
    private var lower: CodeExtensions.Lower
    private var upper: CodeExtensions.Upper?
    /// The beginning of an escape sequence that was cut.
    private var carry: [UInt8] = []
    private var run = Run.none

    /// Bytes that belong together.
    private enum Run {
        case none
        /// In the upper half, by the set in use.
        case single(SingleByteSet)
        case upper(Iconv.Stream?)
        case unknown([UInt8])
        /// Two-byte characters in the lower half; whether the next byte is a first one.
        case lower(Iconv.Stream?, isFirst: Bool)
    }

    /// - Parameter upper: what the upper half means at first.
    init(_ extensions: CodeExtensions, upper: CodeExtensions.Upper?, vr: VR) {
        self.extensions = extensions
        self.vr = vr
        self.upper = upper
        lower = extensions.initialLower
    }

    mutating func decode(_ bytes: UnsafeRawBufferPointer, isLast: Bool, to output: inout [UInt8]) {
        if carry.isEmpty { return read(bytes, isLast: isLast, to: &output) }
        let joined = carry + bytes
        carry = []
        joined.withUnsafeBytes { read($0, isLast: isLast, to: &output) }
    }

    private mutating func read(_ input: UnsafeRawBufferPointer, isLast: Bool, to output: inout [UInt8]) {
        var index = 0
        while index < input.count {
            let byte = input[index]
            if byte == 0x1B {
                endRun(to: &output)
                if !isLast, input.count - index < 4 {
                    carry = Array(input[index...])
                    return
                }
                index += designate(input, at: index, output: &output)
            } else if byte >= 0x80 {
                var end = index + 1
                while end < input.count, input[end] >= 0x80 { end += 1 }
                readUpper(UnsafeRawBufferPointer(rebasing: input[index..<end]), to: &output)
                index = end
            } else if lower.isTwoByte, byte > 0x20, byte < 0x7F {
                var end = index + 1
                while end < input.count, input[end] > 0x20, input[end] < 0x7F { end += 1 }
                readLower(UnsafeRawBufferPointer(rebasing: input[index..<end]), to: &output)
                index = end
            } else {
                endRun(to: &output)
                output.append(byte)
                index += 1
                if CodeExtensions.isDelimiter(byte, vr: vr) {
                    lower = extensions.initialLower
                    upper = extensions.initialUpper ?? upper
                }
            }
        }
        if isLast { endRun(to: &output) }
    }

    // MARK: Runs

    private mutating func readUpper(_ bytes: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        switch run {
        case .none, .lower:
            endRun(to: &output)
            switch upper ?? extensions.uppers.first {
            case .single(let number): run = SingleByteSet.all[number].map { .single($0) } ?? .none
            case .korean: run = .upper(Iconv.Stream(from: "EUC-KR"))
            case .chinese: run = .upper(Iconv.Stream(from: "GB18030"))
            case nil: run = .unknown([])
            }
        case .single, .upper, .unknown: break
        }
        switch run {
        case .single(let set): set.decode(bytes, to: &output)
        case .upper(let stream): _ = stream?.convert(bytes, output: &output, isLenient: true)
        case .unknown(var gathered):
            run = .none
            gathered += bytes
            while gathered.count >= Self.guessedByteCount {
                gathered[..<Self.guessedByteCount].withUnsafeBytes { output += CharacterSet.guessed($0) }
                gathered.removeFirst(Self.guessedByteCount)
            }
            run = .unknown(gathered)
        case .none, .lower: break
        }
    }

    private mutating func readLower(_ bytes: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        switch run {
        case .lower: break
        case .none, .single, .upper, .unknown:
            endRun(to: &output)
            run = .lower(Iconv.Stream(from: "EUC-JP"), isFirst: true)
        }
        guard case .lower(let stream, var isFirst) = run else { return }
        var raised: [UInt8] = []
        raised.reserveCapacity(bytes.count * 3 / 2 + 1)
        for byte in bytes {
            if lower == .supplementaryKanji, isFirst { raised.append(0x8F) }
            raised.append(byte | 0x80)
            isFirst.toggle()
        }
        _ = raised.withUnsafeBytes { stream?.convert($0, output: &output, isLenient: true) }
        run = .lower(stream, isFirst: isFirst)
    }

    private mutating func endRun(to output: inout [UInt8]) {
        switch run {
        case .none, .single: break
        case .upper(let stream), .lower(let stream, _): _ = stream?.finish(output: &output, isLenient: true)
        case .unknown(let gathered):
            if !gathered.isEmpty { gathered.withUnsafeBytes { output += CharacterSet.guessed($0) } }
        }
        run = .none
    }

    // MARK: Escape sequences

    /// Follows an escape sequence; returns its bytes. An unknown one is read as one unreadable character.
    private mutating func designate(
        _ input: UnsafeRawBufferPointer, at index: Int, output: inout [UInt8]
    ) -> Int {
        func byte(_ offset: Int) -> UInt8 { index + offset < input.count ? input[index + offset] : 0 }
        switch (byte(1), byte(2), byte(3)) {
        case (0x28, 0x42, _): lower = .ascii
        case (0x28, 0x4A, _): lower = .romaji
        case (0x29, 0x49, _): upper = .single(13)
        case (0x24, 0x42, _), (0x24, 0x40, _): lower = .kanji
        case (0x24, 0x28, 0x44):
            lower = .supplementaryKanji
            return 4
        case (0x24, 0x29, 0x43):
            upper = .korean
            return 4
        case (0x24, 0x29, 0x41):
            upper = .chinese
            return 4
        case (0x2D, let final, _):
            guard let set = SingleByteSet.all.values.first(where: { $0.escapeFinal == final && $0.number != 13 })
            else { fallthrough }
            upper = .single(set.number)
        default:
            output += UTF8Text.replacement
            return 1
        }
        return 3
    }
}
