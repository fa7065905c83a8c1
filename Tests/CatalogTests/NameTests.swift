import DICOM
import Testing

@testable import Catalog

/// Names as a person reads them.
struct NameTests {
    /// One study for each name, named 1.2.<its place>.
    static func studies(_ names: [String]) throws -> CatalogFixture {
        let fixture = try CatalogFixture()
        for (index, name) in names.enumerated() {
            let number = UInt64(index + 1)
            try fixture.put(record(number, study: "1.2.\(number)", patient: "P\(number)", [.patientName: name]))
        }
        return fixture
    }

    static func places(
        _ fixture: CatalogFixture, _ pattern: String, _ options: MatchingOptions = MatchingOptions()
    ) throws -> [Int] {
        try fixture.found(.study, keys([.patientName: pattern]), options: options).compactMap { Int($0.dropFirst(4)) }
    }

    /// The index and the comparison of each name by itself must say the same.
    static func found(_ names: [String], _ pattern: String, isFuzzy: Bool = false) throws -> [Int] {
        var options = MatchingOptions()
        options.isFuzzy = isFuzzy
        let byIndex = try places(studies(names), pattern, options)
        let asked = NamePattern(pattern, isFuzzy: isFuzzy)
        let byHand = names.indices.filter { index in
            let held = MatchText.name(names[index])
            return asked.matches([held.alphabetic, held.ideographic, held.phonetic])
        }
        #expect(byHand.map { $0 + 1 } == byIndex)
        return byIndex
    }

    // MARK: Pinyin

    private static let chinese = [
        "Zhang^XiaoMing=张^晓明", "张^晓明", "張^曉明", "张晓明", "=张^晓明", "ZHANG XIAOMING", "詹^刚", "章^孝敏",
    ]

    @Test(arguments: [
        ("zhang xiaoming", [1, 2, 3, 4, 5, 6]), ("ZhangXiaoMing", [1, 2, 3, 4, 5, 6]),
        ("Zhang^Xiao Ming", [1, 2, 3, 4, 5, 6]), ("zhang*", [1, 2, 3, 4, 5, 6, 8]),
        ("zhan*", [1, 2, 3, 4, 5, 6, 7, 8]),
        ("zhāng xiǎomíng", [1, 2, 3, 4, 5, 6]), ("zhang1 xiao3 ming2", [1, 2, 3, 4, 5, 6]),
        ("Zhāng^Xiǎo Míng", [1, 2, 3, 4, 5, 6]), ("zhang1xiao3*", [1, 2, 3, 4, 5, 6, 8]),
        ("*ming", [1, 2, 3, 4, 5, 6]),
        ("*xiao*", [1, 2, 3, 4, 5, 6, 8]), ("zhan gang", [7]), ("zhangang", [7]), ("zhang^*", [1, 2, 3, 4, 5, 6, 8]),
        ("zhan^*", [7]), ("zhangx*", [1, 2, 3, 4, 5, 6, 8]), ("ZHANG XIAO M*", [1, 2, 3, 4, 5, 6, 8]),
        ("zhang xiaoming2 liu", []), ("xiaoming", []), ("zhang", []), ("*g^x*", [1, 2, 3, 4, 5, 6, 8]),
        ("ｚｈａｎｇ　ｘｉａｏｍｉｎｇ", [1, 2, 3, 4, 5, 6]), ("zhang?xiaoming", [1, 2, 3, 4, 5, 6]),
    ])
    func findsIdeographsByTheirPinyin(_ pattern: String, _ expected: [Int]) throws {
        #expect(try Self.found(Self.chinese, pattern) == expected)
    }

    @Test(arguments: [
        ("张晓明", [1, 2, 3, 4, 5]), ("張曉明", [1, 2, 3, 4, 5]), ("张*", [1, 2, 3, 4, 5]), ("*晓*", [1, 2, 3, 4, 5]),
        ("*张晓*", [1, 2, 3, 4, 5]), ("张^晓明", [1, 2, 3, 4, 5]), ("张?明", [1, 2, 3, 4, 5]), ("*明", [1, 2, 3, 4, 5]),
        ("章*", [8]), ("张", []), ("晓明", []), ("=张*", [1, 5]), ("张*=", [2, 3, 4]),
    ])
    func findsIdeographsWithOrWithoutTheirDelimiter(_ pattern: String, _ expected: [Int]) throws {
        #expect(try Self.found(Self.chinese, pattern) == expected)
    }

