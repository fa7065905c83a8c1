/// A small seeded generator (SplitMix64): the same seed makes the same catalogue on every machine.
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Names as a large hospital holds them: Chinese ones by how common their surnames are, as people write them in the
/// field, and Latin ones.
struct People {
    /// Surname, its Pinyin, and how many of ten thousand people bear it.
    private static let surnames: [(String, String, Int)] = """
        王WANG720 李LI710 张ZHANG680 刘LIU520 陈CHEN480 杨YANG330 黄HUANG240 赵ZHAO230 吴WU210 周ZHOU200 徐XU170 孙SUN165 \
        马MA130 朱ZHU128 胡HU126 林LIN124 郭GUO120 何HE118 高GAO116 罗LUO90 郑ZHENG88 梁LIANG86 谢XIE80 宋SONG76 唐TANG72 \
        许XU70 邓DENG66 冯FENG64 韩HAN62 曹CAO60 曾ZENG58 彭PENG56 萧XIAO54 蔡CAI52 潘PAN50 田TIAN48 董DONG46 袁YUAN44 \
        于YU42 余YU40 叶YE38 蒋JIANG36 杜DU34 苏SU33 魏WEI32 程CHENG31 吕LV30 丁DING29 沈SHEN28 任REN27 姚YAO26 卢LU25 \
        傅FU24 钟ZHONG23 姜JIANG22 崔CUI21 谭TAN20 廖LIAO19 范FAN18 汪WANG18 陆LU17 金JIN17 石SHI16 戴DAI16 贾JIA15 韦WEI15 \
        夏XIA14 邱QIU14 方FANG13 侯HOU13 邹ZOU12 熊XIONG12 孟MENG12 秦QIN11 白BAI11 江JIANG11 阎YAN10 薛XUE10 尹YIN10 段DUAN9 \
        雷LEI9 黎LI9 史SHI8 龙LONG8 陶TAO8 贺HE8 顾GU7 毛MAO7 郝HAO7 龚GONG7 邵SHAO7 万WAN6 钱QIAN6 严YAN6 武WU6 \
        单SHAN3 解XIE3 仇QIU2 查ZHA2 欧阳OUYANG4 诸葛ZHUGE1 上官SHANGGUAN1 司马SIMA1 尉迟YUCHI1
        """.split(separator: " ").map { entry in
            let surname = entry.prefix { !$0.isASCII }
            let letters = entry[surname.endIndex...].prefix { $0.isLetter }
            return (String(surname), String(letters), Int(entry[letters.endIndex...]) ?? 1)
        }

    /// What given names are made of, with Pinyin, the commonest first.
    private static let givens: [(String, String)] = """
        伟WEI 芳FANG 娜NA 秀XIU 英YING 敏MIN 静JING 丽LI 强QIANG 磊LEI 军JUN 洋YANG 勇YONG 艳YAN 杰JIE 娟JUAN 涛TAO 明MING \
        超CHAO 兰LAN 霞XIA 平PING 刚GANG 桂GUI 华HUA 红HONG 建JIAN 国GUO 文WEN 玉YU 春CHUN 梅MEI 海HAI 晓XIAO 小XIAO 志ZHI \
        子ZI 宇YU 浩HAO 欣XIN 雨YU 轩XUAN 涵HAN 梓ZI 佳JIA 怡YI 俊JUN 嘉JIA 思SI 博BO 天TIAN 宏HONG 金JIN 凤FENG 云YUN \
        玲LING 淑SHU 珍ZHEN 荣RONG 福FU 德DE 光GUANG 成CHENG 林LIN 东DONG 永YONG 新XIN 庆QING 家JIA 世SHI 长CHANG 兴XING \
        立LI 振ZHEN 正ZHENG 学XUE 少SHAO 良LIANG 义YI 仁REN 和HE 安AN 宁NING 康KANG 乐LE 琳LIN 琴QIN 瑞RUI 雪XUE 月YUE 佩PEI \
        慧HUI 婷TING 颖YING 莉LI 萍PING 燕YAN 鹏PENG 飞FEI 龙LONG 虎HU 峰FENG 波BO 亮LIANG 辉HUI 斌BIN 凯KAI 鑫XIN 晨CHEN \
        阳YANG 悦YUE 诗SHI 萱XUAN 瑶YAO 琪QI 蕾LEI 丹DAN 青QING 松SONG 柏BAI 竹ZHU 菊JU 香XIANG 惠HUI 美MEI 爱AI 素SU 巧QIAO
        """.split(separator: " ").map { entry in
            let ideograph = entry.prefix { !$0.isASCII }
            return (String(ideograph), String(entry[ideograph.endIndex...]))
        }

