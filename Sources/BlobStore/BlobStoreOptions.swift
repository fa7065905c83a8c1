/// How a blob store uses its disk.
public struct BlobStoreOptions: Sendable {
    /// How large a pack grows before the next one is begun, in bytes; one object may outgrow it. 1 MiB...64 GiB.
    public var packByteCount: UInt64 = 1 << 30
    /// Free bytes below which nothing more is stored; 0 and up.
    public var reserveByteCount: UInt64 = 256 << 20
    /// How many objects may be written at the same time; further ones wait. 1...256.
    public var laneCount = 16
    /// How many lanes have their pack made ready when the store opens. 0...laneCount.
    public var preparedLaneCount = 4
    /// How far ahead of the first lane its pack is written with zeros, in bytes; 0 turns this off.
    ///
    /// Overwriting zeros makes a sync about twice as fast as growing a file.
    public var firstPrewriteByteCount: UInt64 = 256 << 20
    /// The same for every other lane.
    public var prewriteByteCount: UInt64 = 64 << 20

    /// How long a key that was copied to the key store stays in the pack too: a copy of the data directory that takes
    /// less time is whole in whatever order it is made.
    public var keySettleTime = Duration.seconds(3600)
    /// Whether keys are moved in the background; for tests.
    public var movesKeys = true

    /// What form new objects have; for tests of what earlier versions wrote.
    var headerVersion = ObjectHeader.version

    public init() {}

    /// The same options with each value brought into its range.
    var bounded: BlobStoreOptions {
        var result = self
        result.packByteCount = min(max(packByteCount, 1 << 20), 64 << 30)
        result.laneCount = min(max(laneCount, 1), 256)
        result.preparedLaneCount = min(max(preparedLaneCount, 0), result.laneCount)
        return result
    }
}
