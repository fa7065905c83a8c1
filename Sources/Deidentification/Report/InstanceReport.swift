import DICOM

/// What was done to one instance: by path, rule and action, never by value.
public struct InstanceReport: Sendable {
    /// Entries of one report; what is more is only counted.
    public static let entryLimit = 10_000

    public struct Entry: Sendable, Codable, Hashable {
        /// Tags from the outside in, items counted from 1: `(0040,A730)[2].(0040,A160)`.
        public var path: String
        public var rule: Rule
        public var action: String
        /// Bytes of the old value as it was held.
        public var byteCount: Int
        /// A keyed digest of the old value; nil for a sequence.
        public var digest: String?
        /// How often: rectangles, words or frames of a picture.
        public var count = 1
    }

    public private(set) var entries: [Entry] = []
    /// How often each rule did something.
    public private(set) var counts: [Rule: Int] = [:]
    /// Whether there was more than is listed.
    public private(set) var isCut = false

    mutating func note(_ entry: @autoclosure () -> Entry, rule: Rule, count: Int = 1) {
        counts[rule, default: 0] += count
        if entries.count < Self.entryLimit { entries.append(entry()) } else { isCut = true }
    }
}

extension Action {
    /// The word of the report.
    var word: String {
        switch self {
        case .keep: "kept"
        case .clean: "cleaned"
        case .shift: "moved"
        case .uid: "mapped"
        case .dummy: "replaced"
        case .empty: "emptied"
        case .remove: "removed"
        }
    }
}
