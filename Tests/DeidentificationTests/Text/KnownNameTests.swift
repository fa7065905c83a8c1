import Deidentification
import Testing

/// What the object itself says of its people is found in every way it is written.
struct KnownNameTests {
    /// Values of VR PN, and what is written for them.
    static let forms: [(name: String, forms: [String])] = [
        (
            "Zhang^Wei=张^伟",
            [
                "张伟", "张 伟", "張偉", "張 偉", "张·伟", "张^伟", "张-伟", "张.伟", "张\n伟", "张　伟", "伟张", "zhangwei", "Zhang Wei",
                "ZHANG^WEI", "ZHANG WEI",
                "Zhāng Wěi", "zhāngwěi", "zhang1 wei3", "zhang1wei3", "Wei Zhang", "wei-zhang", "WEIZHANG", "Ｚｈａｎｇ　Ｗｅｉ",
                "Zhang, Wei", "Zhang=Wei",
                "Z.W.", "zhang.wei", "Zhang_Wei", "Zhang\tWei", "Zha\u{200B}ng Wei", "张\u{200B}伟", "Zhang W",
                "W. Zhang",
            ]
        ),
        (
            "LI^XIAOMING=李^晓明",
            [
                "李晓明", "李曉明", "晓明", "曉明", "李 晓 明", "Li Xiaoming", "Li Xiao Ming", "Li Xiao-Ming", "Xiaoming Li",
                "XIAO MING LI", "LiXiaoMing",
                "Li XM", "LI X.M.", "X.M. Li", "LXM", "L.X.M.", "XML", "Lǐ Xiǎomíng", "li3 xiao3 ming2", "xiaoming",
            ]
        ),
        (
            "Ouyang^Nana=歐陽^娜娜",
            ["欧阳娜娜", "歐陽娜娜", "欧阳 娜娜", "娜娜", "Ouyang Nana", "Nana Ouyang", "ou yang na na", "OYNN", "O.N.N."]
        ),
        ("Lü^Na", ["Lü Na", "LV NA", "lyu na", "lv3 na4", "Na Lü", "lǚ nà", "吕娜", "呂娜", "吕 娜"]),
        (
            "Yamada^Tarou=山田^太郎=やまだ^たろう",
            ["やまだたろう", "ヤマダ　タロウ", "ﾔﾏﾀﾞ ﾀﾛｳ", "たろう", "タロウ", "やまだ", "山田太郎", "Tarou Yamada"]
        ),
        ("=单^雄信", ["单雄信", "單雄信", "Shan Xiongxin", "Dan Xiongxin", "xiongxin shan"]),
        ("=曾国强", ["曾国强", "曾國強", "Zeng Guoqiang", "国强", "Guoqiang Zeng"]),
        ("Zhang Jianguo", ["Zhang Jianguo", "Jianguo Zhang", "张建国", "張建國", "章建国", "Zhang JG"]),
        (
            "Smith^John^Quincy",
            [
                "John Smith", "Smith, John", "SMITH^JOHN", "John Q. Smith", "J. Q. Smith", "J.Q.S.", "Smith JQ",
                "Smith J", "J Smith",
                "johnsmith", "Quincy", "Smith", "JOHN QUINCY SMITH",
            ]
        ),
        (
            "O'Brien-Müller^Séan",
            [
                "O'Brien-Muller", "OBRIEN MULLER SEAN", "Séan O’Brien-Müller",
                "Sean O'Brien Mueller".replacing("ue", with: "u"),
            ]
        ),
        (
            "Yamada^Tarou=山田^太郎=やまだ^たろう",
            ["山田太郎", "山田 太郎", "やまだ たろう", "ヤマダタロウ", "ﾔﾏﾀﾞ ﾀﾛｳ", "Yamada Tarou", "TAROU YAMADA"]
        ),
        ("Hong^Gildong=洪^吉洞=홍^길동", ["홍길동", "홍 길동", "洪吉洞", "Gildong Hong"]),
        ("Иванов^Иван", ["Иванов Иван", "иван иванов", "ИВАНОВ"]),
    ]

    @Test(arguments: forms)
    func findsEveryFormOfAName(name: String, forms: [String]) {
        var known = KnownIdentities()
        known.insert(name: name)
        let cleaner = TextCleaner(known: known, dates: nil)
        for form in forms {
            for (before, after) in [("", ""), ("CT of ", " shows"), ("患者", "于昨日"), ("（", "），"), ("见\n", "\n肺")] {
                let text = before + form + after
                let cleaned = cleaner.clean(text)
                #expect(!cleaned.findings.isEmpty, "\(form) of \(name)")
                #expect(!Planted(form).stands(in: cleaned.text), "\(form) of \(name) in \(cleaned.text)")
                #expect(cleaner.clean(cleaned.text).text == cleaned.text)
            }
        }
    }

