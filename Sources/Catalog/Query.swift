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

/// What is asked of the catalogue.
public struct Query: Sendable {
    public var level: QueryLevel
    /// Keys with text in UTF-8; an empty value matches everything and asks for the attribute.
    public var keys: Dataset
    public var visibility: Visibility
    /// The most matches to give; one more tells the caller that there are others.
    public var limit: Int?
    public var offset: Int

    public init(level: QueryLevel, keys: Dataset, visibility: Visibility, limit: Int? = nil, offset: Int = 0) {
        self.level = level
        self.keys = keys
        self.visibility = visibility
        self.limit = limit
        self.offset = offset
    }
}

/// One match: the attributes of its level and of the levels above, those the catalogue computes included.
public struct Match: Sendable {
    public var attributes: Dataset
    /// Set at instance level.
    public var holding: Holding?
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
