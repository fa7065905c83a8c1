/// Bounds of a scan. One past a bound throws, except `heldValueByteCount`, past which a value is not held.
public struct ScanLimits: Hashable, Sendable {
    /// Sequences inside sequences.
    public var depth = 64
    /// Bytes up to which a value is held.
    public var heldValueByteCount = 64 << 10
    /// Bytes of all held values together.
    public var headerByteCount = 64 << 20
    /// Elements and items together.
    public var elementCount = 1_000_000
    /// Fragments of pixel data; also entries of an offset table.
    public var fragmentCount = 4_000_000
    /// Bytes that a deflated dataset may grow to.
    public var inflatedByteCount: UInt64 = 4 << 30
    /// Bytes that it may grow to however few it came in; beyond, each byte that came may give `inflatedRatio` on average,
    /// so that little to send cannot make much to read. An empty image deflates to a thousandth.
    public var inflatedFreeByteCount: UInt64 = 256 << 20
    public var inflatedRatio: UInt64 = 200

    public init() {}
}
