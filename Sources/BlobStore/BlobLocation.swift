/// Where an object lies: a pack's number and the byte offset of the object's header in it.
public struct BlobLocation: Hashable, Sendable {
    public let pack: UInt32
    public let offset: UInt64

    public init(pack: UInt32, offset: UInt64) {
        self.pack = pack
        self.offset = offset
    }
}

/// An object and where it lies: after damage, or in a pack of another day, another may lie there.
public struct BlobPlace: Hashable, Sendable {
    public let location: BlobLocation
    public let sequence: UInt64

    public init(location: BlobLocation, sequence: UInt64) {
        self.location = location
        self.sequence = sequence
    }
}

/// What identifies content: SHA-256 of the plaintext and its length.
public struct ContentDigest: Hashable, Sendable {
    /// 32 bytes.
    public let sha256: [UInt8]
    public let byteCount: UInt64

    public init(sha256: [UInt8], byteCount: UInt64) {
        self.sha256 = sha256
        self.byteCount = byteCount
    }
}

/// What re-reading an object showed.
public enum Verification: Equatable, Sendable {
    /// Every part opens and the content has the expected digest.
    case intact
    /// Every part opens but the content is other content.
    case differs(ContentDigest)
    /// A part does not open.
    case damaged(byteOffset: UInt64, part: BlobError.Part)
}