    private static let families = """
        Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez Wilson Anderson \
        Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark Ramirez Lewis Robinson Walker \
        Young Allen King Wright Scott Torres Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera Campbell Mitchell \
        Carter Roberts Gomez Phillips Evans Turner Diaz Parker Cruz Edwards Collins Reyes Stewart Morris Morales Murphy \
        Cook Rogers Gutierrez Ortiz Morgan Cooper Peterson Bailey Reed Kelly Howard Ramos Kim Cox Ward Richardson Watson \
        Brooks Chavez Wood James Bennett Gray Mendoza Ruiz Hughes Price Alvarez Castillo Sanders Patel Myers Long Ross \
        Foster Jimenez Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer \
        Rossi Russo Ferrari Esposito Bianchi Romano Dubois Moreau Laurent Lefèvre Ivanov Petrov Sidorov Kowalski Nowak
        """.split(separator: " ").map(String.init)

    private static let firsts = """
        James Mary Robert Patricia John Jennifer Michael Linda David Elizabeth William Barbara Richard Susan Joseph Jessica \
        Thomas Sarah Charles Karen Christopher Lisa Daniel Nancy Matthew Betty Anthony Margaret Mark Sandra Donald Ashley \
        Steven Kimberly Paul Emily Andrew Donna Joshua Michelle Kenneth Carol Kevin Amanda Brian Dorothy George Melissa \
        Edward Deborah Ronald Stephanie Timothy Rebecca Jason Sharon Jeffrey Laura Ryan Cynthia Jacob Kathleen Gary Amy \
        Jörg José René Anna Maria Hans Peter Giulia Marco Pierre Chloé Olga Ivan Jan Agnieszka Karl Sven Ingrid Lars
        """.split(separator: " ").map(String.init)

    private static let surnameWeight = surnames.reduce(0) { $0 + $1.2 }

    /// A patient's name as a value of VR PN.
    static func name(_ random: inout Seeded) -> String {
        if Int.random(in: 0..<10, using: &random) < 3 { return latin(&random) }
        var place = Int.random(in: 0..<surnameWeight, using: &random)
        let surname =
            surnames.first { entry in
                place -= entry.2
                return place < 0
            } ?? surnames[0]
        let given = (0..<(Int.random(in: 0..<10, using: &random) < 2 ? 1 : 2)).map { _ in
            // Common ones more often than rare ones.
            givens[min(Int.random(in: givens.indices, using: &random), Int.random(in: givens.indices, using: &random))]
        }
        let alphabetic = surname.1.capitalized + "^" + given.map(\.1).joined().capitalized
        let ideographic = surname.0 + "^" + given.map(\.0).joined()
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<6: return alphabetic + "=" + ideographic
        case 6..<8: return ideographic
        case 8: return surname.0 + given.map(\.0).joined()
        default: return alphabetic.uppercased()
        }
    }

    private static func latin(_ random: inout Seeded) -> String {
        var family = families.randomElement(using: &random) ?? "Smith"
        if Int.random(in: 0..<8, using: &random) == 0 { family += "-" + (families.randomElement(using: &random) ?? "") }
        var first = firsts.randomElement(using: &random) ?? "Anna"
        if Int.random(in: 0..<3, using: &random) == 0 { first += "^" + (firsts.randomElement(using: &random) ?? "") }
        return family + "^" + first
    }
}
