import DICOM
import Testing

/// Text as senders write it: read as a person reads it, and written back in its own set byte for byte.
@Suite struct CharacterSetExampleTests {
    struct Example: Sendable, CustomTestStringConvertible {
        let name: String
        let terms: [String]
        let vr: VR
        let bytes: [UInt8]
        let text: String

        init(_ name: String, _ terms: [String], _ vr: VR, _ bytes: [UInt8], _ text: String) {
            self.name = name
            self.terms = terms
            self.vr = vr
            self.bytes = bytes
            self.text = text
        }

        var testDescription: String { name }
    }

    /// ASCII text in which `␛` stands for ESC.
    private static func escaped(_ text: String) -> [UInt8] {
        text.unicodeScalars.map { $0 == "␛" ? 0x1B : UInt8(truncatingIfNeeded: $0.value) }
    }

    private static func latin(_ text: String) -> [UInt8] { escaped(text) }

    private static let standard = [
        Example(
            "PS3.5 §H.3.1, example 1", ["", "ISO 2022 IR 87"], .PN,
            escaped("Yamada^Tarou=␛$B;3ED␛(B^␛$BB@O:␛(B=␛$B$d$^$@␛(B^␛$B$?$m$&␛(B"),
            "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        Example(
            "PS3.5 §H.3.2, example 2", ["ISO 2022 IR 13", "ISO 2022 IR 87"], .PN,
            [0xD4, 0xCF, 0xC0, 0xDE, 0x5E, 0xC0, 0xDB, 0xB3, 0x3D]
                + escaped("␛$B;3ED␛(J^␛$BB@O:␛(J=␛$B$d$^$@␛(J^␛$B$?$m$&␛(J"),
            "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう"),
        Example(
            "PS3.5 §I.2, a name", ["", "ISO 2022 IR 149"], .PN,
            escaped(
                "Hong^Gildong=␛$)C\u{FB}\u{F3}^␛$)C\u{D1}\u{CE}\u{D4}\u{D7}=␛$)C\u{C8}\u{AB}^␛$)C\u{B1}\u{E6}\u{B5}\u{BF}"
            ),
            "Hong^Gildong=洪^吉洞=홍^길동"),
        Example(
            "PS3.5 §I.3, a long text", ["", "ISO 2022 IR 149"], .LT,
            escaped(
                "The 1st line includes ␛$)C\u{B1}\u{E6}\u{B5}\u{BF}.\r\nThe 2nd line includes ␛$)C\u{B1}\u{E6}\u{B5}\u{BF}, too.\r\nThe 3rd line."
            ),
            "The 1st line includes 길동.\r\nThe 2nd line includes 길동, too.\r\nThe 3rd line."),
        Example(
            "PS3.5 §J.1, UTF-8", ["ISO_IR 192"], .PN,
            Array("Wang^XiaoDong=".utf8) + [0xE7, 0x8E, 0x8B, 0x5E, 0xE5, 0xB0, 0x8F, 0xE6, 0x9D, 0xB1],
            "Wang^XiaoDong=王^小東"),
        Example(
            "PS3.5 §J.3, GB18030", ["GB18030"], .PN,
            Array("Wang^XiaoDong=".utf8) + [0xCD, 0xF5, 0x5E, 0xD0, 0xA1, 0xB6, 0xAB], "Wang^XiaoDong=王^小东"),
        Example(
            "PS3.5 §K.2, a name", ["", "ISO 2022 IR 58"], .PN,
            escaped("Zhang^XiaoDong=␛$)A\u{D5}\u{C5}^␛$)A\u{D0}\u{A1}\u{B6}\u{AB}"), "Zhang^XiaoDong=张^小东"),
        Example(
            "PS3.5 §K.3, a long text", ["", "ISO 2022 IR 58"], .LT,
            escaped(
                "1. The first line includes ␛$)A\u{D6}\u{D0}\u{CE}\u{C4}.\r\n2. ␛$)A\u{D6}\u{D0}\u{CE}\u{C4}, too.\r\n3. No."
            ),
            "1. The first line includes 中文.\r\n2. 中文, too.\r\n3. No."),
    ]

