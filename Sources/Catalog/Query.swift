import DICOM

/// The levels of the query model. PS3.4 §C.6.
public enum QueryLevel: Int, Sendable, Comparable, CaseIterable {
    case patient, study, series, instance

    public static func < (a: QueryLevel, b: QueryLevel) -> Bool { a.rawValue < b.rawValue }

    /// Reads (0008,0052).
    public init?(_ value: String) {
        switch value {
        case "PATIENT": self = .patient
        case "STUDY": self = .study
        case "SERIES": self = .series
        case "IMAGE": self = .instance
        default: return nil
        }
    }

    public var name: String {
        switch self {
        case .patient: "PATIENT"
        case .study: "STUDY"
        case .series: "SERIES"
        case .instance: "IMAGE"
        }
    }
}

/// How keys match beyond the baseline, as two sides agree by extended negotiation. PS3.4 §C.5.1.1.
public struct MatchingOptions: Sendable, Hashable {
    /// A range of dates and the range of times beside it are one range of moments. PS3.4 §C.2.2.2.5.
    public var combinesDateTime = false
    /// Names match without regard to marks on letters, each word of the query by the beginning of a word of the
    /// name, in any order. PS3.4 §C.2.2.2.1.1.
    public var isFuzzy = false
    /// Two quotation marks match an attribute without a value. PS3.4 §C.2.2.2.7.
    public var matchesEmptyValues = false
    /// A key of several values wants all of them. PS3.4 §C.2.2.2.8.
    public var matchesMultipleValues = false

    public init() {}
}

/// What is asked of the catalogue.
public struct Query: Sendable {
    public var level: QueryLevel
    /// Keys with text in UTF-8; an empty value matches everything and asks for the attribute.
    public var keys: Dataset
    public var visibility: Visibility
    /// The most matches to give; one more tells the caller that there are others.
    public var limit: Int?
    public var offset: Int
    public var options: MatchingOptions
    /// Whether the private attributes that are kept are answered too which no key asks for.
    public var includesPrivate: Bool

    public init(
        level: QueryLevel, keys: Dataset, visibility: Visibility, limit: Int? = nil, offset: Int = 0,
        options: MatchingOptions = MatchingOptions(), includesPrivate: Bool = false
    ) {
        self.level = level
        self.keys = keys
        self.visibility = visibility
        self.limit = limit
        self.offset = offset
        self.options = options
        self.includesPrivate = includesPrivate
    }
}

/// One match: the attributes of its level and of the levels above, those the catalogue computes included.
public struct Match: Sendable {
    public var attributes: Dataset
    /// Set at instance level.
    public var holding: Holding?

    public init(attributes: Dataset, holding: Holding? = nil) {
        self.attributes = attributes
        self.holding = holding
    }
}

/// Where one instance lies.
public struct Holding: Sendable, Hashable {
    public var sequence: UInt64
    public var sopInstanceUID: String
    public var sopClassUID: String
    public var studyInstanceUID: String
    public var transferSyntaxUID: String
    public var pack: UInt32
    public var byteOffset: UInt64
    public var byteCount: UInt64
    public var digest: [UInt8]
    public var studyKey: [UInt8]
    public var sender: Sender
}
