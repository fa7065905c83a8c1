import DICOM

/// Text that was written in another character set than its object says. PS3.3 §C.12.1.1.2.
enum MisreadText {
    /// What Latin-1 letters say when their bytes are read as GB 2312, which many devices write without saying so; nil where
    /// they are no pairs of such bytes, or where most of a text is in plain letters.
    static func chinese(_ text: String) -> String? {
        guard text.utf8.contains(where: { $0 >= 0x80 }) else { return nil }
        var bytes: [UInt8] = []
        for scalar in text.unicodeScalars {
            guard scalar.value <= 0xFF else { return nil }
            bytes.append(UInt8(scalar.value))
        }
        let runs = bytes.split { $0 < 0x80 }
        let highCount = runs.reduce(0) { $0 + $1.count }
        guard highCount >= 2,
            runs.allSatisfy({ run in run.count.isMultiple(of: 2) && run.allSatisfy { $0 >= 0xA1 } }),
            highCount >= bytes.count(where: { ($0 | 0x20) &- 0x61 < 26 })
        else { return nil }
        return CharacterSet(["GB18030"]).decode(bytes, vr: .LT)
    }

    /// What a text that was read as GB 18030 says when its bytes are Latin-1; nil where it has no other letters than plain ones.
    static func latin(_ text: String) -> String? {
        guard text.utf8.contains(where: { $0 >= 0x80 }),
            let bytes = CharacterSet(["GB18030"]).encode(text, vr: .LT)
        else { return nil }
        return String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
    }
}
