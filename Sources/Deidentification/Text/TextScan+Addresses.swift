extension TextScan {
    /// Ideographs of one part of an address.
    private static let partLimit = 12
    /// Parts of an address.
    private static let chainLimit = 12
    /// Units of an address behind its label.
    private static let labelledLimit = 120

    private static let areas = UnitSet(characters: "省市县州盟旗区")
    private static let roads = UnitSet(characters: "路街道巷弄")
    private static let buildings = UnitSet(characters: "号栋幢楼座室层组队元")
    private static let settlements = UnitSet(characters: "镇乡村庄屯里坊园苑院厦场城寨湾桥")
    private static let starts = UnitSet(characters: "住于在址自到从为是往来赴返由至离系籍地")

    private static let provinces: WordTrie<Bool> = {
        var trie = WordTrie<Bool>()
        let names = """
            北京 天津 上海 重庆 河北 山西 辽宁 吉林 黑龙江 江苏 浙江 安徽 福建 江西 山东 河南 湖北 湖南 广东 海南 四川 贵州 云南 陕西 甘肃 青海 台湾 内蒙古 广西 西藏 宁夏 新疆 香港 \
            澳门 广州 深圳 杭州 南京 武汉 成都 西安 苏州 郑州 长沙 沈阳 青岛 宁波 东莞 无锡 合肥 昆明 大连 厦门 济南 福州 温州 哈尔滨 长春 石家庄 泉州 南宁 贵阳 南昌 金华 常州 嘉兴 南通 徐州 太原 珠海 \
            中山 惠州 台州 烟台 兰州 绍兴 海口 扬州 乌鲁木齐 呼和浩特 银川 西宁 拉萨 台北 高雄 九龙 新界
            """
        for name in names.split(whereSeparator: \.isWhitespace) {
            trie.insert(FoldedText.units(of: String(name)), true)
        }
        return trie
    }()

    // MARK: Found by themselves

    /// A part of an address ends here: its beginning is looked for, and what follows.
    mutating func findPlace(at index: Int) {
        if let named = Self.provinces.longest(in: units, at: index, isWhole: { _ in true }) {
            let end = endOfChain(from: named.end, isWithin: true)
            if end.parts >= 1, end.isStrong || end.parts >= 2 { add(index..<end.index, .address) }
            return
        }
        let unit = units[index]
        if Self.areas.contains(unit) {
            findArea(endingAt: index)
        } else if Self.roads.contains(unit) {
            findRoad(endingAt: index)
        } else if Self.buildings.contains(unit), isNumeral(index - 1) {
            findBuilding(endingAt: index)
        }
    }

    /// Where the name before a suffix begins.
    private func startOfPart(endingAt suffix: Int, limit: Int) -> Int {
        var start = suffix
        while suffix - start < limit, isIdeograph(start - 1), !Self.starts.contains(unit(start - 1)),
            !Self.areas.contains(unit(start - 1)), !Self.buildings.contains(unit(start - 1))
        {
            start -= 1
        }
        return start
    }

    /// An area of another one, or one that people come from.
    private mutating func findArea(endingAt suffix: Int) {
        let start = startOfPart(endingAt: suffix, limit: 8)
        let count = suffix - start
        guard count >= 1, count <= 8, unit(suffix) != 0x533A || count >= 2 else { return }
        let chain = endOfChain(from: suffix + 1, isWithin: true)
        let isArea = unit(suffix) == 0x533A
        if chain.parts >= (isArea ? 2 : 1), chain.isStrong || chain.parts >= 2 {
            return add(start..<chain.index, .address)
        }
        // A town or county alone.
        let isCounty = unit(suffix) == 0x5E02 || unit(suffix) == 0x53BF
        guard isCounty, (2...3).contains(count), !isIdeograph(start - 1) || Self.starts.contains(unit(start - 1)),
            ![0x8D85, 0x90FD, 0x6211, 0x672C, 0x5168, 0x8BE5, 0x5404].contains(unit(suffix - 1)),
            ![0x573A, 0x9762, 0x7ACB, 0x7EA7, 0x533B].contains(unit(suffix + 1))
        else { return }
        add(start..<suffix + 1, .address)
    }

    /// A road with a number.
    private mutating func findRoad(endingAt suffix: Int) {
        let next = skipSpaces(suffix + 1, limit: 1)
        guard isNumeral(next) else { return }
        var end = next
        while end - next < 8, isNumeral(end) || unit(end) == 0x2D { end += 1 }
        guard [0x53F7, 0x5F04, 0x5DF7, 0x680B, 0x5E62].contains(unit(end)) else { return }
        let start = startOfPart(endingAt: suffix, limit: 6)
        guard suffix - start >= 1 else { return }
        add(start..<endOfChain(from: end + 1, isWithin: true).index, .address)
    }

    /// A building with what is in it: `3栋2单元501室`.
    private mutating func findBuilding(endingAt suffix: Int) {
        let isBuilding = [0x680B, 0x5E62, 0x697C, 0x5EA7, 0x53F7].contains(unit(suffix))
        guard isBuilding else { return }
        let chain = endOfChain(from: suffix + 1, isWithin: false)
        guard chain.parts >= 1, chain.isNumbered else { return }
        var start = suffix
        while suffix - start < 6, isNumeral(start - 1) || isLetter(start - 1) || unit(start - 1) == 0x2D { start -= 1 }
        add(start..<chain.index, .address)
    }

    private func isNumeral(_ index: Int) -> Bool {
        isDigit(index) || TextUnit.ideographicDigit(unit(index)) != nil || unit(index) == 0x5341
            || unit(index) == 0x767E
            || isLetter(index) && !isLetter(index + 1) && !isLetter(index - 1)
    }

    /// The end of the parts that follow one another.
    ///
    /// - Parameter isWithin: whether what came before was a place, so that a name and a suffix are enough.
    private func endOfChain(
        from start: Int, isWithin: Bool
    ) -> (index: Int, parts: Int, isStrong: Bool, isNumbered: Bool) {
        var result = (index: start, parts: 0, isStrong: false, isNumbered: false)
        for _ in 0..<Self.chainLimit {
            let begin = skipSpaces(result.index, limit: 1)
            guard let part = endOfPart(from: begin, isWithin: isWithin || result.parts > 0) else { break }
            result.index = part.end
            result.parts += 1
            result.isStrong = result.isStrong || part.isStrong
            result.isNumbered = result.isNumbered || part.isNumbered
        }
        return result
    }

    private func endOfPart(from start: Int, isWithin: Bool) -> (end: Int, isStrong: Bool, isNumbered: Bool)? {
        var index = start
        if unit(index) == 0x2C, isIdeograph(index + 1) { index += 1 }
        let begin = index
        while index - begin < Self.partLimit,
            isIdeograph(index) || isAlphanumeric(index) || unit(index) == 0x2D || unit(index) == 0x23
        {
            let unit = unit(index)
            let count = index - begin
            let isNumbered = isNumeral(index - 1) && count > 0
            if Self.buildings.contains(unit), isNumbered || unit == 0x5143 && self.unit(index - 1) == 0x5355 {
                var end = index + 1
                if unit == 0x53F7, [0x697C, 0x9662, 0x95E8].contains(self.unit(end)) { end += 1 }
                if unit == 0x697C, self.unit(end) == 0x5C42 { end += 1 }
                return (end, true, true)
            }
            if !isWithin, !isNumbered, TextUnit.isIdeograph(unit), count >= 3 { return nil }
            if Self.areas.contains(unit), count >= 1, isWithin, self.unit(index + 1) != 0x533B {
                // 医院 and what belongs to a body are no places.
                if count <= 7 { return (index + 1, count >= 2, false) }
            }
            if Self.roads.contains(unit), count >= 1, isWithin {
                return (unit == 0x8857 && self.unit(index + 1) == 0x9053 ? index + 2 : index + 1, true, false)
            }
            if Self.settlements.contains(unit), count >= 2, isWithin, unit != 0x9662 || self.unit(index - 1) != 0x533B {
                return (index + 1, true, false)
            }
            index += 1
        }
        // A number of a room stands at the end without a word behind it.
        if isWithin, index > begin, (begin..<index).allSatisfy({ isDigit($0) || unit($0) == 0x2D }), index - begin <= 6,
            isDigit(begin), !isSpace(begin - 1)
        {
            return (index, false, false)
        }
        return nil
    }

    // MARK: Labelled

    /// An address behind its label: to the end of the line, or to what is no part of it.
    mutating func findAddress(at start: Int, isMarked: Bool) {
        let isChinese = (start..<min(start + 40, units.count)).contains { isIdeograph($0) }
        if isDigit(start), endOfDigits(start) - start == 6, !isAlphanumeric(start + 6) {
            return add(start..<start + 6, .address)
        }
        var end = start
        var last = start
        while end - start < Self.labelledLimit {
            let unit = unit(end)
            if TextUnit.isNewline(unit) || unit == FoldedText.barrier || unit == 0x3002 || unit == 0x3B { break }
            if isSpace(end), isSpace(end + 1) { break }
            if isChinese {
                if unit == 0x2C || unit == 0x3001 || isSpace(end), !goesOn(end + 1) { break }
                if unit == 0x28 || unit == 0x29 || unit == 0x3A { break }
            } else if unit == 0x2E, isSpace(end + 1), !isAbbreviation(end) {
                break
            }
            if end > start, isLetter(end), !isWordLetter(end - 1),
                let label = TextLabel.trie.longest(in: units, at: end, isWhole: { !isWordLetter($0) }),
                self.unit(label.end) == 0x3A
            {
                break
            }
            if isChinese, end > start, let label = TextLabel.trie.longest(in: units, at: end, isWhole: { _ in true }),
                self.unit(label.end) == 0x3A
            {
                break
            }
            end += 1
            if !isSpace(end - 1) { last = end }
        }
        guard isMarked || isChinese && goesOn(start) || isDigit(start) else { return }
        // Without a colon only what ends as an address does.
        if !isMarked, isChinese {
            let chain = endOfChain(from: start, isWithin: true)
            if chain.parts > 0 { add(start..<chain.index, .address) }
            return
        }
        add(start..<last, .address)
    }

    /// Whether a suffix of a place comes soon.
    private func goesOn(_ start: Int) -> Bool {
        for index in start..<start + 14 {
            if !isIdeograph(index), !isAlphanumeric(index), unit(index) != 0x2D { return false }
            let unit = unit(index)
            if Self.areas.contains(unit) || Self.roads.contains(unit) || Self.settlements.contains(unit) { return true }
            if Self.buildings.contains(unit), isNumeral(index - 1) { return true }
        }
        return false
    }

    private func isAbbreviation(_ point: Int) -> Bool {
        var begin = point
        while point - begin < 6, isLetter(begin - 1) { begin -= 1 }
        return [
            "ST", "RD", "AVE", "NO", "APT", "DR", "BLVD", "LN", "N", "S", "E", "W", "STE", "FL", "BLDG", "CT", "MT",
        ].contains(
            word(begin..<point))
    }

    // MARK: Streets in English

    private static let streets: Set<String> = [
        "STREET", "ST", "ROAD", "RD", "AVENUE", "AVE", "LANE", "LN", "DRIVE", "BOULEVARD", "BLVD", "HIGHWAY", "HWY",
        "TERRACE",
        "PARKWAY", "SQUARE", "ALLEY", "CRESCENT", "CLOSE",
    ]
    private static let regions: Set<String> = [
        "DISTRICT", "CITY", "PROVINCE", "COUNTY", "TOWN", "TOWNSHIP", "VILLAGE", "CHINA", "USA", "UK", "STATE",
        "MUNICIPALITY",
    ]

    /// A number, up to five words, and a word for a street.
    mutating func findStreet(at start: Int) {
        var index = endOfDigits(start, limit: 7)
        guard index - start <= 6, unit(start - 1) != 0x2E else { return }
        if isLetter(index), !isLetter(index + 1) { index += 1 }
        if unit(index) == 0x2C { index += 1 }
        var end: Int?
        for count in 0..<6 {
            let begin = skipSpaces(index, limit: 2)
            guard begin > index, isLetter(begin) || isDigit(begin) else { return }
            if isDigit(begin) {
                index = endOfDigits(begin)
                while isLetter(index) { index += 1 }
                continue
            }
            let wordEnd = endOfWord(begin)
            guard isCapital(begin) else { return }
            let word = word(begin..<wordEnd)
            if count > 0, Self.streets.contains(word) {
                end = unit(wordEnd) == 0x2E ? wordEnd + 1 : wordEnd
                break
            }
            // Words of medicine between a number and `ST` are no street.
            if Lexicon.isOrdinary(word), !Self.namesOfStreets.contains(word) { return }
            index = unit(wordEnd) == 0x2E ? wordEnd + 1 : wordEnd
        }
        guard var last = end else { return }
        for _ in 0..<6 {
            let comma = skipSpaces(last, limit: 1)
            guard unit(comma) == 0x2C else { break }
            guard let part = endOfRegion(comma + 1) else { break }
            last = part
        }
        var begin = start
        if unit(begin - 1) == 0x20, unit(begin - 2) == 0x2E, unit(begin - 3) == 0x4F, unit(begin - 4) == 0x4E {
            begin -= 4
        }
        add(begin..<last, .address)
    }

    private static let namesOfStreets: Set<String> = [
        "MAIN", "PARK", "CENTRAL", "NORTH", "SOUTH", "EAST", "WEST", "WATER", "FIRST", "SECOND", "THIRD", "HIGH", "NEW",
        "OLD", "WHITE",
        "GREEN", "HILL", "WALL", "LONG", "MIDDLE", "UPPER", "LOWER", "HEALTH", "HOSPITAL", "STATE", "ROSE", "FIELD",
        "MARKET",
    ]

    /// The end of a part between commas that is a town, a region or a number of a room.
    private func endOfRegion(_ start: Int) -> Int? {
        var index = skipSpaces(start)
        var last: Int?
        for count in 0..<4 {
            if isDigit(index) {
                let end = endOfDigits(index)
                if end - index >= 3 || count > 0 { last = end }
                if unit(end) == 0x2D, isDigit(end + 1) { last = endOfDigits(end + 1) }
                return last
            }
            guard isLetter(index), isCapital(index) else { break }
            let end = endOfWord(index)
            let word = word(index..<end)
            if Self.regions.contains(word) { return end }
            if count == 0, ["APT", "UNIT", "ROOM", "FLOOR", "SUITE", "STE", "FL", "BLDG", "BUILDING"].contains(word) {
                last = end
            } else if !Lexicon.isWord(word) {
                last = end
            } else {
                break
            }
            index = skipSpaces(unit(end) == 0x2E ? end + 1 : end)
            if index == end { break }
        }
        return last
    }

    // MARK: Institutions

    private static let institutions: WordTrie<Bool> = {
        var trie = WordTrie<Bool>()
        for name in ["医院", "卫生院", "卫生所", "诊所", "保健院", "疗养院", "医学院", "卫生服务中心", "体检中心", "医疗中心", "影像中心", "中医馆", "门诊部"] {
            trie.insert(FoldedText.units(of: name), true)
        }
        return trie
    }()
    private static let beforeInstitutions = UnitSet(characters: "在于由至往从经到自我本外该上级某住转送来入去地他贵原院各诸")

    /// The name of an institution, where the profile has them removed: from where it can begin to its last word.
    mutating func findInstitution(at index: Int) {
        guard known.known.removesInstitutions,
            let found = Self.institutions.longest(in: units, at: index, isWhole: { _ in true })
        else { return }
        var start = index
        while index - start < 16, isIdeograph(start - 1), !Self.beforeInstitutions.contains(unit(start - 1)) {
            start -= 1
        }
        guard index - start >= 2 else { return }
        add(start..<found.end, .institution)
    }
}