    private static let field = [
        Example(
            "Arabic", ["ISO_IR 127"], .PN, latin("\u{E2}\u{C8}\u{C7}\u{E6}\u{EA}^\u{E4}\u{E6}\u{D2}\u{C7}\u{D1}"),
            "قباني^لنزار"),
        Example("French", ["ISO_IR 100"], .PN, latin("Buc^J\u{E9}r\u{F4}me"), "Buc^Jérôme"),
        Example("German", ["ISO_IR 100"], .PN, latin("\u{C4}neas^R\u{FC}diger"), "Äneas^Rüdiger"),
        Example(
            "Greek", ["ISO_IR 126"], .PN, latin("\u{C4}\u{E9}\u{EF}\u{ED}\u{F5}\u{F3}\u{E9}\u{EF}\u{F2}"), "Διονυσιος"),
        Example(
            "Hebrew", ["ISO_IR 138"], .PN, latin("\u{F9}\u{F8}\u{E5}\u{EF}^\u{E3}\u{E1}\u{E5}\u{F8}\u{E4}"),
            "שרון^דבורה"),
        Example("Russian", ["ISO_IR 144"], .PN, latin("\u{BB}\u{EE}\u{DA}ce\u{DC}\u{D1}yp\u{D3}"), "Люкceмбypг"),
        Example("Polish", ["ISO_IR 101"], .PN, latin("Wa\u{B3}\u{EA}sa^\u{A3}ucja"), "Wałęsa^Łucja"),
        Example("Maltese", ["ISO_IR 109"], .PN, latin("\u{A1}a\u{B1}aj^\u{D5}or\u{F5}"), "Ħaħaj^Ġorġ"),
        Example("Latvian", ["ISO_IR 110"], .PN, latin("B\u{BA}rzi\u{F1}\u{B9}^J\u{E0}nis"), "Bērziņš^Jānis"),
        Example("Turkish", ["ISO_IR 148"], .PN, latin("\u{DE}ahin^\u{DD}brahim"), "Şahin^İbrahim"),
        Example("Latin 9", ["ISO_IR 203"], .LO, latin("5 \u{A4}, c\u{BD}ur"), "5 €, cœur"),
        Example(
            "Thai", ["ISO_IR 166"], .PN, latin("\u{CA}\u{C1}\u{AA}\u{D2}\u{C2}^\u{E3}\u{A8}\u{B4}\u{D5}"), "สมชาย^ใจดี"),
        Example(
            "half-width katakana", ["ISO_IR 13"], .PN, latin("\u{D4}\u{CF}\u{C0}\u{DE}^\u{C0}\u{DB}\u{B3}"), "ﾔﾏﾀﾞ^ﾀﾛｳ"),
        Example("GBK", ["GBK"], .PN, latin("Li^Na=\u{C0}\u{EE}^\u{C4}\u{C8}"), "Li^Na=李^娜"),
        Example("GBK beyond GB 2312", ["GBK"], .PN, latin("Tao^Zhe=\u{CC}\u{D5}^\u{86}\u{B4}"), "Tao^Zhe=陶^喆"),
        Example("GB18030, four bytes", ["GB18030"], .PN, latin("Ji^Ye=\u{95}4\u{B2}5^\u{81}9\u{EE}9"), "Ji^Ye=𠮷^㐀"),
        Example(
            "GB18030, a backslash inside and one between", ["GB18030"], .LO,
            latin("\u{D5}\\\u{B0}\u{B2}\\\u{CD}\u{F5}"),
            "誠安\\王"),
        Example("GB18030, a caret inside a character", ["GB18030"], .PN, latin("\u{85}^\u{CD}\u{F5}^\u{85}^"), "區王^區"),
        Example("UTF-8 beyond the first plane", ["ISO_IR 192"], .LO, Array("腹部增强 CT 𠮷".utf8), "腹部增强 CT 𠮷"),
        Example(
            "supplementary kanji", ["", "ISO 2022 IR 87", "ISO 2022 IR 159"], .LO, escaped("␛$(D0!␛(B\\␛$B;3␛(B"),
            "丂\\山"),
        Example(
            "Latin, Cyrillic and Greek in one value", ["ISO 2022 IR 100", "ISO 2022 IR 144", "ISO 2022 IR 126"], .PN,
            latin("\u{C4}neas^␛-L\u{BB}\u{EE}^␛-F\u{C4}\u{E9}=\u{C4}"), "Äneas^Лю^Δι=Ä"),
        Example(
            "several values, each from the first set on", ["ISO 2022 IR 6", "ISO 2022 IR 87"], .PN,
            escaped("␛$B$d$^$@␛(B^␛$B$?$m$&␛(B\\␛$B;3ED␛(B"), "やまだ^たろう\\山田"),
        Example(
            "Latin beside kanji", ["ISO 2022 IR 100", "ISO 2022 IR 87"], .LO, latin("caf\u{E9} ␛$B;3␛(B \u{E9}"),
            "café 山 é"),
        Example(
            "Korean with a space", ["", "ISO 2022 IR 149"], .LO,
            escaped("␛$)C\u{B1}\u{E8} \u{C8}\u{F1}\\␛$)C\u{C1}\u{DF}"),
            "김 희\\중"),
        Example(
            "Thai by code extension", ["ISO 2022 IR 6", "ISO 2022 IR 166"], .PN, latin("A^␛-T\u{CA}\u{C1}"), "A^สม"),
        Example(
            "Arabic and Hebrew by code extension", ["ISO 2022 IR 127", "ISO 2022 IR 138"], .LO,
            latin("\u{E2}\u{C8} ␛-H\u{F9}\u{F8}"), "قب שר"),
    ]

