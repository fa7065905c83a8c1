/// A character set of at most 96 or 128 characters in the upper half of a byte. PS3.3 §C.12.1.1.2, table C.12-2.
struct SingleByteSet: Sendable {
    /// The registration number, as in `ISO_IR 100`.
    let number: Int
    /// What follows ESC 02/13 (or ESC 02/09 for ISO-IR 13) to designate it as G1.
    let escapeFinal: UInt8
    /// The character of each byte from 0x80; 0xFFFD where there is none.
    private let characters: [UInt16]
    private let bytes: [UInt16: UInt8]

    static let all: [Int: SingleByteSet] = {
        let sets: [(Int, String, Character)] = [
            (100, "ISO-8859-1", "A"), (101, "ISO-8859-2", "B"), (109, "ISO-8859-3", "C"), (110, "ISO-8859-4", "D"),
            (144, "ISO-8859-5", "L"), (127, "ISO-8859-6", "G"), (126, "ISO-8859-7", "F"), (138, "ISO-8859-8", "H"),
            (148, "ISO-8859-9", "M"), (203, "ISO-8859-15", "b"), (166, "TIS-620", "T"), (13, "", "I"),
        ]
        var result: [Int: SingleByteSet] = [:]
        for (number, encoding, final) in sets {
            result[number] = SingleByteSet(number, encoding: encoding, escapeFinal: final.asciiValue ?? 0)
        }
        return result
    }()

    private init(_ number: Int, encoding: String, escapeFinal: UInt8) {
        self.number = number
        self.escapeFinal = escapeFinal
        var characters = [UInt16](repeating: 0xFFFD, count: 128)
        var bytes: [UInt16: UInt8] = [:]
        for byte in UInt8(0x80)...0xFF {
            let scalar = number == 13 ? Self.katakana(byte) : Self.scalar(of: byte, in: encoding)
            guard let scalar, let character = UInt16(exactly: scalar), character != 0xFFFD else { continue }
            characters[Int(byte) - 0x80] = character
            bytes[character] = byte
        }
        self.characters = characters
        self.bytes = bytes
    }

    /// JIS X 0201: half-width katakana.
    private static func katakana(_ byte: UInt8) -> UInt32? {
        (0xA1...0xDF).contains(byte) ? 0xFF61 + UInt32(byte - 0xA1) : nil
    }

    private static func scalar(of byte: UInt8, in encoding: String) -> UInt32? {
        var output: [UInt8] = []
        withUnsafeBytes(of: byte) { Iconv.decode($0, from: encoding, to: &output) }
        let scalars = String(decoding: output, as: UTF8.self).unicodeScalars
        return scalars.count == 1 ? scalars.first?.value : nil
    }

    /// The character of a byte from 0x80.
    @inline(__always)
    func character(of byte: UInt8) -> UInt32 { UInt32(characters[Int(byte) - 0x80]) }

    func byte(of scalar: Unicode.Scalar) -> UInt8? { UInt16(exactly: scalar.value).flatMap { bytes[$0] } }

    func decode(_ input: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        for byte in input {
            if byte < 0x80 { output.append(byte) } else { UTF8Text.append(character(of: byte), to: &output) }
        }
    }
}