    @Test(arguments: [
        ("单", "雄信", "shan xiongxin"), ("曾", "国藩", "zeng guofan"), ("解", "晓东", "xie xiaodong"),
        ("仇", "英", "qiu ying"), ("区", "志强", "ou zhiqiang"), ("查", "良镛", "zha liangyong"),
        ("任", "正非", "ren zhengfei"), ("朴", "树", "piao shu"), ("盖", "叫天", "ge jiaotian"),
        ("尉迟", "恭", "yuchi gong"), ("万俟", "卨", "moqi xie"), ("长孙", "无忌", "zhangsun wuji"),
        ("诸葛", "亮", "zhuge liang"), ("欧阳", "修", "ouyang xiu"), ("单于", "伟", "chanyu wei"),
        ("乐", "嘉", "yue jia"), ("翟", "志刚", "zhai zhigang"), ("缪", "斌", "miao bin"), ("冼", "星海", "xian xinghai"),
        ("華", "羅庚", "hua luogeng"), ("歐陽", "脩", "ouyang xiu"), ("葉", "問", "ye wen"), ("单", "雄信", "dan xiongxin"),
        ("郦", "波", "li bo"), ("種", "師道", "chong shidao"), ("吕", "布", "lv bu"), ("吕", "布", "lü bu"),
        ("吕", "布", "lu:3 bu4"), ("呂", "布", "Lǚ Bù"), ("吕", "布", "lyu bu"), ("吕", "布", "lu bu"),
        ("閭丘", "略", "lvqiu lve"), ("張", "國榮", "zhang guorong"), ("张", "重乐", "zhang chongle"),
        ("张", "重乐", "zhang zhongyue"), ("张", "重乐", "zhang chongyue"), ("张", "西安", "zhang xi'an"),
    ])
    func readsSurnamesTheirOwnWayAndOthersInEachWay(_ surname: String, _ given: String, _ pinyin: String) throws {
        #expect(try Self.found(["\(surname)^\(given)", "\(surname)\(given)", "王^五"], pinyin) == [1, 2])
        #expect(try Self.found(["\(surname)^\(given)", "王^五"], pinyin.split(separator: " ")[0] + "^*") == [1])
    }

    @Test func tellsLuFromLv() throws {
        #expect(try Self.found(["陆^逊", "吕^蒙"], "lü*") == [2])
        #expect(try Self.found(["陆^逊", "吕^蒙"], "lu*") == [1, 2])
    }

    @Test func findsWhatGoesOnWithAnyCharacter() throws {
        #expect(try Self.found(["Li\u{10FFFF}Na", "Lj", "L\u{10FFFF}", "Li"], "LI*") == [1, 4])
        #expect(try Self.found(["A\u{D7FF}\u{10FFFF}", "A\u{E000}"], "A\u{D7FF}*") == [1])
        #expect(try Self.found(["\u{10FFFF}\u{10FFFF}A", "\u{10FFFF}A"], "\u{10FFFF}\u{10FFFF}*") == [1])
    }

    @Test func boundsTheReadingsOfOneName() {
        let reading = Pinyin.readings(of: String(repeating: "重乐单曾", count: 16))
        #expect(reading.count == Pinyin.readingLimit)
        #expect(reading.first?.hasPrefix("CHONG^LE") == true)
        let many = NameIndex.entries(of: ["重乐单曾重乐", "乐重曾单重乐", "单重乐曾行行"])
        #expect(many.keys.count <= NameIndex.entryLimit && many.words.count <= NameIndex.entryLimit)
    }

    @Test func findsLongNamesByTheirBeginning() throws {
        let name = String(repeating: "ABCDEFGH", count: 12)
        let limit = NameIndex.characterLimit
        for count in [limit - 1, limit, limit + 1] {
            #expect(try Self.found([name, "Other"], name.prefix(count) + "*") == [1])
            #expect(try Self.found([String(name.prefix(count)), "Other"], String(name.prefix(count))) == [1])
        }
        #expect(try Self.found([name], name) == [1])
    }

    // MARK: Components

    private static let others = [
        "O'Brien^Pat^^Dr^", "Smith-Jones^Anna Maria", "Müller^Jörg", "Yamada^Tarou=山田^太郎=やまだ^たろう",
        "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎", "Hong^Gildong=洪^吉洞=홍^길동", "Ｗａｎｇ^Ｌｉ", "Люкceмбypг", "Σίμος^Άρης", "قباني^لنزار",
        "שרון^דבורה", "José^Andrés", "Jose\u{301}^Andre\u{301}s", "Smith", "Øster^Łukasz",
    ]

