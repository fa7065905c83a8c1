/// What bounds a request besides the size of its head.
public struct RequestBounds: Sendable {
    /// Bytes of a body.
    public var bodyByteCount = 64 << 30
    /// How long the next byte of a body may be waited for, and how long a body may bring less than `bodyRate`.
    public var bodyIdle = Duration.seconds(30)
    /// Bytes a second that a body brings on the average while it is waited for.
    public var bodyRate = 1024
    /// How long a client may take nothing of its answer.
    public var answerIdle = Duration.seconds(600)
    /// Requests under way at a time, those whose answer is still being sent among them.
    public var requestLimit = 4096
    /// Bytes of path and query.
    public var targetByteCount = 8 << 10

    public init() {}
}
