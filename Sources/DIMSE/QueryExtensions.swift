import Access
import DICOM
import Toolkit

/// What two sides of a query or retrieval may agree on beyond its baseline. PS3.4 §C.5.1.1, §C.5.2.1, §C.5.3.1.
public struct QueryExtensions: OptionSet, Sendable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Unique keys of the levels above may be left out.
    public static let relational = QueryExtensions(rawValue: 1)
    /// A date and its time are matched as one range.
    public static let combinedDateTime = QueryExtensions(rawValue: 2)
    /// Person names match by how they sound or read.
    public static let fuzzyNames = QueryExtensions(rawValue: 4)
    /// Times are matched in the requester's zone.
    public static let timezoneAdjustment = QueryExtensions(rawValue: 8)
    /// Queries may ask for the enhanced or the legacy form of multi-frame images.
    public static let multiFrameConversion = QueryExtensions(rawValue: 16)

    /// In the order of the service class application information.
    private static func fields(_ sopClass: String) -> [QueryExtensions]? {
        switch Negotiation.queryModels[sopClass] {
        case .find: [.relational, .combinedDateTime, .fuzzyNames, .timezoneAdjustment, .multiFrameConversion]
        case .move, .get: [.relational, .multiFrameConversion]
        default: nil
        }
    }

    /// Reads service class application information; what is not there is not asked for, what no edition knows is
    /// passed over.
    init(_ information: [UInt8], sopClass: String) {
        self = []
        for (value, field) in zip(information, Self.fields(sopClass) ?? []) where value == 1 { insert(field) }
    }

    /// Service class application information with as many fields as were asked for; nil for a SOP class that has none.
    func information(sopClass: String, fieldCount: Int) -> [UInt8]? {
        guard let fields = Self.fields(sopClass) else { return nil }
        return fields.prefix(fieldCount).map { contains($0) ? 1 : 0 }
    }
}

extension PresentationContext {
    /// What was agreed on for this query or retrieval.
    public var queryExtensions: QueryExtensions {
        QueryExtensions(acceptedExtendedNegotiation ?? [], sopClass: abstractSyntax)
    }
}

/// What is said about storing when it is asked for. PS3.4 §B.3.1.
enum StorageExtension {
    /// Level 2, all attributes are kept; digital signatures survive (level 3), because the bytes do; nothing is coerced.
    static let information: [UInt8] = [2, 0, 3, 0, 0, 0]
    /// The Storage Service Class, as common extended negotiation names it. PS3.4 §B.3.1.
    static let serviceClassUID = "1.2.840.10008.4.2"
}
