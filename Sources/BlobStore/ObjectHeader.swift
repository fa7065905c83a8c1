import Keys

/// The 256 bytes at the start of an object, at a multiple of 4,096 so that a disk writes them whole or not.
///
/// Little endian: 0 magic, 8 version, 10 state, 11 place of the key, 12 pack, 16 offset, 24 extent, 32 sequence,
/// 40 content length, 48 metadata length, 56 record length, 64 object identifier, 80 study key, 96 wrapped object key,
/// 156 slot in the key store, 160 salt of the tail, 252 CRC-32; the rest is zero. Parts follow one another without gaps, so
/// offsets follow from lengths. The record is sealed with what of these bytes never changes as associated data: a header that was
/// altered, even with its checksum, does not open.
struct ObjectHeader: Equatable {
    static let byteCount = 256
    static let idByteCount = 16
    private static let magic: UInt64 = 0x3130_424F_4C42_5A48  // "HZBLOB01"
    /// Version 1 seals the record with the wrapped key too; from version 3 on there is a salt of the tail.
    static let versions: ClosedRange<UInt16> = 1...3
    /// Of objects that are written in one go, and of those whose content lay there before.
    static let version: UInt16 = 2
    static let versionOfPlaced: UInt16 = 3
    private static let checkedByteCount = 252
    /// Largest object, in bytes: every sum of lengths stays far from overflow.
    static let extentLimit: UInt64 = 1 << 46

    enum State: UInt8 {
        case live = 1
        /// Nothing but the extent is left, so that scans hop over it.
        case void = 2
        /// Pieces of an object come here; the last of its pack. The wrapped key is by a key of the store's own.
        case reserved = 3
    }

    /// Where the wrapped object key is. It comes with the object, because a store has one sync only; later it is
    /// copied to the key store, and later still only the copy is left.
    enum KeyPlace: UInt8 {
        case header = 0
        case both = 1
        case store = 2
    }

    var version = Self.version
    var state = State.live
    var keyPlace = KeyPlace.header
    var location: BlobLocation
    var extent: UInt64
    var sequence: UInt64 = 0
    var contentByteCount: UInt64 = 0
    var metadataByteCount: UInt64 = 0
    var recordByteCount: UInt64 = 0
    var objectID = [UInt8](repeating: 0, count: idByteCount)
    var studyKey: KeyID
    /// Zeros when the key is only in the store.
    var wrappedKey = noWrappedKey
    /// In the key store; 0 while the key is only here.
    var slot: UInt32 = 0
    /// Makes the keys of metadata and record another pair each time they are sealed; zeros where that is once.
    var tailSalt = noSalt

    static let saltByteCount = 16
    static let noSalt = [UInt8](repeating: 0, count: saltByteCount)
    private static let noWrappedKey = [UInt8](repeating: 0, count: AuthenticatedCipher.wrappedKeyByteCount)

    /// Where parts start, counted from the header.
    var metadataOffset: UInt64 { ChunkFormat.contentOffset + ChunkFormat.sealedByteCount(of: contentByteCount) }
    var recordOffset: UInt64 { metadataOffset + ChunkFormat.sealedByteCount(of: metadataByteCount) }
    var usedByteCount: UInt64 { recordOffset + recordByteCount + UInt64(ChunkFormat.tagByteCount) }

    /// What is left of a header once its object is gone.
    var voided: ObjectHeader {
        ObjectHeader(state: .void, location: location, extent: extent, studyKey: Self.noKey)
    }

    /// The same header once the key was copied to a slot.
    func copied(to slot: UInt32) -> ObjectHeader {
        var result = self
        result.keyPlace = .both
        result.slot = slot
        return result
    }

    /// The same header once the copy is the only one.
    var cleared: ObjectHeader {
        var result = self
        result.keyPlace = .store
        result.wrappedKey = Self.noWrappedKey
        return result
    }

    /// The header as it was written with the object, given its wrapped key.
    func original(wrappedKey: [UInt8]) -> ObjectHeader {
        var result = self
        result.keyPlace = .header
        result.slot = 0
        result.wrappedKey = wrappedKey
        return result
    }

    /// What the record is sealed with; needs the original header.
    var associated: [UInt8] {
        version == 1 ? encoded : original(wrappedKey: Self.noWrappedKey).encoded
    }

