/// Text and numbers as JSON has them. RFC 8259.
enum JSONText {
    /// Appends text with escapes; what is not UTF-8 becomes U+FFFD.
    static func append(_ text: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        var start = 0
        var index = 0
        while index < text.count {
            let byte = text[index]
            if byte >= 0x20 && byte < 0x7F && byte != 0x22 && byte != 0x5C {
                index += 1
                continue
            }
            let count = UTF8Text.sequenceCount(text, at: index)
            if byte >= 0x80 && count > 0 {
                index += count
                continue
            }
            bytes += text[start..<index]
            if count == 0 { bytes += UTF8Text.replacement } else { appendEscape(byte, to: &bytes) }
            index += 1
            start = index
        }
        bytes += text[start...]
    }

    private static func appendEscape(_ byte: UInt8, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case 0x22, 0x5C: bytes.append(byte)
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0C: bytes.append(UInt8(ascii: "f"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        default:
            bytes += [UInt8(ascii: "u"), UInt8(ascii: "0"), UInt8(ascii: "0")]
            bytes.append(Hexadecimal.digit(byte >> 4))
            bytes.append(Hexadecimal.digit(byte))
        }
    }
}

enum JSONNumber {
    static func append(_ value: Int, to bytes: inout [UInt8]) {
        if value >= 0 && value < 10 { return bytes.append(UInt8(ascii: "0") + UInt8(value)) }
        var digits: (UInt64, UInt64, UInt64) = (0, 0, 0)
        withUnsafeMutableBytes(of: &digits) { buffer in
            var left = value.magnitude
            var start = buffer.count
            repeat {
                start -= 1
                buffer[start] = UInt8(ascii: "0") + UInt8(left % 10)
                left /= 10
            } while left > 0
            if value < 0 {
                start -= 1
                buffer[start] = UInt8(ascii: "-")
            }
            bytes += buffer[start...]
        }
    }

    /// Appends decimal text as a JSON number with the same digits; returns false, appending nothing, if it is none.
    ///
    /// DS and IS allow what JSON does not: a plus sign, leading zeros, nothing before or after the point. PS3.5 §6.2.
    static func append(_ text: UnsafeRawBufferPointer, to bytes: inout [UInt8]) -> Bool {
        let start = bytes.count
        var index = 0
        func peek() -> UInt8 { index < text.count ? text[index] : 0 }
        if peek() == UInt8(ascii: "+") {
            index += 1
        } else if peek() == UInt8(ascii: "-") {
            bytes.append(UInt8(ascii: "-"))
            index += 1
        }
        let whole = digits(text, &index)
        let significant = whole.drop { $0 == UInt8(ascii: "0") }
        if significant.isEmpty { bytes.append(UInt8(ascii: "0")) } else { bytes += significant }
        var fractionCount = 0
        if peek() == UInt8(ascii: ".") {
            index += 1
            let fraction = digits(text, &index)
            fractionCount = fraction.count
            if fractionCount > 0 {
                bytes.append(UInt8(ascii: "."))
                bytes += fraction
            }
        }
        var isNumber = whole.count + fractionCount > 0
        if isNumber, peek() | 0x20 == UInt8(ascii: "e") {
            bytes.append(UInt8(ascii: "e"))
            index += 1
            if peek() == UInt8(ascii: "-") || peek() == UInt8(ascii: "+") {
                bytes.append(peek())
                index += 1
            }
            let exponent = digits(text, &index)
            isNumber = !exponent.isEmpty
            bytes += exponent
        }
        if isNumber, index == text.count { return true }
        bytes.removeSubrange(start...)
        return false
    }

    private static func digits(_ text: UnsafeRawBufferPointer, _ index: inout Int) -> Slice<UnsafeRawBufferPointer> {
        let start = index
        while index < text.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[index]) { index += 1 }
        return text[start..<index]
    }
}

/// RFC 4648 §4.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func append(_ input: [UInt8], to bytes: inout [UInt8]) {
        var index = 0
        while index < input.count {
            let count = min(3, input.count - index)
            var word: UInt32 = 0
            for offset in 0..<3 { word = word << 8 | (offset < count ? UInt32(input[index + offset]) : 0) }
            for place in 0..<4 {
                let digit = alphabet[Int(word >> UInt32(18 - 6 * place)) & 63]
                bytes.append(place <= count ? digit : UInt8(ascii: "="))
            }
            index += 3
        }
    }

    /// The bytes of a text; nil for what is none. Spaces and line ends are passed over, missing padding is no fault.
    static func decode(_ text: [UInt8]) -> [UInt8]? {
        var result: [UInt8] = []
        result.reserveCapacity(text.count / 4 * 3)
        var word: UInt32 = 0
        var count = 0
        var isPadded = false
        for byte in text {
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit = byte - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): digit = byte - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0") + 52
            case UInt8(ascii: "+"): digit = 62
            case UInt8(ascii: "/"): digit = 63
            case UInt8(ascii: "="):
                isPadded = true
                continue
            case 0x20, 0x09, 0x0A, 0x0D: continue
            default: return nil
            }
            if isPadded { return nil }
            word = word << 6 | UInt32(digit)
            count += 1
            guard count == 4 else { continue }
            for shift in [16, 8, 0] as [UInt32] { result.append(UInt8(truncatingIfNeeded: word >> shift)) }
            word = 0
            count = 0
        }
        switch count {
        case 0: return result
        case 2: return result + [UInt8(truncatingIfNeeded: word >> 4)]
        case 3: return result + [UInt8(truncatingIfNeeded: word >> 10), UInt8(truncatingIfNeeded: word >> 2)]
        default: return nil
        }
    }
}
