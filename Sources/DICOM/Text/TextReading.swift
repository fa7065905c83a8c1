/// How one value is read, once nothing is left open.
enum TextReading: Sendable {
    case utf8
    /// Every byte is the character of its number.
    case latin
    case singleByte(SingleByteSet)
    case multiByte(String)
    case extensions(CodeExtensions, upper: CodeExtensions.Upper?)
}

/// What must be known of all bytes of a value before one is read, gathered from pieces of any size. Holds some bytes.
struct TextSurvey {
    private var isPlain = true
    private var hasEscape = false
    private var hasHigh = false
    private var isEastAsian = true
    private var isUTF8 = true
    private var designatesUpper = false
    /// The beginning of a UTF-8 character that was cut.
    private var cut: [UInt8] = []
    /// The last bytes, in which an escape sequence may have begun.
    private var tail: [UInt8] = []
    private let chinese = Iconv.Stream(from: "GB18030")
    private var isChinese = true

    mutating func feed(_ bytes: UnsafeRawBufferPointer) {
        if isPlain, UTF8Text.isPlain(bytes) { return note(tailOf: bytes) }
        isPlain = false
        hasEscape = hasEscape || bytes.contains(0x1B)
        hasHigh = hasHigh || bytes.contains { $0 >= 0x80 }
        let joined = tail + bytes
        designatesUpper = designatesUpper || joined.withUnsafeBytes { CodeExtensions.designatesUpper($0) }
        note(tailOf: bytes)
        surveyUTF8(bytes)
        var output: [UInt8] = []
        isChinese = isChinese && chinese?.convert(bytes, output: &output, isLenient: false) == true
    }

    private mutating func note(tailOf bytes: UnsafeRawBufferPointer) {
        tail = Array((tail + bytes.suffix(2)).suffix(2))
    }

    private mutating func surveyUTF8(_ bytes: UnsafeRawBufferPointer) {
        guard isUTF8 else { return }
        let joined = cut + bytes
        joined.withUnsafeBytes { joined in
            let whole = UTF8Text.wholeCount(joined)
            cut = Array(joined[whole...])
            let part = UnsafeRawBufferPointer(rebasing: joined[..<whole])
            isUTF8 = UTF8Text.isValid(part)
            isEastAsian = isEastAsian && isUTF8 && UTF8Text.isEastAsian(part)
        }
    }

    /// How the value is read in a set; the survey is over.
    func reading(in set: CharacterSet, vr: VR) -> TextReading {
        if isPlain || !vr.isText { return .utf8 }
        switch set.coding {
        case .undeclared: return guess
        case .utf8: return .utf8
        case .singleByte(let set): return .singleByte(set)
        case .multiByte(let encoding, _): return .multiByte(encoding)
        case .codeExtensions(let extensions):
            let start = extensions.start(
                hasEscape: hasEscape, designatesUpper: designatesUpper, isEastAsian: isEastAsian && cut.isEmpty,
                isUTF8: isUTF8 && cut.isEmpty, hasHigh: hasHigh)
            if case .upper(let upper) = start { return .extensions(extensions, upper: upper) }
            return guess
        }
    }

    /// As `CharacterSet.guessed` does.
    private var guess: TextReading {
        if isUTF8, cut.isEmpty { return .utf8 }
        var output: [UInt8] = []
        return isChinese && chinese?.finish(output: &output, isLenient: false) == true ? .multiByte("GB18030") : .latin
    }
}

/// Makes UTF-8 of a value that comes in pieces of any size. Holds a few bytes; used by one thread.
struct TextDecoder {
    private enum Work {
        /// The beginning of a character that was cut.
        case utf8([UInt8])
        case latin
        case singleByte(SingleByteSet)
        case multiByte(Iconv.Stream?)
        case extensions(ExtensionDecoder)
    }

    private var work: Work

    init(_ reading: TextReading, vr: VR) {
        switch reading {
        case .utf8: work = .utf8([])
        case .latin: work = .latin
        case .singleByte(let set): work = .singleByte(set)
        case .multiByte(let encoding): work = .multiByte(Iconv.Stream(from: encoding))
        case .extensions(let extensions, let upper):
            work = .extensions(ExtensionDecoder(extensions, upper: upper, vr: vr))
        }
    }

    mutating func decode(_ bytes: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        switch work {
        case .utf8(let cut):
            let joined = cut + bytes
            joined.withUnsafeBytes { joined in
                let whole = UTF8Text.wholeCount(joined)
                output += UTF8Text.repaired(UnsafeRawBufferPointer(rebasing: joined[..<whole]))
                work = .utf8(Array(joined[whole...]))
            }
        case .latin: for byte in bytes { UTF8Text.append(UInt32(byte), to: &output) }
        case .singleByte(let set): set.decode(bytes, to: &output)
        case .multiByte(let stream): _ = stream?.convert(bytes, output: &output, isLenient: true)
        case .extensions(var decoder):
            work = .latin
            decoder.decode(bytes, isLast: false, to: &output)
            work = .extensions(decoder)
        }
    }

    /// What was cut at the value's end.
    mutating func finish(to output: inout [UInt8]) {
        switch work {
        case .utf8(let cut): cut.withUnsafeBytes { output += UTF8Text.repaired($0) }
        case .latin, .singleByte: break
        case .multiByte(let stream): _ = stream?.finish(output: &output, isLenient: true)
        case .extensions(var decoder):
            decoder.decode(UnsafeRawBufferPointer(start: nil, count: 0), isLast: true, to: &output)
        }
    }
}

extension UTF8Text {
    /// Bytes up to where a character was begun and not ended. No character, and no part of one that is repaired as
    /// one, lies on both sides.
    static func wholeCount(_ bytes: UnsafeRawBufferPointer) -> Int {
        var index = bytes.count
        while index > 0, index > bytes.count - 3 {
            index -= 1
            if bytes[index] >= 0xC0 { return sequenceCount(bytes, at: index) == 0 ? index : bytes.count }
            if bytes[index] < 0x80 { return bytes.count }
        }
        return bytes.count
    }
}