    static let noKey: KeyID = {
        guard let id = KeyID(bytes: [UInt8](repeating: 0, count: KeyID.byteCount)) else { preconditionFailure() }
        return id
    }()

    var encoded: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Self.byteCount)
        bytes.withUnsafeMutableBytes { buffer in
            buffer.storeBytes(of: Self.magic.littleEndian, as: UInt64.self)
            buffer.storeBytes(of: version.littleEndian, toByteOffset: 8, as: UInt16.self)
            buffer[10] = state.rawValue
            buffer[11] = keyPlace.rawValue
            buffer.storeBytes(of: location.pack.littleEndian, toByteOffset: 12, as: UInt32.self)
            let numbers = [
                location.offset, extent, sequence, contentByteCount, metadataByteCount, recordByteCount,
            ]
            for (index, number) in numbers.enumerated() {
                buffer.storeBytes(of: number.littleEndian, toByteOffset: 16 + 8 * index, as: UInt64.self)
            }
            buffer[64..<80].copyBytes(from: objectID)
            if state == .live { buffer[80..<96].copyBytes(from: studyKey.bytes) }
            buffer[96..<(96 + wrappedKey.count)].copyBytes(from: wrappedKey)
            buffer.storeBytes(of: slot.littleEndian, toByteOffset: 156, as: UInt32.self)
            buffer[160..<(160 + Self.saltByteCount)].copyBytes(from: tailSalt)
            let sum = Checksum.crc32(UnsafeRawBufferPointer(rebasing: buffer[..<Self.checkedByteCount]))
            buffer.storeBytes(of: sum.littleEndian, toByteOffset: Self.checkedByteCount, as: UInt32.self)
        }
        return bytes
    }

    /// Whether bytes start like a header; a quick look before `init(_:at:)`.
    static func hasMagic(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.count >= byteCount && UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self)) == magic
    }

    /// Reads a header; nil unless it is whole, was written for exactly this place and its lengths fit its extent.
    init?(_ bytes: UnsafeRawBufferPointer, at location: BlobLocation) {
        guard Self.hasMagic(bytes) else { return nil }
        let sum = Checksum.crc32(UnsafeRawBufferPointer(rebasing: bytes[..<Self.checkedByteCount]))
        func number(_ offset: Int) -> UInt64 {
            UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
        let written = UInt32(
            littleEndian: bytes.loadUnaligned(fromByteOffset: Self.checkedByteCount, as: UInt32.self))
        let version = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt16.self))
        guard sum == written, Self.versions.contains(version), let state = State(rawValue: bytes[10]),
            let keyPlace = KeyPlace(rawValue: bytes[11]),
            UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 12, as: UInt32.self)) == location.pack,
            number(16) == location.offset, let studyKey = KeyID(bytes: bytes[80..<96])
        else { return nil }
        self.init(state: state, location: location, extent: number(24), studyKey: studyKey)
        self.version = version
        self.keyPlace = keyPlace
        sequence = number(32)
        contentByteCount = number(40)
        metadataByteCount = number(48)
        recordByteCount = number(56)
        objectID = Array(bytes[64..<80])
        wrappedKey = Array(bytes[96..<(96 + AuthenticatedCipher.wrappedKeyByteCount)])
        slot = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 156, as: UInt32.self))
        if version >= Self.versionOfPlaced { tailSalt = Array(bytes[160..<(160 + Self.saltByteCount)]) }
        guard hasSoundLengths, (keyPlace == .header) == (slot == 0) else { return nil }
    }

    init(state: State = .live, location: BlobLocation, extent: UInt64, studyKey: KeyID) {
        self.state = state
        self.location = location
        self.extent = extent
        self.studyKey = studyKey
    }

    private var hasSoundLengths: Bool {
        guard extent >= UInt64(ChunkFormat.pageByteCount), extent % UInt64(ChunkFormat.pageByteCount) == 0,
            extent <= Self.extentLimit, location.offset <= UInt64(Int64.max) - extent
        else { return false }
        if state == .void { return true }
        return contentByteCount <= extent && metadataByteCount <= UInt64(ChunkFormat.metadataLimit)
            && recordByteCount <= UInt64(ChunkFormat.recordLimit) && usedByteCount <= extent
    }
}
