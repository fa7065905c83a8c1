/// What `huizhen correct` asks for.
public enum CorrectionRequest: Codable, Sendable {
    /// A patient as ID, and issuer if it was named.
    public struct Patient: Codable, Sendable {
        public var patientID: String
        public var issuer: String?

        public init(patientID: String, issuer: String?) {
            self.patientID = patientID
            self.issuer = issuer
        }
    }

    /// An attribute by its keyword.
    public struct Assignment: Codable, Sendable {
        public var keyword: String
        public var value: String

        public init(keyword: String, value: String) {
            self.keyword = keyword
            self.value = value
        }
    }

    case list
    case merge(from: Patient, into: Patient, reason: String, isDryRun: Bool)
    case identify(study: String, into: Patient, reason: String, isDryRun: Bool)
    case split(
        study: String, series: [String], into: String?, patient: Patient?, reason: String, isDryRun: Bool)
    case setPatient(Patient, [Assignment], reason: String, isDryRun: Bool)
    case setStudy(String, [Assignment], reason: String, isDryRun: Bool)
    case setSeries(String, [Assignment], reason: String, isDryRun: Bool)
    case undo(number: UInt64, reason: String, isDryRun: Bool)
}

/// What a correction did, or would do.
public struct CorrectionSummary: Codable, Sendable {
    /// 0 for a dry run.
    public var number: UInt64
    public var studies: Int
    public var series: Int
    public var instances: Int
    public var studyInstanceUID: String?
    public var attributes: [String]

    public init(
        number: UInt64, studies: Int, series: Int, instances: Int, studyInstanceUID: String?, attributes: [String]
    ) {
        self.number = number
        self.studies = studies
        self.series = series
        self.instances = instances
        self.studyInstanceUID = studyInstanceUID
        self.attributes = attributes
    }
}

/// One correction with everything that is recorded of it.
public struct CorrectionReport: Codable, Sendable {
    public var number: UInt64
    public var kind: String
    /// Milliseconds since 1970, UTC.
    public var at: Int64
    public var author: String
    public var reason: String
    public var patientID: String
    public var issuer: String
    public var study: String?
    public var series: [String]
    /// By keyword.
    public var values: [String: String]
    public var removed: [String]
    /// Instances it applies to now.
    public var instances: Int
    public var undoneAt: Int64?
    public var undoneBy: String?
    public var undoneReason: String?

    public init(
        number: UInt64, kind: String, at: Int64, author: String, reason: String, patientID: String, issuer: String,
        study: String?, series: [String], values: [String: String], removed: [String], instances: Int
    ) {
        self.number = number
        self.kind = kind
        self.at = at
        self.author = author
        self.reason = reason
        self.patientID = patientID
        self.issuer = issuer
        self.study = study
        self.series = series
        self.values = values
        self.removed = removed
        self.instances = instances
    }
}
