import DICOM

/// Who a patient is: Patient ID (0010,0020) and its issuer (0010,0021), which may be empty.
public struct PatientIdentity: Hashable, Sendable {
    /// As in `InstanceRecord.patientKey`: a study whose patient has no ID has a patient of its own.
    public var key: String
    public var issuer: String

    public init(key: String, issuer: String) {
        self.key = key
        self.issuer = issuer
    }
}

/// A standing rule of the operator's: what it names is shown and sent with other attributes. The stored bytes stay.
///
/// Rules apply in the order of their numbers, each to what the ones before it made of an object.
public struct Correction: Sendable {
    public enum Kind: UInt8, Sendable {
        case merge = 1
        case split = 2
        case set = 3
    }

    /// What a rule applies to, as the rules before it left it.
    public enum Scope: Hashable, Sendable {
        case patient(PatientIdentity)
        case study(String, of: PatientIdentity)
        case series([String], inStudy: String, of: PatientIdentity)
    }

    /// Bytes of a rule's encoded attributes.
    public static let patchByteCountLimit = 16 << 10
    /// Bytes of a reason, and of an author's name.
    public static let reasonByteCountLimit = 1024
    /// Series that one split names.
    public static let seriesLimit = 1000

    /// Counts from 1 and is never used again.
    public var number: UInt64
    public var kind: Kind
    public var scope: Scope
    /// Attributes of the top level that take the place of the object's, text in UTF-8; an empty one empties it.
    public var patch: Dataset
    /// Attributes of the top level that are left out.
    public var removing: [Tag]
    /// The local operator.
    public var author: String
    public var reason: String
    /// Milliseconds since 1970, UTC.
    public var at: Int64

    public init(
        number: UInt64 = 0, kind: Kind, scope: Scope, patch: Dataset, removing: [Tag] = [], author: String,
        reason: String, at: Int64 = 0
    ) {
        self.number = number
        self.kind = kind
        self.scope = scope
        self.patch = patch
        self.removing = removing
        self.author = author
        self.reason = reason
        self.at = at
    }
}

/// A correction or what takes one back, as the journal keeps it.
public enum CorrectionEvent: Equatable, Sendable {
    case made(Correction)
    case undone(number: UInt64, author: String, reason: String)
}

extension Correction: Equatable {
    public static func == (one: Correction, other: Correction) -> Bool { one.encoded() == other.encoded() }

    /// The form that the journal and the catalogue keep.
    func encoded() -> [UInt8] {
        var writer = ByteWriter()
        write(to: &writer)
        return writer.bytes
    }

    init(encoded bytes: [UInt8]) throws(CatalogError) {
        var reader = ByteReader(bytes)
        try self.init(from: &reader)
    }

    func write(to writer: inout ByteWriter) {
        writer.integer(number)
        writer.integer(kind.rawValue)
        writer.integer(at)
        let (level, series, study, patient) = scope.parts
        writer.integer(level)
        writer.texts(series)
        for text in [study, patient.key, patient.issuer, author, reason] { writer.text(text) }
        writer.dataset(patch)
        writer.integer(UInt32(removing.count))
        for tag in removing { writer.integer(tag.rawValue) }
    }

    init(from reader: inout ByteReader) throws(CatalogError) {
        number = try reader.integer()
        guard let kind = Kind(rawValue: try reader.integer()) else { throw .damagedRecord }
        self.kind = kind
        at = try reader.integer()
        let level: UInt8 = try reader.integer()
        let series = try reader.texts(limit: Self.seriesLimit)
        let study = try reader.text()
        let patient = PatientIdentity(key: try reader.text(), issuer: try reader.text())
        switch level {
        case 0: scope = .patient(patient)
        case 1: scope = .study(study, of: patient)
        case 2: scope = .series(series, inStudy: study, of: patient)
        default: throw .damagedRecord
        }
        author = try reader.text()
        reason = try reader.text()
        patch = try reader.dataset()
        // Of the journal's own text, not of what is corrected.
        patch.remove(.specificCharacterSet)
        removing = []
        for _ in 0..<(try reader.integer(UInt32.self)) { removing.append(Tag(try reader.integer(UInt32.self))) }
    }
}

extension Correction.Scope {
    fileprivate var parts: (level: UInt8, series: [String], study: String, patient: PatientIdentity) {
        switch self {
        case .patient(let patient): (0, [], "", patient)
        case .study(let study, let patient): (1, [], study, patient)
        case .series(let series, let study, let patient): (2, series, study, patient)
        }
    }

    public var patient: PatientIdentity { parts.patient }
}

extension CorrectionEvent {
    func write(to writer: inout ByteWriter) {
        switch self {
        case .made(let correction):
            writer.integer(UInt8(1))
            correction.write(to: &writer)
        case .undone(let number, let author, let reason):
            writer.integer(UInt8(2))
            writer.integer(number)
            writer.text(author)
            writer.text(reason)
        }
    }

    init(from reader: inout ByteReader) throws(CatalogError) {
        switch try reader.integer(UInt8.self) {
        case 1: self = .made(try Correction(from: &reader))
        case 2: self = .undone(number: try reader.integer(), author: try reader.text(), reason: try reader.text())
        default: throw .damagedRecord
        }
    }
}

extension ByteWriter {
    fileprivate mutating func texts(_ values: [String]) {
        integer(UInt32(values.count))
        for value in values { text(value) }
    }
}

extension ByteReader {
    fileprivate mutating func texts(limit: Int) throws(CatalogError) -> [String] {
        let count = try integer(UInt32.self)
        guard count <= limit else { throw .damagedRecord }
        var values: [String] = []
        for _ in 0..<count { values.append(try text()) }
        return values
    }
}