    @Test(arguments: [
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", ["CTヤマダタロウ", "MRたろう", "ヤマダPA", "たろうCT", "xやまだy"]),
        ("Hong^Gildong=洪^吉洞=홍^길동", ["CT홍길동", "홍길동MR"]),
        ("Sato^Yuki==さとう^ユキ", ["ユキ", "（ユキ）", " ユキ", "・ユキ・", "ゆき。"]),
        ("Sato^Suzu==さとう^すゞ", ["すゞ", "（スヾ）"]),
    ])
    func findsKanaAndHangulBesideLettersAndMarks(name: String, texts: [String]) {
        var known = KnownIdentities()
        known.insert(name: name)
        let cleaner = TextCleaner(known: known, dates: nil)
        for text in texts {
            let form = text.filter { !$0.isASCII && $0.isLetter }
            let cleaned = cleaner.clean(text)
            #expect(!cleaned.findings.isEmpty, "\(text) of \(name)")
            #expect(!Planted(form).stands(in: cleaned.text), "\(text) of \(name) in \(cleaned.text)")
        }
        // Part of another word it is none.
        #expect(TextCleaner(known: known, dates: nil).clean("アユキア").text == "アユキア")
    }

    @Test func findsIdentifiersAndContactsHoweverTheyAreParted() {
        var known = KnownIdentities()
        known.insert(identifier: "PID0012345")
        known.insert(identifier: "ACC-2026-7788")
        known.insert(contact: "13912345678")
        known.insert(contact: "北京市海淀区学院路37号")
        known.insert(institution: "某某市第一人民医院")
        let cleaner = TextCleaner(known: known, dates: nil)
        for form in [
            "PID0012345", "pid0012345", "PID-001-2345", "0012345", "12345", "ＰＩＤ００１２３４５", "ACC20267788",
            "acc 2026 7788", "13912345678",
            "139-1234-5678", "学院路37号", "北京市海淀区学院路37号", "某某市第一人民医院",
        ] {
            let cleaned = cleaner.clean("检查：\(form)，肺部")
            #expect(!Planted(form).stands(in: cleaned.text), "\(form) in \(cleaned.text)")
            #expect(cleaned.text.hasSuffix("，肺部"))
        }
    }

    @Test func leavesAShortIdentifierWhereItIsAMeasure() {
        var known = KnownIdentities()
        known.insert(identifier: "120")
        let cleaner = TextCleaner(known: known, dates: nil)
        #expect(cleaner.clean("kV: 120 kV, 120.5 mm").text == "kV: 120 kV, 120.5 mm")
        #expect(cleaner.clean("ID 120, see").text == "ID [ID], see")
    }

