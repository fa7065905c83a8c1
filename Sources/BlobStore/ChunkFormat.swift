import Keys

/// How bytes are cut and sealed inside an object.
///
/// Content and metadata are cut into chunks of 64 KiB, each sealed with its own tag, so that ranges can be read and
/// every chunk lies where its number says. The associated data is the object's identifier, the chunk's number and
/// whether it is the last: a chunk that was cut off, moved, repeated or taken from another object does not open.
enum ChunkFormat {
    static let pageByteCount = 4096
    static let chunkByteCount = 64 << 10
    static let tagByteCount = AuthenticatedCipher.tagByteCount
    static let strideByteCount = chunkByteCount + tagByteCount
    static let contentOffset = UInt64(ObjectHeader.byteCount)

    /// Nonce streams; each also has its own key.
    static let contentStream: UInt32 = 0
    static let metadataStream: UInt32 = 1
    static let recordStream: UInt32 = 2

    /// Largest metadata, in bytes.
    static let metadataLimit = 256 << 20
    /// Largest record, in bytes.
    static let recordLimit = 1 << 20

    /// An object of nothing still has one chunk, so that its emptiness is sealed.
    static func chunkCount(of byteCount: UInt64) -> UInt64 {
        max(1, (byteCount + UInt64(chunkByteCount) - 1) / UInt64(chunkByteCount))
    }

    static func sealedByteCount(of byteCount: UInt64) -> UInt64 {
        byteCount + chunkCount(of: byteCount) * UInt64(tagByteCount)
    }

    /// The plaintext length of one chunk of `byteCount` bytes.
    static func byteCount(ofChunk number: UInt64, of byteCount: UInt64) -> Int {
        Int(min(UInt64(chunkByteCount), byteCount - number * UInt64(chunkByteCount)))
    }

    static func roundedUp(_ byteCount: UInt64) -> UInt64 {
        (byteCount + UInt64(pageByteCount) - 1) & ~UInt64(pageByteCount - 1)
    }

    /// - Parameter salt: the header's `tailSalt`.
    static func metadataKey(of objectKey: SymmetricKey, salt: [UInt8]) throws(KeyError) -> SymmetricKey {
        try key(of: objectKey, for: "huizhen object metadata 1", salt)
    }

    /// - Parameter salt: the header's `tailSalt`.
    static func recordKey(of objectKey: SymmetricKey, salt: [UInt8]) throws(KeyError) -> SymmetricKey {
        try key(of: objectKey, for: "huizhen object record 1", salt)
    }

    private static func key(
        of objectKey: SymmetricKey, for purpose: String, _ salt: [UInt8]
    ) throws(KeyError) -> SymmetricKey {
        try objectKey.derived(for: salt == ObjectHeader.noSalt ? purpose : purpose + " " + salt.hexadecimal)
    }
}

/// Seals or opens the chunks of one object after another. One user at a time.
final class ChunkCipher: @unchecked Sendable {  // one user at a time: its lane, its reader's pool
    private static let associatedByteCount = ObjectHeader.idByteCount + 8 + 1

    private let cipher: AuthenticatedCipher
    private let associated = UnsafeMutableRawBufferPointer.allocate(byteCount: associatedByteCount, alignment: 8)
    private var stream: UInt32 = 0

    init() throws(KeyError) { cipher = try AuthenticatedCipher() }

    deinit { associated.deallocate() }

    func begin(
        _ key: SymmetricKey, stream: UInt32, objectID: [UInt8], for direction: AuthenticatedCipher.Direction
    ) throws(KeyError) {
        precondition(objectID.count == ObjectHeader.idByteCount)
        self.stream = stream
        associated.copyBytes(from: objectID)
        try cipher.load(key, for: direction)
    }

    /// Seals one chunk; its tag lies behind it.
    func seal(
        _ plaintext: UnsafeRawBufferPointer, number: UInt64, isLast: Bool, into sealed: UnsafeMutableRawPointer
    ) throws(KeyError) {
        let nonce = prepare(number: number, isLast: isLast)
        try cipher.seal(plaintext, nonce: nonce, associated: UnsafeRawBufferPointer(associated), into: sealed)
    }

    /// Opens one chunk, in place if both addresses are the same.
    func open(
        _ sealed: UnsafeRawBufferPointer, tag: UnsafeRawPointer, number: UInt64, isLast: Bool,
        into plaintext: UnsafeMutableRawPointer
    ) throws(KeyError) {
        let nonce = prepare(number: number, isLast: isLast)
        try cipher.open(
            sealed, tag: tag, nonce: nonce, associated: UnsafeRawBufferPointer(associated), into: plaintext)
    }

    private func prepare(number: UInt64, isLast: Bool) -> AuthenticatedCipher.Nonce {
        associated.storeBytes(of: number.littleEndian, toByteOffset: ObjectHeader.idByteCount, as: UInt64.self)
        associated[Self.associatedByteCount - 1] = isLast ? 1 : 0
        return AuthenticatedCipher.Nonce(stream: stream, number: number)
    }
}
