import Deidentification
import Testing

/// What identifies people is found by its form, and the words of medicine stay.
struct TextCleanerTests {
    static func identities() -> KnownIdentities {
        var known = KnownIdentities()
        for name in ["Zhang^Wei=张^伟", "LI^XIAOMING=李^晓明", "Smith^John^Q", "Wang^Fang=王^芳"] { known.insert(name: name) }
        known.insert(identifier: "P0012345")
        known.insert(institution: "某某医院")
        known.removesInstitutions = true
        return known
    }

    @Test(arguments: ReportTexts.chinese + ReportTexts.english)
    func leavesTheWordsOfMedicine(text: String) {
        for known in [KnownIdentities(), Self.identities()] {
            let cleaned = TextCleaner(known: known, dates: nil).clean(text)
            #expect(cleaned.text == text)
            #expect(cleaned.findings.isEmpty)
        }
        #expect(TextCleaner(known: Self.identities(), dates: DayShift(days: -3)).clean(text).text == text)
    }

    /// A text, and what must be gone from it.
    static let planted: [(text: String, secrets: [String])] = [
        ("身份证号11010519491231002X。", ["11010519491231002X"]),
        ("证件 110105 19491231 002X", ["11010519491231002X"]), ("110105-19491231-002x", ["11010519491231002X"]),
        ("１１０１０５１９４９１２３１００２Ｘ", ["11010519491231002X"]), ("11010519491\n231002X", ["11010519491231002X"]),
        ("身份证：110105194912310021（误）", ["110105194912310021"]), ("旧证110105491231002", ["110105491231002"]),
        ("手机13800138000", ["13800138000"]), ("致电138 0013 8000", ["13800138000"]), ("138-0013-8000", ["13800138000"]),
        ("1 3 8 0 0 1 3 8 0 0 0", ["13800138000"]), ("+86 138 0013 8000", ["13800138000"]),
        ("8613800138000", ["13800138000"]),
        ("１３８００１３８０００", ["13800138000"]), ("一三八零零一三八零零零", ["一三八零零一三八零零零"]), ("(+86)13800138000", ["13800138000"]),
        ("0755-12345678转801", ["12345678", "801"]), ("(010)62345678", ["62345678"]), ("010 6234 5678", ["62345678"]),
        ("02112345678", ["12345678"]), ("400-810-1234", ["8101234"]), ("电话65123456", ["65123456"]),
        ("Phone (555) 123-4567", ["1234567"]),
        ("Tel: +44 20 7946 0958", ["79460958"]), ("座机：8888 9999", ["88889999"]), ("QQ：123456789", ["123456789"]),
        ("微信号：abc_12345", ["abc_12345"]), ("护照E12345678", ["E12345678"]), ("passport no. EA1234567", ["EA1234567"]),
        ("HKID A123456(3)", ["A1234563"]), ("身份证A123456（3）", ["A1234563"]), ("回乡证H0123456789", ["H0123456789"]),
        ("台湾 A123456789", ["A123456789"]), ("澳门1234567(8)", ["12345678"]), ("通行证号：12345678", ["12345678"]),
        ("银行卡6222 0212 3456 7890 128", ["6222021234567890128"]), ("卡4111-1111-1111-1111", ["4111111111111111"]),
        ("6222021234567890128", ["6222021234567890128"]), ("车牌京A12345", ["京A12345"]), ("沪B·D12345", ["BD12345"]),
        ("粤Z1234港", ["Z1234港"]),
        ("病历号：00876543", ["00876543"]), ("住院号ZY20231234", ["ZY20231234"]), ("门诊号 M-556-77", ["M-556-77"]),
        ("检查号=US0001", ["US0001"]),
        ("12床", ["12床"]), ("床号：3", ["3"]), ("MRN: 4455", ["4455"]), ("Accession No. A-77-88", ["A-77-88"]),
        ("ID: 99881", ["99881"]),
        ("zhang.wei@hosp.cn", ["zhang.wei@hosp.cn", "hosp.cn"]), ("mail jdoe ＠ example.org ", ["example.org"]),
        ("http://pacs.hospital.org/view?id=1", ["pacs.hospital.org", "view"]), ("见www.hosp.com.cn主页", ["hosp.com.cn"]),
        ("IP 192.168.1.10", ["192.168.1.10"]), ("00:1A:2B:3C:4D:5E", ["1A:2B:3C"]),
        ("fe80::1ff:fe23:4567:890a", ["fe23:4567"]),
        ("家住北京市朝阳区建国路88号院3号楼2单元501室，胸痛", ["朝阳", "建国路", "501"]), ("地址：广东省深圳市南山区科技园路1号", ["深圳", "南山", "科技园"]),
        ("转诊自青岛市市北区辽宁路12号", ["青岛", "辽宁路"]), ("上海市浦东新区世纪大道100弄5号1203室", ["浦东", "世纪大道", "1203"]),
        ("5栋2单元301", ["5栋2单元"]), ("江苏南京鼓楼区中山路", ["鼓楼", "中山路"]), ("来自曲阜市。", ["曲阜"]), ("邮编100022", ["100022"]),
        ("12 Main Street, Springfield, IL 62704.", ["Main", "Springfield", "62704"]),
        ("Address: Flat 3, 221B Baker Street, London\nLungs clear", ["Baker", "London", "221B"]),
        ("lives at No. 88 Jianguo Road, Chaoyang District, Beijing", ["Jianguo", "Chaoyang"]),
        ("姓名：王芳 性别：女", ["王芳"]), ("患者姓名：买买提·吐尔逊 性别男", ["买买提", "吐尔逊"]), ("联系人：诸葛亮 关系：父子", ["诸葛亮"]),
        ("报告医师：陈建国  审核医师：刘洋", ["陈建国", "刘洋"]), ("医师签名:李 四", ["李四"]), ("报告者：孙俪/周涛", ["孙俪", "周涛"]), ("请张主任会诊", ["张主任"]),
        ("经欧阳教授会诊", ["欧阳"]), ("刘德华先生", ["刘德华"]), ("李小明主任医师", ["李小明"]), ("由李伟医生主刀", ["李伟"]), ("马护士长", ["马护士"]),
        ("其子王小明陪同", ["王小明"]), ("患者之女张丽，", ["张丽"]), ("家属李华诉", ["李华"]), ("病人王强，男", ["王强"]), ("患者叶医生收入院", ["叶医生"]),
        ("Seen by Dr. Jane Doe today", ["Jane", "Doe"]), ("Mr. Brown said", ["Brown"]), ("Prof. Li Na", ["Li Na"]),
        ("Dr Zhang Wei", ["Zhang"]),
        ("Referring physician: DR SMITH", ["SMITH"]), ("Dictated by: wei zhang; seen", ["wei zhang"]),
        ("Reviewed by J. K. Rowling, M.D.", ["Rowling"]),
        ("Electronically signed by: Robert Johnson, MD on", ["Robert", "Johnson"]),
        ("Patient Name: DOE^JANE", ["DOE", "JANE"]),
        ("年龄：92岁", ["92"]), ("a 95-year-old man", ["95"]), ("098Y", ["98"]), ("Age: 101", ["101"]),
        ("2026-11-21 10:30:25", ["11-21"]), ("2026年11月21日", ["2026", "21日"]), ("21/11/2026", ["21/11"]),
        ("20261121", ["20261121"]),
        ("二〇二六年十一月二十一日", ["二〇二六", "二十一"]), ("二零二六年三月五日", ["三月"]), ("Nov 21 2026", ["Nov 21"]),
        ("November 21st, 2026", ["21st"]),
        ("21-NOV-26", ["NOV"]), ("3月5日复查", ["3月5"]), ("2026.11.21", ["11.21"]), ("2026/11", ["2026/11"]),
        ("26-11-21", ["26-11"]),
        ("民国113年5月6日", ["113"]), ("20261121103025", ["20261121"]), ("2015年手术", ["2015"]),
        ("2026-11-21T10:30:25+08:00", ["2026"]),
        ("NO.20261121001", ["20261121001"]), ("编号：A-1", ["A-1"]),
    ]