    @Test(arguments: standard + field)
    func readsAndWritesEachInItsOwnSet(_ example: Example) throws {
        let set = CharacterSet(example.terms)
        #expect(set.decode(example.bytes, vr: example.vr) == example.text)
        #expect(set.encode(example.text, vr: example.vr) == example.bytes)
    }

    /// Written by senders that do not keep all rules; read all the same.
    @Test(arguments: [
        Example(
            "back to ASCII at the end, though in G1", ["", "ISO 2022 IR 149"], .PN, escaped("␛$)C\u{B1}\u{E8}␛(B"), "김"),
        Example(
            "no escape after the delimiter", ["", "ISO 2022 IR 149"], .PN, escaped("␛$)C\u{FB}\u{F3}^\u{D1}\u{CE}"),
            "洪^吉"),
        Example("no escape at all", ["", "ISO 2022 IR 58"], .PN, escaped("\u{D5}\u{C5}^\u{C8}\u{FD}"), "张^三"),
        Example(
            "ASCII asked for where romaji was", ["ISO 2022 IR 13", "ISO 2022 IR 87"], .PN, escaped("␛$B;3␛(B^\u{C0}"),
            "山^ﾀ"),
        Example("JIS C 6226 of 1978", ["", "ISO 2022 IR 87"], .PN, escaped("␛$@;3␛(B"), "山"),
        Example("a term with a hyphen", ["", "ISO-2022-IR-87"], .PN, escaped("␛$B;3␛(B"), "山"),
        Example("GBK without a declaration", [], .PN, latin("\u{D5}\u{C5}^\u{CE}\u{B0}"), "张^伟"),
        Example("GBK declared as Latin 1 stays what it says", ["ISO_IR 100"], .PN, latin("\u{D5}\u{C5}"), "ÕÅ"),
        Example("UTF-8 declared as ISO 2022", ["", "ISO 2022 IR 58"], .PN, Array("张^三".utf8), "张^三"),
        Example("a set that was not declared", ["", "ISO 2022 IR 87"], .PN, escaped("␛$)A\u{D5}\u{C5}"), "张"),
        Example("GB2312 as a term", ["GB2312"], .PN, latin("\u{D5}\u{C5}"), "张"),
    ])
    func readsWhatBreaksARule(_ example: Example) throws {
        let set = CharacterSet(example.terms)
        #expect(set.decode(example.bytes, vr: example.vr) == example.text)
        if let written = set.encode(example.text, vr: example.vr) {
            #expect(set.decode(written, vr: example.vr) == example.text)
        }
    }

    /// Real samples go out in their own set as they came in.
    @Test(
        .enabled(if: RealImages.folder != nil, "no real images: set HUIZHEN_IMAGES or put them in ../shared/images"),
        arguments: [
            "chrArab", "chrFren", "chrFrenMulti", "chrGerm", "chrGreek", "chrH31", "chrH32", "chrHbrw", "chrI2",
            "chrJapMulti", "chrJapMultiExplicitIR6", "chrKoreanMulti", "chrRuss", "chrSQEncoding", "chrSQEncoding1",
            "chrX1",
            "chrX2", "gb18030_4byte", "gb18030_name_gbk_ext", "gb18030_trail5c_backslash", "gbk_bytes_no_charset",
            "gbk_term",
            "iso2022_ir58", "utf8_zh_emoji_plane2",
        ])
    func sendsRealSamplesInTheirOwnSet(_ name: String) throws {
        let folder = name.hasPrefix("chr") ? "pip-pydicom-3.0.2/charset_files" : "synthetic/charset"
        let header = try #require(try RealImages.scan("\(folder)/\(name).dcm")).header
        let terms = header.strings(.specificCharacterSet)
        let set = CharacterSet(terms)
        let sent = header.encoded(transferSyntax: .explicitVRLittleEndian, characterSet: set)
        let back = try Dataset.parse(sent, transferSyntax: .explicitVRLittleEndian)
        #expect(Self.texts(back) == Self.texts(header))
        // Only what its set lacks goes out in UTF-8 instead.
        let lacks = ["gbk_bytes_no_charset"].contains(name)
        let declared = back.strings(.specificCharacterSet)
        #expect(declared == (lacks ? ["ISO_IR 192"] : set.definedTerms))
    }

    private static func texts(_ dataset: Dataset) -> [String] {
        dataset.elements.flatMap { element -> [String] in
            if case .items(let items) = element.value { return items.flatMap { texts($0) } }
            return element.vr.isText ? ["\(element.tag) \(dataset.strings(element.tag))"] : []
        }
    }
}
