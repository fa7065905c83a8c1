import Deidentification
import Testing

/// Whatever is planted wherever: it is gone, what stands around it is there, and cleaning again changes nothing.
struct TextPropertyTests {
    /// Numbers that are the same in each run.
    struct Numbers: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    static let surnames: [(String, String)] = [
        ("王", "Wang"), ("李", "Li"), ("张", "Zhang"), ("刘", "Liu"), ("陈", "Chen"), ("杨", "Yang"), ("赵", "Zhao"),
        ("黄", "Huang"), ("周", "Zhou"),
        ("吴", "Wu"), ("徐", "Xu"), ("孙", "Sun"), ("胡", "Hu"), ("朱", "Zhu"), ("高", "Gao"), ("林", "Lin"), ("何", "He"),
        ("郭", "Guo"), ("马", "Ma"),
        ("欧阳", "Ouyang"), ("司马", "Sima"), ("诸葛", "Zhuge"), ("曾", "Zeng"), ("解", "Xie"), ("尉迟", "Yuchi"),
    ]
    static let given: [(String, [String])] = [
        ("伟", ["Wei"]), ("芳芳", ["Fang", "Fang"]), ("秀英", ["Xiu", "Ying"]), ("晓东", ["Xiao", "Dong"]),
        ("建军", ["Jian", "Jun"]), ("丽", ["Li"]),
        ("静怡", ["Jing", "Yi"]), ("浩然", ["Hao", "Ran"]), ("雨欣", ["Yu", "Xin"]), ("志强", ["Zhi", "Qiang"]),
        ("国栋", ["Guo", "Dong"]), ("雪梅", ["Xue", "Mei"]),
    ]

    private static func written(_ surname: (String, String), _ given: (String, [String]), _ numbers: inout Numbers)
        -> String
    {
        let whole = given.1.joined()
        let small = given.1[0] + given.1.dropFirst().joined().lowercased()
        let separators = [" ", "^", ", ", "-", "·", ".", "_", "  ", "\n"]
        let separator = separators.randomElement(using: &numbers)!
        let forms = [
            surname.0 + given.0, surname.0 + separator + given.0, surname.1 + separator + small,
            small + separator + surname.1,
            surname.1 + separator + given.1.joined(separator: separator), (surname.1 + whole).uppercased(),
            (whole + surname.1).lowercased(),
            (surname.1 + separator + whole).uppercased(),
            given.1.map { $0.lowercased() + "\(Int.random(in: 1...4, using: &numbers))" }.reduce(surname.1 + "2 ", +),
        ]
        return forms.randomElement(using: &numbers)!
    }

    private static func number(_ numbers: inout Numbers) -> String {
        func digits(_ count: Int) -> String {
            (0..<count).map { _ in "\(Int.random(in: 0...9, using: &numbers))" }.joined()
        }
        let birth =
            "19\(Int.random(in: 40...99, using: &numbers))0\(Int.random(in: 1...9, using: &numbers))1\(Int.random(in: 0...9, using: &numbers))"
        let order = "110105" + birth + digits(3)
        let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
        let sum = zip(order, weights).reduce(0) { $0 + $1.0.wholeNumberValue! * $1.1 }
        let resident = order + ["1", "0", "X", "9", "8", "7", "6", "5", "4", "3", "2"][sum % 11]
        let mobile = "1\(Int.random(in: 3...9, using: &numbers))" + digits(9)
        let separator = ["", " ", "-"].randomElement(using: &numbers)!
        return [
            resident,
            resident.prefix(6) + separator + resident.dropFirst(6).prefix(8) + separator + resident.dropFirst(14),
            mobile, mobile.prefix(3) + separator + mobile.dropFirst(3).prefix(4) + separator + mobile.dropFirst(7),
            "+86" + separator + mobile,
            "住院号：" + digits(7), "MRN " + digits(6), "E" + digits(8), digits(6) + "@qq.com",
        ].randomElement(using: &numbers)!
    }

    @Test(arguments: 0..<8)
    func nothingPlantedIsLeft(seed: UInt64) {
        var numbers = Numbers(state: seed)
        for _ in 0..<40 {
            let surname = Self.surnames.randomElement(using: &numbers)!
            let given = Self.given.randomElement(using: &numbers)!
            var known = KnownIdentities()
            let value = [
                "\(surname.1)^\(given.1.joined())=\(surname.0)^\(given.0)", "=\(surname.0)^\(given.0)",
                "\(surname.0)\(given.0)",
                "\(surname.1)^\(given.1.joined())",
                "\(surname.1.uppercased())^\(given.1.joined(separator: " ").uppercased())",
            ].randomElement(using: &numbers)!
            known.insert(name: value)
            let cleaner = TextCleaner(known: known, dates: nil)
            var texts = (ReportTexts.chinese + ReportTexts.english).shuffled(using: &numbers).prefix(3).map { $0 }
            let name = Self.written(surname, given, &numbers)
            let number = Self.number(&numbers)
            let kept = texts
            texts.insert(name, at: Int.random(in: 0...3, using: &numbers))
            texts.insert(number, at: Int.random(in: 0...4, using: &numbers))
            let text = texts.joined(separator: "；")
            let cleaned = cleaner.clean(text)
            #expect(!Planted(name).stands(in: cleaned.text), "\(name) of \(value): \(cleaned.text)")
            let secret = number.replacing("住院号：", with: "").replacing("MRN ", with: "").replacing("@qq.com", with: "")
            #expect(!Planted(secret).stands(in: cleaned.text), "\(number): \(cleaned.text)")
            for report in kept { #expect(cleaned.text.contains(report), "\(value): \(cleaned.text)") }
            #expect(cleaner.clean(cleaned.text).text == cleaned.text)
        }
    }

    /// Scraps of what the scanners know, put together at random: never a crash, and cleaning again changes nothing.
    @Test(arguments: 0..<4)
    func takesAnyScrapsAndSettles(seed: UInt64) {
        var numbers = Numbers(state: 1000 + seed)
        let scraps = [
            "张伟", "张", "伟", "患者", "姓名", "：", ":", "医生", "主任", "先生", "报告医师", "病历号", "电话", "地址", "省", "市", "区", "路", "号",
            "室", "3", "12", "2026",
            "年", "月", "日", "-", "/", ".", " ", "\n", "二〇二六", "十一", "Nov", "May", "21st", "Dr.", "Mr", "Smith", "J.",
            "M.D.", ",", "@", "a.com", "http://", "www.", "X",
            "11010519491231002X", "13800138000", "+86", "(", ")", "0755", "京A", "E1234567", "92", "岁", "year-old",
            "〔姓名〕", "[NAME]", "[", "〔", "民国", "::", "fe80", "床",
            "1.2.840", "\u{301}", "\u{200B}", "Ｚ", "﹫", "①", "½", "ﬁ", "가", "か", "🙂", "\u{0}", "·", "住在", "北京", "医院",
            "Street", "Apt", "ID", "#",
        ]
        var known = KnownIdentities()
        for name in ["Zhang^Wei=张^伟", "Smith^John^J"] { known.insert(name: name) }
        known.insert(identifier: "12-2026")
        known.removesInstitutions = true
        let cleaner = TextCleaner(known: known, dates: nil)
        for _ in 0..<400 {
            let text = (0..<Int.random(in: 1...24, using: &numbers)).map { _ in scraps.randomElement(using: &numbers)! }
                .joined()
            let once = cleaner.clean(text).text
            #expect(cleaner.clean(once).text == once, "\(text.debugDescription)")
            _ = TextCleaner(known: known, dates: DayShift(days: 40)).clean(text)
        }
    }
}
