extension TextScan {
    /// Units of an address on either side of the sign.
    private static let sideLimit = 64

    /// An at sign: what stands on both sides of it.
    mutating func findElectronicAddress(at sign: Int) {
        var begin = sign
        while sign - begin < Self.sideLimit, isLocalPart(begin - 1) { begin -= 1 }
        var start = sign + 1
        if begin == sign, isSpace(sign - 1), isLocalPart(sign - 2) {
            begin = sign - 1
            while sign - begin < Self.sideLimit, isLocalPart(begin - 1) { begin -= 1 }
        }
        if isSpace(start) { start += 1 }
        guard begin < sign, let end = endOfDomain(start) ?? endOfHost(start) else { return }
        add(begin..<end, .electronicAddress)
    }

    private func isLocalPart(_ index: Int) -> Bool {
        if isAlphanumeric(index) { return true }
        switch unit(index) {
        case 0x2E, 0x5F, 0x2D, 0x2B, 0x25, 0x26, 0x27, 0x21, 0x23: return true
        default: return false
        }
    }

    /// The end of labels with points between them, the last of two letters or more.
    private func endOfDomain(_ start: Int) -> Int? {
        var end = start
        var last = start
        var count = 0
        while end - start < 128 {
            let labelStart = end
            while end - labelStart < 63, isAlphanumeric(end) || unit(end) == 0x2D { end += 1 }
            guard end > labelStart else { break }
            if count > 0, end - labelStart >= 2, isLetter(labelStart) { last = end }
            count += 1
            guard unit(end) == 0x2E, isAlphanumeric(end + 1) else { break }
            end += 1
        }
        return last > start ? last : nil
    }

    /// A host without points, as in addresses inside a house.
    private func endOfHost(_ start: Int) -> Int? {
        guard isLetter(start) else { return nil }
        var end = start
        while end - start < 63, isAlphanumeric(end) || unit(end) == 0x2D { end += 1 }
        return end - start >= 2 ? end : nil
    }

    /// Where `scheme://` or `www.` begins.
    ///
    /// - Returns: the end of what was found.
    mutating func findURL(at start: Int, wordEnd: Int) -> Int? {
        let hasScheme = unit(wordEnd) == 0x3A && unit(wordEnd + 1) == 0x2F && unit(wordEnd + 2) == 0x2F
        if hasScheme || matches("WWW.", at: start) {
            var end = hasScheme ? wordEnd + 3 : start
            while !isEndOfURL(unit(end)) { end += 1 }
            while end > start, [0x2E, 0x2C, 0x29, 0x3B].contains(unit(end - 1)) { end -= 1 }
            add(start..<end, .networkAddress)
            return end
        }
        guard unit(wordEnd) == 0x2E || unit(wordEnd) == 0x2D || isDigit(wordEnd), let end = endOfDomain(start) else {
            return nil
        }
        var begin = end
        while begin > start, isLetter(begin - 1) { begin -= 1 }
        guard Self.topDomains.contains(word(begin..<end)) else { return nil }
        var rest = end
        if unit(end) == 0x2F { while !isEndOfURL(unit(rest)) { rest += 1 } }
        add(start..<rest, .networkAddress)
        return rest
    }

    private static let topDomains: Set<String> = [
        "COM", "CN", "ORG", "NET", "EDU", "GOV", "HK", "TW", "INFO", "IO", "CLOUD", "LOCAL", "XYZ", "TOP", "VIP", "LAN",
    ]

    private func isEndOfURL(_ unit: UInt32) -> Bool {
        unit <= 0x20 || unit >= 0x7F || unit == 0x22 || unit == 0x3C || unit == 0x3E
    }

    /// The end of four numbers up to 255 with points between them.
    func endOfAddressIP(_ start: Int) -> Int? {
        var index = start
        for place in 0..<4 {
            let end = endOfDigits(index, limit: 4)
            guard end > index, end - index <= 3, number(index..<end) <= 255 else { return nil }
            index = end
            if place < 3 {
                guard unit(index) == 0x2E, isDigit(index + 1) else { return nil }
                index += 1
            }
        }
        return unit(index) == 0x2E && isDigit(index + 1) ? nil : index
    }

    /// Groups of hexadecimal digits with colons between them: addresses of networks and of devices.
    mutating func findHexadecimalAddress(at start: Int) {
        guard unit(start - 1) != 0x3A, !isAlphanumeric(start - 1) else { return }
        var index = start
        var count = 0
        var isEmpty = false
        var hasLetter = false
        while count < 9 {
            let groupStart = index
            while index - groupStart < 5, isDigit(index) || (0x41...0x46).contains(unit(index)) {
                hasLetter = hasLetter || isLetter(index)
                index += 1
            }
            guard index - groupStart <= 4 else { return }
            if index == groupStart {
                isEmpty = true
            }
            count += 1
            guard unit(index) == 0x3A || count > 1 && unit(index) == 0x2D && unit(start + 2) == 0x2D else { break }
            index += 1
            if unit(index) == 0x3A { isEmpty = true }
        }
        guard count >= 6 || count >= 3 && isEmpty && hasLetter, !isLetter(index) else { return }
        add(start..<index, .networkAddress)
    }
}
