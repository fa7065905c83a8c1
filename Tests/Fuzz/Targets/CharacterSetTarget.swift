import DICOM

extension FuzzTarget {
    /// Every character set and combination of them.
    static let text = FuzzTarget("text", byteCountLimit: 2048) { _ in
        let values: [[UInt8]] = [
            Array("Wang^XiaoDong=".utf8) + [0xCD, 0xF5, 0x5E, 0xD0, 0xA1, 0x5C, 0x20],
            Array("Yamada^Tarou=".utf8) + [0x1B, 0x24, 0x42, 0x3B, 0x33, 0x45, 0x44, 0x1B, 0x28, 0x42, 0x5E],
            [0x1B, 0x24, 0x29, 0x43, 0xB1, 0xE8, 0x5E, 0xC8, 0xF1],
            [0x1B, 0x24, 0x29, 0x41, 0xCD, 0xF5, 0x3D, 0x0D, 0x0A, 0x41], [0xC4, 0x5C, 0x7E, 0x81, 0x30, 0x81, 0x30],
        ]
        return (0..<UInt8(terms.count)).flatMap { first in
            values.map { [first, first &+ 3, 0] + $0 }
        }
    } run: { input in
        var reader = InputReader(input)
        let first = reader.choice(terms)
        let second = reader.choice(terms)
        let kinds: [VR] = [.PN, .LO, .UT, .CS, .LT, .SH, .UC]
        let choice = reader.byte()
        let vr = kinds[Int(choice & 0x0F) % kinds.count]
        let names = choice & 0x10 == 0 ? [first] : choice & 0x20 == 0 ? [first, second] : ["", first, second]
        let set = CharacterSet(names)
        let text = set.decode(Array(reader.rest), vr: vr)
        // Text of ASCII and what the set has: what can be written is read again as it was.
        guard let written = set.encode(text, vr: vr) else { return }
        let again = set.decode(written, vr: vr)
        let isKept = again.unicodeScalars.elementsEqual(text.unicodeScalars)
        try require(isKept || !isRoundTripping(text, names), "text that was written is read otherwise")
        _ = CharacterSet([String(decoding: reader.rest, as: UTF8.self)]).decode(Array(reader.rest), vr: vr)
    }
}

/// Every term the standard has, and some that are met in the field.
private let terms = [
    "", "ISO_IR 100", "ISO_IR 101", "ISO_IR 109", "ISO_IR 110", "ISO_IR 126", "ISO_IR 127", "ISO_IR 138", "ISO_IR 144",
    "ISO_IR 148", "ISO_IR 203", "ISO_IR 13", "ISO_IR 166", "ISO_IR 192", "GB18030", "GBK", "ISO 2022 IR 6",
    "ISO 2022 IR 100", "ISO 2022 IR 101", "ISO 2022 IR 109", "ISO 2022 IR 110", "ISO 2022 IR 126", "ISO 2022 IR 127",
    "ISO 2022 IR 138", "ISO 2022 IR 144", "ISO 2022 IR 148", "ISO 2022 IR 203", "ISO 2022 IR 13", "ISO 2022 IR 166",
    "ISO 2022 IR 87", "ISO 2022 IR 159", "ISO 2022 IR 149", "ISO 2022 IR 58", "nonsense",
]

/// Whether text can be told from its bytes again.
private func isRoundTripping(_ text: String, _ names: [String]) -> Bool {
    !text.unicodeScalars.contains { $0 == "\u{FFFD}" || $0 == "\u{1B}" }
}
