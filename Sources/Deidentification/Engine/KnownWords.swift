import DICOM

/// Words that name somebody in an object, for a quick look whether a short text needs cleaning at all.
struct KnownWords: Sendable {
    /// In lower case, without what separates the parts of a name.
    private var words: Set<[UInt8]> = []
    /// Whether there were more words than are remembered: then every text is looked at more closely.
    private var isOverfull = false

    /// The digits of identifiers, without zeros before them.
    private var numbers: Set<[UInt8]> = []

    private static let digitRunLimit = 7
    /// Digits of a number that is somebody's wherever it stands; shorter ones are counts and measures as well.
    private static let numberMinimum = 6
    private static let wordLimit = 512

    mutating func insert(name: String) {
        for part in name.utf8.split(whereSeparator: { !Self.isLetter($0) && $0 < 0x80 }) where part.count >= 2 {
            insert(Array(part))
        }
        // How a surname in ideographs is written in letters.
        for group in name.split(separator: "=") {
            let surname = group.prefix { $0 != "^" && $0 != " " }
            for reading in Pinyin.surnameReadings(String(surname)) where reading.utf8.count >= 2 {
                insert(Array(reading.utf8))
            }
            if let first = surname.unicodeScalars.first, first.value >= 0x3400 {
                for reading in Pinyin.readings(of: first) where reading.utf8.count >= 3 { insert(Array(reading.utf8)) }
            }
        }
    }

    mutating func insert(_ value: String) {
        if value.utf8.count >= 3 { insert(Array(value.utf8)) }
    }

    mutating func insert(identifier: String) {
        insert(identifier)
        let number = Self.number(identifier.utf8)
        guard number.count >= Self.numberMinimum else { return }
        if numbers.count < Self.wordLimit { numbers.insert(number) } else { isOverfull = true }
    }

    private static func number(_ text: some Sequence<UInt8>) -> [UInt8] {
        Array(text.filter { $0 &- 0x30 < 10 }.drop { $0 == 0x30 })
    }

    /// Whether a number, or what is before its point, is that of an identifier; where more are known than are remembered, every long one is.
    func isIdentifier(_ value: ArraySlice<UInt8>) -> Bool {
        let whole = value.prefix { $0 != 0x2E }
        guard whole.count >= Self.numberMinimum else { return false }
        let number = Self.number(whole)
        return number.count >= Self.numberMinimum && (isOverfull || numbers.contains(number))
    }

    private mutating func insert(_ word: [UInt8]) {
        if words.count < Self.wordLimit { words.insert(word.map(Self.lower)) } else { isOverfull = true }
    }

    /// Whether a text holds none of the words.
    func areMissing(in text: [UInt8]) -> Bool {
        areMissing(inLower: text.map(Self.lower))
    }

    private func areMissing(inLower text: [UInt8]) -> Bool {
        !isOverfull && !words.contains { Self.contains(text, $0) }
    }

    /// Whether a text that tells of a device may stay as it is: it holds none of the words, and nothing that looks like a
    /// number of somebody, an address or Chinese.
    func maySay(_ text: [UInt8]) -> Bool {
        var run = 0
        for byte in text {
            if byte >= 0x80 || byte == 0x40 { return false }
            run = byte &- 0x30 < 10 ? run + 1 : 0
            if run >= Self.digitRunLimit { return false }
        }
        let lower = text.map(Self.lower)
        if Self.contains(lower, Array("://".utf8)) || Self.contains(lower, Array("www.".utf8)) { return false }
        return areMissing(inLower: lower)
    }

    private static func contains(_ text: [UInt8], _ word: [UInt8]) -> Bool {
        guard let first = word.first, word.count <= text.count else { return false }
        for start in 0...text.count - word.count where text[start] == first {
            if text[start..<start + word.count].elementsEqual(word) { return true }
        }
        return false
    }

    private static func lower(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }
    private static func isLetter(_ byte: UInt8) -> Bool { lower(byte) &- 0x61 < 26 || byte >= 0x80 }

    /// Whether a coding scheme is one of many users, so that its codes name nobody. PS3.16 §8.
    static func isStandard(scheme: String?) -> Bool {
        switch scheme {
        case "DCM", "SCT", "SRT", "SNM3", "99SDM", "LN", "UCUM", "RADLEX", "FMA", "UMLS", "MDC", "NCIt", "BI", "ACR",
            "I10", "I10P", "I9", "I9C", "CPT4", "C4", "HL7", "ISO3166_1", "RFC5646", "IBSI", "NEU", "NYUMCCG",
            "RFC3066",
            "TCIA", "UNS", "UBERON", "ITIS_TSN", "MA", "MAYOASRG", "PATHLEX", "CD4", "ICDO3", "BARI", "BRLN", "POS":
            true
        default: false
        }
    }
}
