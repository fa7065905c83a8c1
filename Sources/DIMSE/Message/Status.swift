/// A DIMSE status, PS3.7 Annex C and PS3.4.
public struct Status: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public var rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }

    init(_ rawValue: UInt16) { self.rawValue = rawValue }

    public static let success = Status(0x0000)
    public static let pending = Status(0xFF00)
    /// Pending, and some optional keys were not matched. PS3.4 §C.4.1.1.4.
    public static let pendingWithUnsupportedKeys = Status(0xFF01)
    public static let cancelled = Status(0xFE00)
    /// Sub-operations complete, one or more failures or warnings.
    public static let subOperationsWithFailures = Status(0xB000)
    /// No such SOP class on this association. PS3.7 §C.5.6.
    public static let sopClassNotSupported = Status(0x0122)
    public static let notAuthorized = Status(0x0124)
    /// PS3.7 Annex C.
    public static let noSuchSOPInstance = Status(0x0112)
    public static let invalidArgumentValue = Status(0x0115)
    public static let noSuchAction = Status(0x0123)
    public static let unrecognizedOperation = Status(0x0211)
    public static let processingFailure = Status(0x0110)
    /// Other content is held under the SOP Instance UID and stays.
    public static let duplicateSOPInstance = Status(0x0111)
    public static let outOfResources = Status(0xA700)
    public static let outOfResourcesForMatches = Status(0xA701)
    public static let outOfResourcesForSubOperations = Status(0xA702)
    public static let moveDestinationUnknown = Status(0xA801)
    public static let dataSetDoesNotMatchSOPClass = Status(0xA900)
    public static let cannotUnderstand = Status(0xC000)
    public static let unableToProcess = Status(0xC001)

    public var isPending: Bool { rawValue == 0xFF00 || rawValue == 0xFF01 }

    /// Warnings count as done. PS3.7 §C.4.
    public var isWarning: Bool { rawValue == 0x0001 || rawValue & 0xF000 == 0xB000 || rawValue == 0x0107 }

    public var isSuccess: Bool { rawValue == 0 }

    public var description: String {
        let hex = String(rawValue, radix: 16, uppercase: true)
        return "0x" + String(repeating: "0", count: 4 - hex.count) + hex
    }

    /// The class of the status, as a metric's label.
    var label: String {
        if isSuccess {
            "success"
        } else if isPending {
            "pending"
        } else if isWarning {
            "warning"
        } else if self == .cancelled {
            "cancelled"
        } else {
            "failure"
        }
    }
}
