/// The data dictionary. PS3.6 §6 to §9, PS3.7 §E.
///
/// Read from its text once, at first use; then any thread may ask, at the cost of a binary search.
public enum Dictionary {
    /// The value representation of an attribute; nil for private and unknown ones.
    ///
    /// Where the standard leaves a choice this says US for US or SS, OW for OB or OW.
    public static func vr(of tag: Tag) -> VR? {
        if tag.isGroupLength { return .UL }
        if tag.isPrivate { return tag.isPrivateCreator ? .LO : nil }
        return table.entry(of: tag).flatMap { VR(rawValue: $0.vr) }
    }

    /// The keyword of an attribute, such as `PatientID`.
    public static func keyword(of tag: Tag) -> String? {
        guard !tag.isPrivate, let entry = table.entry(of: tag) else { return nil }
        return table.keyword(of: entry)
    }

    /// The tag of a keyword.
    public static func tag(keyword: String) -> Tag? { keywords[keyword] }

    private static let table = AttributeIndex()

    /// The tag of every keyword; of repeating groups, the first.
    public static let keywords: [String: Tag] = {
        var result: [String: Tag] = [:]
        result.reserveCapacity(table.entries.count)
        for (tag, entry) in zip(table.tags, table.entries) { result[table.keyword(of: entry)] = Tag(tag) }
        for entry in table.repeating { result[table.keyword(of: entry.entry)] = Tag(entry.tag) }
        return result
    }()
}

/// The sorted table that `AttributeTable` is read into.
private struct AttributeIndex: Sendable {
    struct Entry: Sendable {
        var vr: UInt16
        var keywordCount: UInt8
        /// Whether the keyword lies in the text of the repeating groups.
        var isRepeating = false
        var keywordOffset: UInt32
    }
    struct Repeating: Sendable {
        var tag: UInt32
        var mask: UInt32
        var entry: Entry
    }

    private(set) var tags: [UInt32] = []
    private(set) var entries: [Entry] = []
    private(set) var repeating: [Repeating] = []

    init() {
        tags.reserveCapacity(AttributeTable.count)
        entries.reserveCapacity(AttributeTable.count)
        Self.read(AttributeTable.lines) { tag, _, entry in
            tags.append(tag)
            entries.append(entry)
        }
        Self.read(AttributeTable.repeating) { tag, mask, entry in
            var entry = entry
            entry.isRepeating = true
            repeating.append(Repeating(tag: tag, mask: mask, entry: entry))
        }
    }

    /// Lines of eight digits, two letters and a keyword; an X digit matches any.
    private static func read(_ text: StaticString, each: (UInt32, UInt32, Entry) -> Void) {
        text.withUTF8Buffer { bytes in
            var start = 0
            while start < bytes.count {
                var tag: UInt32 = 0
                var mask: UInt32 = 0
                for index in start..<start + 8 {
                    let digit = Hexadecimal.value(of: bytes[index])
                    tag = tag << 4 | UInt32(digit ?? 0)
                    mask = mask << 4 | (digit == nil ? 0 : 0xF)
                }
                let vr = UInt16(bytes[start + 8]) << 8 | UInt16(bytes[start + 9])
                var end = start + 10
                while end < bytes.count, bytes[end] != UInt8(ascii: "\n") { end += 1 }
                each(
                    tag, mask,
                    Entry(vr: vr, keywordCount: UInt8(end - start - 10), keywordOffset: UInt32(start + 10)))
                start = end + 1
            }
        }
    }

    func entry(of tag: Tag) -> Entry? {
        let found = tags.withUnsafeBufferPointer { tags -> Int? in
            var low = 0
            var high = tags.count
            while low < high {
                let middle = (low + high) / 2
                if tags[middle] < tag.rawValue { low = middle + 1 } else { high = middle }
            }
            return low < tags.count && tags[low] == tag.rawValue ? low : nil
        }
        if let found { return entries[found] }
        switch tag.group {
        case 0x0020, 0x0028, 0x1000, 0x1010, 0x5000...0x50FF, 0x6000...0x60FF, 0x7F00...0x7FFF:
            return repeating.first { tag.rawValue & $0.mask == $0.tag }?.entry
        default: return nil
        }
    }

    func keyword(of entry: Entry) -> String {
        let text = entry.isRepeating ? AttributeTable.repeating : AttributeTable.lines
        return text.withUTF8Buffer { bytes in
            let start = Int(entry.keywordOffset)
            return String(decoding: bytes[start..<start + Int(entry.keywordCount)], as: UTF8.self)
        }
    }
}
