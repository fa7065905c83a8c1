import DICOM

/// Values that stay, as far as they are what their VR allows.
extension HeaderPass {
    func kept(_ element: Element, _ ruling: Ruling) throws(Quarantine) -> Element? {
        switch element.value {
        case .items(let items): return try keptItems(element, items, ruling)
        case .bulk, .fragments:
            note(element, .notOfItsVR, .remove)
            return nil
        case .bytes(let bytes): return try kept(element, bytes, ruling)
        }
    }

    private func kept(_ element: Element, _ bytes: [UInt8], _ ruling: Ruling) throws(Quarantine) -> Element? {
        switch element.vr {
        case .LO, .SH, .ST, .LT, .UT, .UC, .AE:
            if element.tag == .timezoneOffsetFromUTC { return zone(element, bytes, ruling) }
            // What an option retains is retained unchanged. PS3.15 Table E.1-1a.
            if ruling.action == .keep, ruling.rule == .confidentialityTable || ruling.rule == .siteRule {
                return element
            }
            if ruling.action == .keep, mayStay(element, bytes) { return element }
            return cleaned(element, bytes)
        case .PN:
            if ruling.rule == .siteRule { return element }
            return try replaced(element, ruling)
        case .UI: return try keptUID(element, bytes, ruling)
        case .DA, .DT, .TM: return dated(element, bytes, ruling)
        case .AS: return aged(element, bytes, ruling)
        case .CS: return keptCode(element, bytes)
        case .DS, .IS: return keptChecked(element, bytes, ruling)
        case .UR: return cleaned(element, bytes)
        case .OB, .OW, .UN, .OF, .OD, .OL, .OV: return try keptBinary(element, bytes, ruling)
        default:
            // Numbers: whole ones.
            if bytes.count % element.vr.unitByteCount == 0 { return element }
            return without(element, ruling)
        }
    }

    // MARK: Sequences

    private func keptItems(_ element: Element, _ items: [Dataset], _ ruling: Ruling) throws(Quarantine) -> Element? {
        var result: [Dataset] = []
        result.reserveCapacity(items.count)
        let isContent = Self.isContent(element.tag)
        for (index, item) in items.enumerated() {
            path.append((element.tag, index + 1))
            defer { path.removeLast() }
            if isContent {
                if let item = try contentItem(item, in: element.tag) { result.append(item) }
            } else {
                result.append(try dataset(item, in: element.tag))
            }
        }
        if result.isEmpty, ruling.needsValue, element.tag == .contentSequence { result = [DummyValue.contentItem] }
        return Element(element.tag, .SQ, .items(result))
    }

    /// Sequences whose items are content items. PS3.15 §E.3.4.
    private static func isContent(_ tag: Tag) -> Bool {
        switch tag.rawValue {
        case 0x0040_A730, 0x0040_0555, 0x0040_0612, 0x0040_B020, 0x0040_0440, 0x0040_4019: true
        default: false
        }
    }

    // MARK: Text

    /// Free text without what identifies anybody; known names go from every text that stays.
    func cleaned(_ element: Element, _ bytes: [UInt8]) -> Element {
        let text = String(decoding: bytes, as: UTF8.self)
        let result = cleaned(text, vr: element.vr)
        if result == text { return element }
        note(element, .freeText, .clean)
        return Element(element.tag, element.vr, .bytes(Array(result.utf8)))
    }

    private func cleaned(_ source: String, vr: VR) -> String {
        let text = MisreadText.chinese(source) ?? source
        let limit = ValueCheck.characterLimit(vr)
        guard vr.hasSeveralValues, text.utf8.contains(UInt8(ascii: "\\")) else { return cleaned(one: text, limit) }
        return text.split(separator: "\\", omittingEmptySubsequences: false)
            .map { cleaned(one: String($0), limit) }.joined(separator: "\\")
    }

