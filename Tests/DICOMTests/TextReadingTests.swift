import Testing

@testable import DICOM

/// Text that is read in pieces is what it is when it is read at once.
@Suite struct TextReadingTests {
    private static let values: [[UInt8]] = [
        Array("Plain^Text=with\\two values\r\nand lines".utf8),
        Array("Zhang^San=张^三 und Müller 𠮷".utf8),
        [0xCD, 0xF5, 0x5E, 0xD0, 0xA1, 0xB6, 0xAB, 0x5C, 0xD5, 0x5C, 0x95, 0x34, 0xB7, 0x34, 0x20],
        Array("Yamada^Tarou=".utf8) + [0x1B, 0x24, 0x42, 0x3B, 0x33, 0x45, 0x44, 0x1B, 0x28, 0x42, 0x5E]
            + [0x1B, 0x24, 0x28, 0x44, 0x30, 0x21, 0x30, 0x22, 0x1B, 0x28, 0x42, 0x0D, 0x0A, 0x41],
        [0x1B, 0x24, 0x29, 0x43, 0xFB, 0xF3, 0x5E, 0x1B, 0x24, 0x29, 0x43, 0xD1, 0xCE, 0xD4, 0xD7, 0x1B, 0x28],
        [0x1B, 0x24, 0x29, 0x41, 0xCD, 0xF5, 0x0D, 0x0A, 0x1B, 0x24, 0x29, 0x41, 0xD0, 0xA1, 0xB6],
        [0x1B, 0x2D, 0x41, 0xC4, 0xE4, 0x1B, 0x2D, 0x4C, 0xBB, 0x5C, 0xC4, 0x1B, 0x58, 0xE4, 0x1B],
        [0xD4, 0xCF, 0xC0, 0xDE, 0x5E, 0x1B, 0x29, 0x49, 0xC0],
        [0xE7, 0x8E, 0x8B, 0xE7, 0x8E, 0x41, 0xFF, 0xF0, 0x9F, 0x92, 0x80, 0x80, 0xC3], [0x81, 0x30, 0x81], [0xC4], [],
    ]

    private static func read(_ bytes: [UInt8], _ set: CharacterSet, vr: VR, pieceByteCount: Int) -> [UInt8] {
        func forEachPiece(_ body: (UnsafeRawBufferPointer) -> Void) {
            bytes.withUnsafeBytes { bytes in
                for start in stride(from: 0, to: bytes.count, by: pieceByteCount) {
                    body(UnsafeRawBufferPointer(rebasing: bytes[start..<min(bytes.count, start + pieceByteCount)]))
                }
            }
        }
        var survey = TextSurvey()
        forEachPiece { survey.feed($0) }
        var decoder = TextDecoder(survey.reading(in: set, vr: vr), vr: vr)
        var output: [UInt8] = []
        forEachPiece { decoder.decode($0, to: &output) }
        decoder.finish(to: &output)
        return output
    }

    private static func check(_ bytes: [UInt8], _ terms: [String], _ vr: VR) -> Bool {
        let set = CharacterSet(terms)
        let whole = bytes.withUnsafeBytes { set.utf8($0, vr: vr) }
        return [1, 2, 3, 5, 64].allSatisfy { read(bytes, set, vr: vr, pieceByteCount: $0) == whole }
    }

    private static let terms: [[String]] =
        [[]] + CharacterSet.supportedTerms.map { [$0] }
        + ["58", "87", "100", "149", "159", "13"].flatMap { number in
            [["", "ISO 2022 IR \(number)"], ["ISO 2022 IR 100", "ISO 2022 IR \(number)"]]
        } + [["ISO 2022 IR 13", "ISO 2022 IR 87", "ISO 2022 IR 159"], ["ISO 2022 IR 87", "ISO 2022 IR 159"]]

    @Test(arguments: terms)
    func readsTheSameInPieces(_ terms: [String]) {
        for (index, value) in Self.values.enumerated() {
            for vr in [VR.PN, .LT] { #expect(Self.check(value, terms, vr), "value \(index), \(vr)") }
        }
    }

    /// Escape sequences, halves of characters and noise in any order.
    @Test func readsDamagedTextTheSameInPieces() {
        var generator = SeededGenerator(seed: 7)
        for round in 0..<1000 {
            let terms = Self.terms[round % Self.terms.count]
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let value = Self.values[Int.random(in: 0..<Self.values.count, using: &generator)]
                bytes += value.prefix(Int.random(in: 0...value.count, using: &generator))
                if Bool.random(using: &generator) { bytes.append(UInt8.random(in: 0...255, using: &generator)) }
            }
            #expect(Self.check(bytes, terms, round % 2 == 0 ? .PN : .UT), "round \(round)")
        }
    }
}
