import Keys

/// An object that a scan found.
public struct ScannedObject: Sendable {
    public let location: BlobLocation
    /// How many bytes of its pack the object takes.
    public let extentByteCount: UInt64
    public let contentByteCount: UInt64
    public let sequence: UInt64
    public let studyKey: KeyID
    /// Whether the study's key was destroyed; then nothing of the object can be read and it may be destroyed too.
    public let isKeyDestroyed: Bool
    let store: BlobStore

    /// Opens the object; its record is `BlobReader.record()`.
    ///
    /// - Throws: as `BlobStore.open(_:)`; `sequence` and `studyKey` are certain once this succeeds.
    public func open() throws(BlobError) -> BlobReader { try store.open(location) }
}

/// What a scan of the packs found.
public struct ScanReport: Equatable, Sendable {
    /// Objects given to the caller.
    public var objectCount: UInt64 = 0
    /// Unfinished last objects, which were never acknowledged; their room is used again.
    public var tornCount = 0
    /// Objects that had been voided or destroyed.
    public var voidCount: UInt64 = 0
    public var packCount = 0
    /// Places where a header should be and is not, at most `damageLimit`; the scan went on behind them.
    public var damaged: [BlobLocation] = []
    /// Packs without a living object that were removed.
    public var unlinkedPackCount = 0

    public static let damageLimit = 1000
}

/// One event of the journal.
public struct StoredEvent: Equatable, Sendable {
    public let sequence: UInt64
    public let bytes: [UInt8]

    public init(sequence: UInt64, bytes: [UInt8]) {
        self.sequence = sequence
        self.bytes = bytes
    }
}

/// What a scan of the journal found.
public struct EventReport: Equatable, Sendable {
    public var eventCount: UInt64 = 0
    /// Bytes of an unfinished last write, which was never acknowledged.
    public var tornByteCount: UInt64 = 0
    /// Where the journal is damaged: file number and byte offset; events behind were still read.
    public var damaged: [BlobLocation] = []
}
