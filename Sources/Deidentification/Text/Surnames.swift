import DICOM

/// Surnames and the characters of given names, simplified.
enum Surnames {
    static func isSurname(_ unit: UInt32) -> Bool { single.contains(unit) }

    /// Whether a surname of one character is read so, as a name or otherwise.
    static func isRead(_ unit: UInt32, _ syllable: String) -> Bool { readings[unit]?.contains(syllable) ?? false }

    private static let readings: [UInt32: [String]] = {
        var result: [UInt32: [String]] = [:]
        for scalar in singleText.unicodeScalars where single.contains(scalar.value) {
            result[scalar.value] = Pinyin.readings(of: scalar) + Pinyin.surnameReadings(String(scalar))
        }
        return result
    }()

    /// Surnames of two characters.
    static func isCompound(_ first: UInt32, _ second: UInt32) -> Bool {
        compound.contains(UInt64(first) << 32 | UInt64(second))
    }

    /// Whether a character is met in given names and hardly in the words that follow a person in a report.
    static func isGiven(_ unit: UInt32) -> Bool { given.contains(unit) }

    /// Surnames that are function words as well, and no name before a title unless more speaks for it.
    static func isFunctionWord(_ unit: UInt32) -> Bool { functionWords.contains(unit) }

    private static let single = UnitSet(characters: singleText)

    private static let singleText = """
        王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦\
        傅方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤常温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰\
        焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳欧管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤时阳穆农司卓古吉缪简车项\
        连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝官封谈匡鞠惠\
        荆乐冀郁胥南储原栗燕楚鄢劳谌奚皮粟冼蔺楼盘满闻位厉伊仝区郜海阚花权强帅屠豆朴盖练廉禹井祖漆巴丰支卿国狄平计索宣晋相初门云容敬来扈\
        晁芮都普阙浦戈伏鹿薄邸雍辜羊阿乌母裘亓修邰赫杭况那宿鲜印逯隆茹诺战慕危玉银亢嵇公哈湛宾戎勾茅利于呼居揭干但尉冶斯元束檀衣信展阴昝智\
        幸奉植衡富尧闭由
        """

    private static let compound: Set<UInt64> = {
        let names = """
            欧阳司马上官诸葛夏侯东方皇甫尉迟公孙令狐慕容轩辕长孙宇文司徒司空端木百里东郭南宫西门独孤拓跋呼延澹台公冶宗政濮阳淳于单于太叔申屠\
            仲孙钟离鲜于闾丘亓官司寇子车颛孙巫马公西漆雕乐正壤驷公良夹谷宰父谷梁段干羊舌微生梁丘左丘东门第五范姜张简赫连完颜纳兰
            """
        let units = FoldedText.units(of: names).filter(TextUnit.isIdeograph)
        return Set(stride(from: 0, to: units.count - 1, by: 2).map { UInt64(units[$0]) << 32 | UInt64(units[$0 + 1]) })
    }()

    private static let given = UnitSet(
        characters: """
            伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛超霞刚桂兰玉萍红鹏玲辉建华飞云波斌宇浩凯健俊帆帅旭宁龙林欢阳佳婷雪琳雯慧欣怡悦梅燕倩颖洁莉莹晶\
            鑫淼森焱垚坤彬琪琦瑶璐瑞琴琼璇瑜瑾珊珍珠凤菊莲荷菲萌蓉蕾薇芬芸苗茜莎蓓菁萱若诗涵梓轩泽浩宸睿昊天翔博文晨曦皓煜炜烨焕灿炳荣光明亮晓\
            东春夏秋冬梦思忆念志忠诚信仁义礼智孝贤良德才华富贵福寿康安泰祥瑞庆喜乐永昌盛兴旺达通顺利国民家邦中正平和世界新立成功胜峰岩山海江河\
            川源泉清润泽沛霖雨露霜冰雷电鸣啸虎豹狮彪骏驰骥鹤鸿雁燕莺鹃鹰凌霄宏伟业展鹏程锦绣前振启发生金银铜铁钢锋铭钰锐鉴钧铮银善美艺雅韵音\
            琛瑛璟珏珂珺瑄琬琰玮琨瑗璞子紫梓芝芷芊苒茵荔莞菡萍蔓蕊薰兆吉元亨利贞乾坤震巽坎离艮兑一二三四五小大少士学书墨砚画诗词歌赋友朋广庭廷\
            祖宗嗣继绍承启先后昭晖映景昱昕昀晟晴晗暄毅然超越奕奇逸隽俊彦彬斐斓嘉佑佐辅弼传继根柱梁栋材桐松柏杨柳榕枫楠樱梨桃杏杉琳瑯玥玖玫珈\
            芮芯姗姝娅娇娴婉婧媛媚嫣嫦妍妙妮如花月星辰宝贝蝶素淑惠贞娥巧翠彩香爱仙连凡可君卿尔伊依依亦以沁汐沐浠淇涓渊澄澜瀚灏炎烁烽照熙熠焯\
            珩璋瑚甫田申男秉科程稷穆笑笛筠筱纯纹绮缘翊翎耀聪肖育胤腾舒航艾苏茂范荀莫萧著葆蒙蓝蔚藤贤赞超跃路轶辉迅远逊逢道邵郁钊锡长雄雅集雪霏\
            青靖非韬韶顺颂飒馨驹骁高魁鲁麒麟齐龄
            """)

    private static let functionWords = UnitSet(
        characters: "向和同时应要都但由经让请全相成解来于关安对信原位强位明平和国干利公支计路车连过可方常盘区满文普都索查")
}