    @Test(arguments: planted)
    func takesOutWhatIdentifies(text: String, secrets: [String]) {
        let cleaner = TextCleaner(known: KnownIdentities(), dates: nil)
        for (before, after) in [("", ""), ("右肺结节5mm。", "。左肺清晰"), ("Lungs clear.\r\n", "\r\nHeart normal.")] {
            let whole = before + text + after
            let cleaned = cleaner.clean(whole)
            for secret in secrets { #expect(!Planted(secret).stands(in: cleaned.text), "\(secret) in \(cleaned.text)") }
            #expect(cleaned.text.hasPrefix(before), "\(cleaned.text)")
            #expect(cleaned.text.hasSuffix(after), "\(cleaned.text)")
            #expect(cleaner.clean(cleaned.text).text == cleaned.text)
        }
    }

    static let shifted: [(text: String, result: String)] = [
        ("2026-11-21 10:30", "2026-11-11 10:30"), ("2026年11月5日", "2026年10月26日"), ("2026年01月05日", "2025年12月26日"),
        ("21/11/2026", "11/11/2026"), ("11/21/2026", "11/11/2026"), ("20261121", "20261111"),
        ("20261121103025", "20261111103025"),
        ("二〇二六年十一月二十一日", "二〇二六年十一月十一日"), ("Nov 21 2026", "Nov 11 2026"), ("NOVEMBER 21, 2026", "NOVEMBER 11, 2026"),
        ("5 January 2026", "26 December 2025"), ("21-nov-2026", "11-nov-2026"), ("2026.11.21", "2026.11.11"),
        ("2026 - 11 - 21", "2026 - 11 - 11"),
        ("2026-11-21T10:30:25+08:00", "2026-11-11T10:30:25+08:00"), ("２０２６－１１－２１", "2026-11-11"),
        ("2026年11月", "2026年11月"),
        ("05/03/2026", "[DATE]"), ("3月5日", "〔日期〕"), ("21-11-26", "[DATE]"), ("2099-12-31", "2099-12-21"),
        ("1800-01-05", "1800-01-05"),
    ]

    @Test(arguments: shifted)
    func shiftsDatesInTheFormTheyAreWritten(text: String, result: String) {
        #expect(TextCleaner(known: KnownIdentities(), dates: DayShift(days: -10)).clean(text).text == result)
    }

    @Test func keepsIntervalsBetweenDates() throws {
        let cleaner = TextCleaner(known: KnownIdentities(), dates: DayShift(days: -123))
        #expect(
            cleaner.clean("2026-03-01, 2026年3月2日, 3 March 2026").text
                == "2025-10-29, 2025年10月30日, 4 October 2025"
                .replacing("4 October", with: "31 October"))
    }

