import DICOM
import Testing

@Suite struct CharacterSetTests {
    /// The examples of PS3.5 annexes H, I, J and K.
    @Test func readsTheExamplesOfTheStandard() {
        let japanese: [UInt8] =
            Array("Yamada^Tarou=".utf8) + [0x1B, 0x24, 0x42, 0x3B, 0x33, 0x45, 0x44, 0x1B, 0x28, 0x42, 0x5E]
            + [0x1B, 0x24, 0x42, 0x42, 0x40, 0x4F, 0x3A, 0x1B, 0x28, 0x42]
        #expect(CharacterSet(["", "ISO 2022 IR 87"]).decode(japanese, vr: .PN) == "Yamada^Tarou=山田^太郎")
        let korean: [UInt8] =
            Array("Hong^Gildong=".utf8) + [0x1B, 0x24, 0x29, 0x43, 0xFB, 0xF3, 0x5E, 0x1B, 0x24, 0x29, 0x43]
            + [0xD1, 0xCE, 0xD4, 0xD7]
        #expect(CharacterSet(["", "ISO 2022 IR 149"]).decode(korean, vr: .PN) == "Hong^Gildong=洪^吉洞")
        let chinese: [UInt8] =
            Array("Wang^XiaoDong=".utf8) + [0xCD, 0xF5, 0x5E, 0xD0, 0xA1, 0xB6, 0xAB]
        #expect(CharacterSet(["GB18030"]).decode(chinese, vr: .PN) == "Wang^XiaoDong=王^小东")
    }

    @Test func keepsABackslashThatIsHalfACharacter() {
        // 誠 is 0xD5 0x5C in GB18030.
        let decoded = CharacterSet(["GB18030"]).decode([0xD5, 0x5C, 0x5C, 0xCD, 0xF5], vr: .LO)
        #expect(decoded == "誠\\王")
    }

    @Test func readsFourByteCharacters() {
        let set = CharacterSet(["GB18030"])
        #expect(set.decode([0x95, 0x34, 0xB7, 0x34], vr: .LO).unicodeScalars.count == 1)
        #expect(set.encode("𠮷", vr: .LO).map { set.decode($0, vr: .LO) } == "𠮷")
    }

    @Test(
        arguments: [
            ("ISO_IR 100", [0xC4], "Ä"), ("ISO_IR 101", [0xA1], "Ą"), ("ISO_IR 109", [0xA1], "Ħ"),
            ("ISO_IR 110", [0xA1], "Ą"), ("ISO_IR 144", [0xBB], "Л"), ("ISO_IR 127", [0xC7], "ا"),
            ("ISO_IR 126", [0xC4], "Δ"), ("ISO_IR 138", [0xF9], "ש"), ("ISO_IR 148", [0xDD], "İ"),
            ("ISO_IR 203", [0xA4], "€"), ("ISO_IR 166", [0xA1], "ก"), ("ISO_IR 13", [0xD4], "ﾔ"),
            ("ISO_IR 192", [0xE7, 0x8E, 0x8B], "王"), ("GBK", [0xCD, 0xF5], "王"), ("ISO 2022 IR 100", [0xC4], "Ä"),
            ("ISO-IR 100", [0xC4], "Ä"), ("ISO_2022_IR_100", [0xC4], "Ä"), ("ISO_IR 58", [0xCD, 0xF5], "王"),
        ] as [(String, [UInt8], String)])
    func readsAndWritesEachSet(_ term: String, _ bytes: [UInt8], _ text: String) {
        let set = CharacterSet([term])
        #expect(set.decode(bytes, vr: .LO) == text)
        #expect(set.encode(text, vr: .LO).map { set.decode($0, vr: .LO) } == text)
    }

    @Test func guessesWhatIsNotDeclared() {
        let none = CharacterSet([])
        #expect(none.decode(Array("王".utf8), vr: .PN) == "王")
        #expect(none.decode([0xCD, 0xF5], vr: .PN) == "王")
        #expect(none.decode([0x41, 0xE9], vr: .PN) == "Aé")
        #expect(CharacterSet(["NONSENSE"]).decode([0xCD, 0xF5], vr: .PN) == "王")
    }