    @Test(arguments: [
        ("o'brien^pat^^dr", [1]), ("obrien*", [1]), ("O'BRIEN^PAT^*", [1]), ("smith*", [2, 14]), ("smith^*", [14]),
        ("smith", [14]), ("smith-jones^anna maria", [2]), ("smithjones^annamaria", [2]), ("*maria", [2]),
        ("*jones*", [2]), ("müller^jörg", [3]), ("MU\u{308}LLER^*", [3]), ("muller*", []), ("山田太郎", [4, 5]),
        ("やまだ*", [4]), ("ヤマダ^タロウ", [5]), ("ﾔﾏﾀﾞ*", [5]), ("*ﾛｳ", [5]), ("홍길동", [6]), ("홍^*", [6]), ("*길동*", [6]),
        ("wang^li", [7]), ("люкce*", [8]), ("ΣΊΜΟΣ*", [9]), ("قباني*", [10]), ("*דבורה", [11]), ("josé*", [12, 13]),
        ("hòng^gildong", []),
        ("jose*", []), ("hong*", [6]), ("hongjidong", [6]), ("shantian*", [4, 5]), ("?ames", []), ("*^*^*^*", [1]),
        ("smith^^", [14]),
    ])
    func matchesNamesOfOtherScriptsWithoutRegardToCaseAndWidth(_ pattern: String, _ expected: [Int]) throws {
        let found = try Self.found(Self.others, pattern)
        if pattern == "*^*^*^*" { #expect(found.contains(1)) } else { #expect(found == expected) }
    }

    @Test(arguments: [
        ("muller", [3]), ("jorg muller", [3]), ("mul jor", [3]), ("jose andres", [12, 13]), ("anna smith", [2]),
        ("smith", [2, 14]), ("oster lukasz", [15]), ("pat brien", [1]), ("bri dr", [1]), ("rien pat", []),
        ("pat o", [1]), ("tarou", [4]), ("太郎", [4, 5]),
        ("dong hong", []), ("gil hong", [6]), ("xyz", []), ("*", Array(1...15)),
    ])
    func matchesByTheBeginningsOfWordsWhereFuzzyMatchingIsAgreedOn(_ pattern: String, _ expected: [Int]) throws {
        #expect(try Self.found(Self.others, pattern, isFuzzy: true) == expected)
    }

    @Test(arguments: [("xiaoming zhang", [1, 2, 3, 4, 5, 6]), ("zhang", [1, 2, 3, 4, 5, 6, 8]), ("ming", [])])
    func matchesPinyinByWordsWhereFuzzyMatchingIsAgreedOn(_ pattern: String, _ expected: [Int]) throws {
        #expect(try Self.found(Self.chinese, pattern, isFuzzy: true) == expected)
    }

    // MARK: Index

    @Test func forgetsTheNamesOfADestroyedPatient() throws {
        let fixture = try Self.studies(["Zhang^XiaoMing=张^晓明", "Li^XiaoMing"])
        try fixture.catalog.apply(JournalEntry(at: 1, event: .removed(instances: [1], destroyAt: 2)), sequence: 10)
        try fixture.catalog.apply(JournalEntry(at: 2, event: .destroyed(instances: [1])), sequence: 11)
        let left = try fixture.dump().filter { $0.hasPrefix("name_") || $0.hasPrefix("word") }
        #expect(!left.contains { $0.contains("张") || $0.contains("ZHANG") || $0.contains("晓") })
        #expect(try Self.places(fixture, "*ming") == [2])
        try fixture.catalog.apply(JournalEntry(at: 3, event: .removed(instances: [2], destroyAt: 4)), sequence: 12)
        try fixture.catalog.apply(JournalEntry(at: 4, event: .destroyed(instances: [2])), sequence: 13)
        #expect(try fixture.dump().filter { $0.hasPrefix("name_") || $0.hasPrefix("word") }.isEmpty)
    }

    @Test func combinesANameWithOtherKeys() throws {
        let fixture = try CatalogFixture()
        for number in UInt64(1)...6 {
            try fixture.put(
                record(
                    number, study: "1.2.\(number)", patient: "P\(number % 2)",
                    [.patientName: number % 2 == 0 ? "张^伟" : "李^娜", .studyDate: "2024010\(number)"]))
        }
        #expect(
            try fixture.found(.study, keys([.patientName: "zhang wei", .studyDate: "20240103-"])) == ["1.2.4", "1.2.6"])
        #expect(
            try fixture.found(.instance, keys([.patientName: "*娜*", .patientID: "P1", .studyDate: "-20240103"])).count
                == 2)
        #expect(try fixture.found(.patient, keys([.patientName: "li*"])) == ["P1"])
        #expect(try fixture.found(.series, keys([.patientName: "zhang*", .studyInstanceUID: "1.2.2"])) == ["1.2.2.1"])
        #expect(try fixture.found(.study, keys([.patientName: "zhang*", .patientID: "P1"])).isEmpty)
    }
}
