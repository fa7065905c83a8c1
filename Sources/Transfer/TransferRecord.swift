/// What is kept of a transfer beyond its end.
public struct TransferRecord: Sendable, Codable, Equatable {
    public enum Direction: String, Sendable, Codable {
        case sending
        case receiving
    }

    public enum State: String, Sendable, Codable {
        /// Somewhere between its first offer and its end; the queue says more of what was started here.
        case open
        case complete
        /// Given up at this side.
        case cancelled
    }

    /// 32 hexadecimal digits.
    public var id: String
    public var direction: Direction
    /// The other side.
    public var site: String
    /// Study Instance UID at the sender.
    public var study: String
    /// Whether it was begun at this side.
    public var isOurs: Bool
    public var state: State
    /// Milliseconds since 1970.
    public var startedAt: Int64
    public var changedAt: Int64
    /// As far as they were announced.
    public var objects: Int
    public var byteCount: UInt64
    /// What the operator should know; without a patient's data.
    public var note: String
    /// Whether the receiver's signed receipt is here.
    public var hasReceipt: Bool
    /// Bytes of chunks that went or came more than once, through all tries; of what was under way when this side was killed, nothing
    /// is known.
    public var resentByteCount: UInt64 = 0
}