    private func cleaned(one text: String, _ limit: Int?) -> String {
        var result = ""
        // UIDs are taken out before, for they look like long numbers.
        for part in UIDTokens.parts(text, own: ownUIDs) {
            switch part {
            case .text(let text): result += cleaner.clean(text).text
            case .uid(let uid):
                let isKept =
                    WellKnownUIDs.contains(uid)
                    || (profile.has(.retainUIDs) && words.areMissing(in: Array(uid.utf8)))
                result += isKept ? uid : (try? pseudonyms.uid(uid)) ?? ""
            }
        }
        if let limit, result.count > limit, text.count <= limit { result = String(result.prefix(limit)) }
        // A mark of the cleaner is no separator.
        let backslash = UInt8(ascii: "\\")
        guard result.utf8.contains(backslash), !text.utf8.contains(backslash) else { return result }
        return String(decoding: result.utf8.map { $0 == backslash ? UInt8(ascii: "/") : $0 }, as: UTF8.self)
    }

    /// Whether a text of which the table does not speak stays as it is: a short technical one, in which nothing stands
    /// that is known of somebody or looks like a number, an address or Chinese.
    private func mayStay(_ element: Element, _ bytes: [UInt8]) -> Bool {
        switch element.tag {
        case .codeValue, .codingSchemeDesignator, .codingSchemeVersion:
            return bytes.count <= 16 && bytes.allSatisfy { $0 > 0x20 && $0 < 0x7F }
                && (isStandardCode || words.maySay(bytes))
        default: break
        }
        switch element.vr {
        case .LO, .SH, .AE:
            let isTechnical = element.tag == .codeMeaning ? isStandardCode : Self.isTechnical(element.tag)
            return isTechnical && words.maySay(bytes)
        default: return false
        }
    }

    /// Manufacturer's Model Name and the like, which look like anything.
    private static func isTechnical(_ tag: Tag) -> Bool {
        switch tag.rawValue {
        case 0x0008_0070, 0x0008_1090, 0x0018_1020, 0x0018_1210, 0x0018_0024, 0x0018_1250, 0x0018_1251, 0x0018_1160,
            0x0018_9005, 0x0018_1016, 0x0018_1018, 0x0018_1019, 0x0018_1022, 0x0018_1023, 0x0028_1055,
            0x0028_3003, 0x0028_1054:
            true
        default: false
        }
    }

    /// A word of an enumeration; others are cleaned as text.
    private func keptCode(_ element: Element, _ bytes: [UInt8]) -> Element {
        if bytes.allSatisfy({ ($0 >= 0x41 && $0 <= 0x5A) || ($0 >= 0x30 && $0 <= 0x39) || " _\\".utf8.contains($0) }) {
            let isWord = bytes.split(separator: 0x5C).allSatisfy { $0.count <= 16 }
            // What names somebody goes through the cleaner, which looks more closely.
            if isWord, words.maySay(bytes) { return element }
            // What gives a structure its form names nobody, whoever is called so, nor does a part of the body.
            let words = element.tag == .bodyPartExamined ? BodyParts.words : DummyValue.words
            if bytes.split(separator: 0x5C).allSatisfy({ words.contains(String(decoding: $0, as: UTF8.self)) }) {
                return element
            }
        }
        let result = cleaned(element, bytes)
        guard case .bytes(let text) = result.value, text != bytes else { return result }
        // The cleaner's marks are no codes.
        let values = text.split(separator: 0x5C, omittingEmptySubsequences: false).map { value in
            let isMarked = !ValueCheck.isAllowed(String(decoding: value, as: UTF8.self), .CS)
            return isMarked ? DummyValue.bytes(.CS) : Array(value)
        }
        return Element(element.tag, .CS, .bytes(Array(values.joined(separator: [0x5C]))))
    }

    // MARK: Fixed forms

    private func keptChecked(_ element: Element, _ bytes: [UInt8], _ ruling: Ruling) -> Element? {
        var isIdentifier = false
        for value in bytes.split(separator: 0x5C) {
            let number = Self.trimmed(value)
            guard number.isEmpty || ValueCheck.isAllowed(number: number, element.vr) else {
                return without(element, ruling)
            }
            isIdentifier = isIdentifier || words.isIdentifier(value)
        }
        // A series that is numbered as its patient is.
        return isIdentifier ? without(element, ruling, .identityByName) : element
    }

    static func trimmed(_ value: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var value = value
        while value.first == 0x20 { value.removeFirst() }
        while let last = value.last, last == 0x20 || last == 0 { value.removeLast() }
        return value
    }

