/// The wrapped key of one object and where the object lies.
package struct ObjectKey: Equatable, Sendable {
    /// How many bytes an object's identifier has.
    package static let idByteCount = 16

    package var objectID: [UInt8]
    package var studyKey: KeyID
    /// Wrapped by the study's key, bound to the object's identifier.
    package var wrappedKey: [UInt8]
    package var pack: UInt32
    package var offset: UInt64

    package init(objectID: [UInt8], studyKey: KeyID, wrappedKey: [UInt8], pack: UInt32, offset: UInt64) {
        self.objectID = objectID
        self.studyKey = studyKey
        self.wrappedKey = wrappedKey
        self.pack = pack
        self.offset = offset
    }
}

/// One slot of the object key file: 128 bytes, so that none straddles a 512-byte sector and each is written whole.
///
/// | bytes | what |
/// |---|---|
/// | 0..<4 | magic |
/// | 4, 5 | version, state |
/// | 8..<24 | object |
/// | 24..<40 | study key |
/// | 40..<100 | wrapped key |
/// | 100..<104 | pack |
/// | 104..<112 | offset in it |
/// | 124..<128 | CRC-32 of the rest |
///
/// A slot of zeros is free; so is one of a destroyed object, of which only the identifier is left.
package enum ObjectKeyRecord {
    static let byteCount = StudyKeyRecord.byteCount
    private static let magic: [UInt8] = Array("HZOK".utf8)
    private static let version: UInt8 = 1
    private static let wrapped = 40..<(40 + AuthenticatedCipher.wrappedKeyByteCount)

    package enum Reading: Equatable, Sendable {
        case live(ObjectKey)
        case destroyed(objectID: [UInt8])
        case free
        case damaged
    }

    static func encoded(_ key: ObjectKey) -> [UInt8] {
        var bytes = start(state: 1, objectID: key.objectID)
        bytes.replaceSubrange(24..<40, with: key.studyKey.bytes)
        bytes.replaceSubrange(wrapped, with: key.wrappedKey)
        bytes.store(key.pack.littleEndian, at: 100)
        bytes.store(key.offset.littleEndian, at: 104)
        StudyKeyRecord.seal(&bytes)
        return bytes
    }

    static func destroyed(_ objectID: [UInt8]) -> [UInt8] {
        var bytes = start(state: 2, objectID: objectID)
        StudyKeyRecord.seal(&bytes)
        return bytes
    }

    private static func start(state: UInt8, objectID: [UInt8]) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: byteCount)
        bytes.replaceSubrange(0..<4, with: magic)
        bytes[4] = version
        bytes[5] = state
        bytes.replaceSubrange(8..<24, with: objectID)
        return bytes
    }

    /// Whether a slot's bytes hold a key, without looking closer.
    static func isTaken(_ bytes: UnsafeRawBufferPointer) -> Bool { bytes.count == byteCount && bytes[5] == 1 }

    /// Whose key a slot's bytes are, be they whole or not.
    static func objectID(_ bytes: [UInt8]) -> [UInt8] { Array(bytes[8..<24]) }

    static func read(_ bytes: [UInt8]) -> Reading {
        guard bytes.count == byteCount else { return .free }
        if bytes.allSatisfy({ $0 == 0 }) { return .free }
        guard StudyKeyRecord.isWhole(bytes), Array(bytes[0..<4]) == magic, bytes[4] == version,
            let studyKey = KeyID(bytes: bytes[24..<40])
        else { return .damaged }
        let objectID = objectID(bytes)
        switch bytes[5] {
        case 1:
            return .live(
                ObjectKey(
                    objectID: objectID, studyKey: studyKey, wrappedKey: Array(bytes[wrapped]),
                    pack: UInt32(littleEndian: bytes.integer(at: 100)),
                    offset: UInt64(littleEndian: bytes.integer(at: 104))))
        case 2: return .destroyed(objectID: objectID)
        default: return .damaged
        }
    }
}