    @Test func leavesUIDsToThoseWhoReplaceThem() {
        let text =
            "see 1.2.840.113619.2.55.3.604688119.971.1234567890.123 and 2.25.329800735698586629295641978511506172918"
        #expect(TextCleaner(known: KnownIdentities(), dates: nil).clean(text).text == text)
    }

    @Test func keepsLinesWhereSomethingOverTwoLinesIsTakenOut() {
        var known = KnownIdentities()
        known.insert(name: "Zhang^Wei=张^伟")
        let text = "一\r\n张\r\n伟\r\n二\u{0C}\t三\n"
        #expect(TextCleaner(known: known, dates: nil).clean(text).text == "一\r\n〔姓名〕\r\n\r\n二\u{0C}\t三\n")
    }

    @Test func countsWhatEachRuleFound() {
        let cleaned = TextCleaner(known: Self.identities(), dates: nil).clean(
            "张伟 13800138000, 王芳 13800138001 2026-01-01")
        #expect(
            cleaned.findings == [
                TextFinding(rule: .knownName, count: 2), TextFinding(rule: .telephoneNumber, count: 2),
                TextFinding(rule: .date, count: 1),
            ])
    }

    @Test func takesOutATextThatIsTooLongAndNoShorterOne() {
        let cleaner = TextCleaner(known: KnownIdentities(), dates: nil, byteCountLimit: 12)
        #expect(cleaner.clean("lungs clear.").text == "lungs clear.")
        #expect(cleaner.clean("lungs  clear.").text == "[TEXT]")
        #expect(cleaner.clean("肺野清晰").text == "肺野清晰")
        #expect(cleaner.clean("肺野很清晰").text == "〔文本〕")
    }

    static let pieces = [
        "1", "1-", "1 ", "1.", "9.9", "A1", "a.", "a@", "@", "张", "路", "市区", "号", "1号", "张伟", "zhangw", "Zhang ", "Z.",
        "姓名", "姓名：", "地址：", "二", "年",
        "2026-", "2026年", "::", "f:", "www.", "Dr. ", "Nov ", "〔", "[NAME]", "医生", "、", "·", "\u{300}", "\u{200B}",
        "12床", "1 A", "，", "123456789a", "http://", "a.com/", "（", "姓名：张、", "张 ",
    ]

    /// What would take hours if the work grew faster than the text.
    @Test(arguments: pieces)
    func takesLinesOfTheSameCharactersInItsStride(piece: String) {
        let text = String(repeating: piece, count: 30_000 / piece.utf8.count)
        _ = TextCleaner(known: Self.identities(), dates: DayShift(days: 1)).clean(text)
        _ = TextCleaner(known: Self.identities(), dates: nil).clean(text)
    }
}
