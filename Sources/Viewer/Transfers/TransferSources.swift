import Access

/// A transfer as the page shows it; names no study and no patient.
public struct TransferRow: Sendable {
    public enum Phase: String, Sendable, CaseIterable {
        case waiting, underWay, paused, quiet, givenUp, complete, cancelled
    }

    public var id: String
    public var isSending: Bool
    /// The other side.
    public var site: String
    public var phase: Phase
    public var objectsThere: Int
    /// As far as they were announced.
    public var objects: Int
    public var byteCountThere: UInt64
    public var byteCount: UInt64
    /// Bytes in a second; nil while nothing moves.
    public var rate: Double?
    /// Bytes that were sent more than once.
    public var resentByteCount: UInt64
    /// Milliseconds since 1970.
    public var startedAt: Int64
    /// Without a patient's data.
    public var note: String

    public init(
        id: String, isSending: Bool, site: String, phase: Phase, objectsThere: Int, objects: Int,
        byteCountThere: UInt64, byteCount: UInt64, rate: Double?, resentByteCount: UInt64, startedAt: Int64,
        note: String
    ) {
        self.id = id
        self.isSending = isSending
        self.site = site
        self.phase = phase
        self.objectsThere = objectsThere
        self.objects = objects
        self.byteCountThere = byteCountThere
        self.byteCount = byteCount
        self.rate = rate
        self.resentByteCount = resentByteCount
        self.startedAt = startedAt
        self.note = note
    }

    /// Whether something of it may be there that is not shown yet.
    var isArriving: Bool { !isSending && phase != .complete && phase != .cancelled }
}

/// What the page of transfers asks of rooms that it does not know.
public struct TransferSources: Sendable {
    /// The newest first.
    public var list: @Sendable (_ limit: Int) throws -> [TransferRow]
    /// UID of the study that arrives by a transfer, where something of it is there that is within reach.
    public var study: @Sendable (_ transfer: String, Reach) throws -> String?

    public init(
        list: @escaping @Sendable (_ limit: Int) throws -> [TransferRow],
        study: @escaping @Sendable (_ transfer: String, Reach) throws -> String?
    ) {
        self.list = list
        self.study = study
    }

    /// Of a service without transfers.
    public static let none = TransferSources(list: { _ in [] }, study: { _, _ in nil })
}