    @Test func replacesWhatIsNoCharacter() {
        #expect(CharacterSet.utf8.decode([0x41, 0xFF, 0x42], vr: .LO) == "A\u{FFFD}B")
        #expect(CharacterSet(["GB18030"]).decode([0x41, 0xFF, 0x42], vr: .LO) == "A\u{FFFD}B")
        #expect(CharacterSet(["GB18030"]).decode([0x41, 0xCD], vr: .LO) == "A\u{FFFD}")
        #expect(CharacterSet(["ISO_IR 126"]).decode([0xFF], vr: .LO) == "\u{FFFD}")
        #expect(CharacterSet(["", "ISO 2022 IR 87"]).decode([0x1B, 0x7A, 0x41], vr: .LO) == "\u{FFFD}zA")
    }

    @Test func trustsAnEscapeMoreThanAGuess() {
        // 卢 and 叶 in GB 2312 are a letter each in UTF-8 too.
        let bytes =
            Array("Lu^Ye=".utf8) + [0x1B, 0x24, 0x29, 0x41, 0xC2, 0xAC, 0x5E, 0x1B, 0x24, 0x29, 0x41, 0xD2, 0xB6]
        #expect(CharacterSet(["", "ISO 2022 IR 58"]).decode(bytes, vr: .PN) == "Lu^Ye=卢^叶")
    }

    @Test func forgetsDesignationsAtADelimiter() {
        // After the backslash the first set is in force again: Latin-1, not Cyrillic.
        let set = CharacterSet(["ISO 2022 IR 100", "ISO 2022 IR 144"])
        let bytes: [UInt8] = [0x1B, 0x2D, 0x4C, 0xBB, 0x5C, 0xC4]
        #expect(set.decode(bytes, vr: .LO) == "Л\\Ä")
        #expect(set.encode("Л\\Ä", vr: .LO) == bytes)
    }

    @Test(arguments: ["山田^太郎", "Yamada^Tarou=山田^太郎=やまだ^たろう", "丂\\山", "ﾔﾏﾀﾞ^ﾀﾛｳ=山田"])
    func writesEscapesThatItReadsBack(_ text: String) throws {
        let set = CharacterSet(["ISO 2022 IR 13", "ISO 2022 IR 87", "ISO 2022 IR 159"])
        let bytes = try #require(set.encode(text, vr: .PN))
        #expect(set.decode(bytes, vr: .PN) == text)
    }

    @Test func refusesToWriteWhatASetLacks() {
        #expect(CharacterSet(["ISO_IR 100"]).encode("王", vr: .LO) == nil)
        #expect(CharacterSet(["GBK"]).encode("𠮷", vr: .LO) == nil)
        #expect(CharacterSet([]).encode("é", vr: .LO) == nil)
        #expect(CharacterSet(["ISO_IR 100"]).encode("plain", vr: .LO) == Array("plain".utf8))
        #expect(CharacterSet.utf8.encode("王", vr: .CS) == nil)
    }

    @Test func servesSeveralThreadsAtOnce() async {
        let set = CharacterSet(["GB18030"])
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<16 {
                group.addTask {
                    (0..<200).allSatisfy { _ in set.decode([0xCD, 0xF5, 0x5E, 0xD5, 0x5C], vr: .PN) == "王^誠" }
                }
            }
            for await isRight in group { #expect(isRight) }
        }
    }

    @Test func staysWholeWhateverTheBytes() {
        var generator = SeededGenerator(seed: 7)
        let sets = [
            CharacterSet([]), CharacterSet.utf8, CharacterSet(["GB18030"]), CharacterSet(["ISO_IR 13"]),
            CharacterSet(["", "ISO 2022 IR 87", "ISO 2022 IR 159"]), CharacterSet(["", "ISO 2022 IR 149"]),
            CharacterSet(["ISO 2022 IR 100", "ISO 2022 IR 58", "ISO 2022 IR 166"]),
        ]
        let escapes: [UInt8] = [0x1B, 0x24, 0x28, 0x29, 0x42, 0x43]
        for _ in 0..<2000 {
            let count = Int.random(in: 0..<40, using: &generator)
            let bytes = (0..<count).map { _ in
                Bool.random(using: &generator)
                    ? UInt8.random(in: 0...255, using: &generator) : escapes.randomElement(using: &generator) ?? 0
            }
            for set in sets {
                let text = set.decode(bytes, vr: .PN)
                _ = set.encode(text, vr: .PN)
            }
        }
    }
}