    @Test func takesTheDayOfBirthOutWhereOtherDatesAreShifted() {
        var known = KnownIdentities()
        known.birthDate = CalendarDay(year: 1953, month: 3, day: 8)
        let cleaner = TextCleaner(known: known, dates: DayShift(days: -10))
        #expect(
            cleaner.clean("生于1953年3月8日，1953-03-08，08/03/1953，530308；2026-11-21复查").text
                == "生于〔日期〕，〔日期〕，〔日期〕，〔日期〕；2026-11-11复查")
    }

    @Test func leavesTheWordsOfMedicineToPeopleWhoAreCalledSo() {
        var known = KnownIdentities()
        known.insert(name: "White^Young")
        known.insert(name: "Long^Peter")
        let cleaner = TextCleaner(known: known, dates: nil)
        #expect(
            cleaner.clean("White matter of a young man. Long head of biceps.").text
                == "White matter of a young man. Long head of biceps.")
        #expect(
            cleaner.clean("Seen by Young White today; she told White so.").text
                == "Seen by [NAME] today; she told [NAME] so.")
    }

    @Test func findsASurnameThatStandsAlone() {
        var known = KnownIdentities()
        for name in ["Hoshimi^Aoi=星見^葵", "Wang^Fang=王^芳", "Ouyang^Hua=欧阳^华"] { known.insert(name: name) }
        let cleaner = TextCleaner(known: known, dates: nil)
        let lines = String(repeating: "\r\n", count: 400)
        for text in ["星見", "胸部 星見 复查", "欧阳，男", "王", " 王 ", "芳", "「葵」", "芳" + lines, "*" + lines + "王"] {
            let cleaned = cleaner.clean(text).text
            for part in ["星見", "欧阳", "王", "芳", "葵"] { #expect(!cleaned.contains(part), "\(text): \(cleaned)") }
        }
        // One ideograph amid others is a word like any.
        for text in ["芳香烃接触史", "王冠状钙化", "头颅平扫"] { #expect(cleaner.clean(text).text == text) }
    }

    @Test func takesPlaceholdersForNobodysName() {
        var known = KnownIdentities()
        for name in ["ANONYMOUS", "Unknown", "匿名", "TEST", "患者", "Dr.", "^^^"] { known.insert(name: name) }
        let cleaner = TextCleaner(known: known, dates: nil)
        let text = "Unknown primary. Test of the patient. 患者情况良好。"
        #expect(cleaner.clean(text).text == text)
    }

    @Test func takesTextsOutWholeWhereAnObjectNamesTooMany() {
        var known = KnownIdentities()
        for number in 0..<KnownIdentities.valueLimit { known.insert(identifier: "number-\(number)") }
        #expect(TextCleaner(known: known, dates: nil).clean("Normal lungs.").text == "Normal lungs.")
        known.insert(identifier: "number-0")
        #expect(TextCleaner(known: known, dates: nil).clean("Normal lungs.").text == "Normal lungs.")
        known.insert(identifier: "one more 1")
        let cleaned = TextCleaner(known: known, dates: nil).clean("Normal lungs.")
        #expect(cleaned == CleanedText(text: "[TEXT]", findings: [TextFinding(rule: .overlong, count: 1)]))
    }

    @Test func takesTextsOutWholeWhereAValueIsTooLong() {
        var known = KnownIdentities()
        known.insert(name: String(repeating: "a", count: KnownIdentities.characterLimit))
        #expect(TextCleaner(known: known, dates: nil).clean("肺部").text == "肺部")
        known.insert(name: String(repeating: "a", count: KnownIdentities.characterLimit + 1))
        #expect(TextCleaner(known: known, dates: nil).clean("肺部").text == "〔文本〕")
    }

    @Test func findsSurnamesThatAreWordsBehindTitlesInCapitals() {
        var known = KnownIdentities()
        for name in ["White^Young", "Lee^Ann", "Long^Peter"] { known.insert(name: name) }
        let cleaner = TextCleaner(known: known, dates: nil)
        for text in [
            "MR WHITE PRESENTS WITH COUGH.", "SEEN WITH DR LONG TODAY", "DISCUSSED WITH DR. LEE AT NOON",
            "MRS LEE TOLERATED THE PROCEDURE", "MS. LEE IS 50", "PT WHITE RETURNED", "PATIENT: LEE", "PROF LONG AGREES",
            "DICTATED BY WHITE", "DR A LEE", "DR P. LONG",
        ] {
            let cleaned = cleaner.clean(text).text
            for name in ["WHITE", "LEE", "LONG"] { #expect(!cleaned.contains(name), "\(text): \(cleaned)") }
        }
        for text in ["WHITE MATTER DISEASE. LONG HEAD OF BICEPS.", "MR OF THE BRAIN, LONG AXIS", "YOUNG PATIENT"] {
            #expect(cleaner.clean(text).text == text)
        }
    }

    @Test func findsNamesBesideTitlesInCapitals() {
        let cleaner = TextCleaner(known: KnownIdentities(), dates: nil)
        for text in [
            "DICTATED BY: JANE SMITHSON, MD", "DICTATED BY JANE SMITHSON MD", "ELECTRONICALLY SIGNED BY JANE SMITHSON",
            "REFERRED BY DR. SMITHSON", "CC: DR. SMITHSON", "READ BY DR JANE SMITHSON.", "ATTENDING: SMITHSON",
            "REPORTED BY: SMITHSON", "JANE SMITHSON, M.D.", "TRANSCRIBED BY: JANE SMITHSON",
        ] {
            let cleaned = cleaner.clean(text).text
            #expect(!cleaned.contains("SMITHSON"), "\(text): \(cleaned)")
        }
    }

    @Test func findsNamesAsAttributesHaveThem() {
        let cleaner = TextCleaner(known: KnownIdentities(), dates: nil)
        for text in [
            "CHEST OF SMITHSON^JANE", "SMITHSON^JANE", "胸部 Zhao^Minmin=赵^敏敏 复查", "赵^敏敏，复查", "PCK-Smithson^ALTIBRAIN",
            "SMITHSON^JANE^^DR seen", "O'SMITHSON^JANE", "cf. Smithson^Jane=赵^敏敏=SMITHSON",
        ] {
            let cleaned = cleaner.clean(text).text.uppercased()
            for part in ["SMITHSON", "JANE", "赵", "敏", "ZHAO"] {
                #expect(!cleaned.contains(part), "\(text): \(cleaned)")
            }
        }
        for text in [
            "Head^Routine", "Thorax^1HEAD_NECK_PETCT", "abdomen^liver", "10^9/L", "x^y", "F^18^[^18^Fluorine]", "^^^^",
            "kg/m^2",
            "Thorax^ThorRoutine", "cornerstoneTools@^4.0.0:Length",
        ] { #expect(cleaner.clean(text).text == text) }
    }
}