    /// Caps ages over 89 years.
    private func aged(_ element: Element, _ bytes: [UInt8], _ ruling: Ruling) -> Element? {
        let text = String(decoding: Self.trimmed(bytes[...]), as: UTF8.self)
        guard ValueCheck.isAllowed(text, .AS), let number = Int(text.prefix(3)) else { return without(element, ruling) }
        let years =
            switch text.last {
            case "D": number / 365
            case "W": number * 7 / 365
            case "M": number / 12
            default: number
            }
        if years <= 89 { return element }
        note(element, .age, .clean)
        return Element(element.tag, .AS, .bytes(Array("089Y".utf8)))
    }

    private func keptUID(_ element: Element, _ bytes: [UInt8], _ ruling: Ruling) throws(Quarantine) -> Element? {
        let isValid = bytes.split(separator: 0x5C).allSatisfy {
            UIDs.isValid(String(decoding: Self.trimmed($0), as: UTF8.self))
        }
        return isValid ? element : try mapped(element, ruling)
    }

    private func keptBinary(_ element: Element, _ bytes: [UInt8], _ ruling: Ruling) throws(Quarantine) -> Element? {
        if element.tag == .iccProfile { return try profileOfColor(element, bytes, ruling) }
        return element
    }

    /// A profile of colours without its texts; one that cannot be read goes, where it may.
    private func profileOfColor(_ element: Element, _ bytes: [UInt8], _ ruling: Ruling) throws(Quarantine) -> Element? {
        if let cleaned = ICCProfileText.cleaned(bytes) {
            if cleaned != bytes { note(element, .iccProfile, .clean) }
            return Element(element.tag, .OB, .bytes(cleaned))
        }
        if ruling.needsValue { throw .notReplaceable(element.tag) }
        note(element, .iccProfile, .remove)
        return nil
    }

    // MARK: What must go although it might stay

    /// In place of a value that is none of its VR, or somebody's.
    func without(_ element: Element, _ ruling: Ruling, _ rule: Rule = .notOfItsVR) -> Element? {
        note(element, rule, ruling.needsValue ? .dummy : .empty)
        return Element(element.tag, element.vr, .bytes(ruling.needsValue ? DummyValue.bytes(element.vr) : []))
    }
}

/// UIDs inside of text.
enum UIDTokens {
    enum Part {
        case text(String)
        case uid(String)
    }

    /// Five components and as many characters at least, so that versions and addresses are none.
    private static let componentMinimum = 5
    private static let characterMinimum = 14

    static func parts(_ text: String, own: Set<String>) -> [Part] {
        guard text.utf8.contains(0x2E) else { return [.text(text)] }
        let bytes = Array(text.utf8)
        var parts: [Part] = []
        var start = 0
        var index = 0
        while index < bytes.count {
            guard isPart(bytes[index]) else {
                index += 1
                continue
            }
            var end = index
            while end < bytes.count, isPart(bytes[end]) { end += 1 }
            var last = end
            // A full stop ends a sentence.
            while last > index, bytes[last - 1] == 0x2E { last -= 1 }
            var first = index
            while first < last, bytes[first] == 0x2E { first += 1 }
            let token = String(decoding: bytes[first..<last], as: UTF8.self)
            if isUID(token, own) {
                if first > start { parts.append(.text(String(decoding: bytes[start..<first], as: UTF8.self))) }
                parts.append(.uid(token))
                start = last
            }
            index = end
        }
        if start < bytes.count { parts.append(.text(String(decoding: bytes[start...], as: UTF8.self))) }
        return parts
    }

    private static func isPart(_ byte: UInt8) -> Bool { ValueCheck.isDigit(byte) || byte == 0x2E }

    private static func isUID(_ token: String, _ own: Set<String>) -> Bool {
        if own.contains(token) { return true }
        let bytes = token.utf8
        guard bytes.count >= characterMinimum, bytes.count <= UIDs.characterCountLimit else { return false }
        return bytes.count(where: { $0 == 0x2E }) >= componentMinimum - 1 && UIDs.isValid(token)
            || token.hasPrefix("2.25.") && UIDs.isValid(token)
    }
}
