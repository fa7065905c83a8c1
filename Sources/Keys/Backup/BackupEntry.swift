/// One line of a key backup.
enum BackupEntry: Equatable {
    /// A study's or a system key, wrapped by the backup's own key.
    case key(kind: StudyKeyRecord.Kind, id: KeyID, wrapped: [UInt8])
    case object(slot: UInt32, ObjectKey)
    case destroyedStudy(KeyID)
    case destroyedObject([UInt8])

    static let byteCountLimit = 128

    func append(to bytes: inout [UInt8]) {
        switch self {
        case .key(let kind, let id, let wrapped): bytes += [1, kind.rawValue] + id.bytes + wrapped
        case .object(let slot, let key):
            var numbers = [UInt8](repeating: 0, count: 16)
            numbers.store(slot.littleEndian, at: 0)
            numbers.store(key.pack.littleEndian, at: 4)
            numbers.store(key.offset.littleEndian, at: 8)
            bytes += [2] + numbers + key.objectID + key.studyKey.bytes + key.wrappedKey
        case .destroyedStudy(let id): bytes += [3] + id.bytes
        case .destroyedObject(let id): bytes += [4] + id
        }
    }

    /// The entry at `offset`, and the next one's offset; nil if there is no whole one.
    static func read(_ bytes: [UInt8], at offset: Int) -> (entry: BackupEntry, next: Int)? {
        let wrapped = AuthenticatedCipher.wrappedKeyByteCount
        let lengths: [UInt8: Int] = [1: 18 + wrapped, 2: 49 + wrapped, 3: 17, 4: 17]
        guard offset < bytes.count, let length = lengths[bytes[offset]], offset + length <= bytes.count else {
            return nil
        }
        let line = Array(bytes[offset..<(offset + length)])
        let next = offset + length
        switch line[0] {
        case 1:
            guard let kind = StudyKeyRecord.Kind(rawValue: line[1]), let id = KeyID(bytes: line[2..<18]) else {
                return nil
            }
            return (.key(kind: kind, id: id, wrapped: Array(line[18...])), next)
        case 2:
            guard let studyKey = KeyID(bytes: line[33..<49]) else { return nil }
            let key = ObjectKey(
                objectID: Array(line[17..<33]), studyKey: studyKey, wrappedKey: Array(line[49...]),
                pack: UInt32(littleEndian: line.integer(at: 5)), offset: UInt64(littleEndian: line.integer(at: 9)))
            return (.object(slot: UInt32(littleEndian: line.integer(at: 1)), key), next)
        case 3:
            guard let id = KeyID(bytes: line[1...]) else { return nil }
            return (.destroyedStudy(id), next)
        default: return (.destroyedObject(Array(line[1...])), next)
        }
    }
}
