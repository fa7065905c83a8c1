import Keys

/// What an object is sealed with: its identifier and key, and how everything but its content becomes bytes of a pack.
struct ObjectSeal {
    let objectID: [UInt8]
    let objectKey: SymmetricKey

    init() throws(BlobError) {
        (objectID, objectKey) = try BlobError.unlocking { () throws(KeyError) in
            (try randomBytes(count: ObjectHeader.idByteCount), try SymmetricKey.random())
        }
    }

    init(objectID: [UInt8], objectKey: SymmetricKey) {
        self.objectID = objectID
        self.objectKey = objectKey
    }

    /// The header of the object once its content is known.
    ///
    /// - Throws: `.tooLarge`; `.keyDestroyed`, `.key`.
    func header(
        at location: BlobLocation, of content: ContentDigest, metadata: [UInt8], record: [UInt8], sequence: UInt64,
        studyKey: KeyID, in store: BlobStore
    ) throws(BlobError) -> ObjectHeader {
        guard metadata.count <= ChunkFormat.metadataLimit else {
            throw .tooLarge(part: .metadata, limit: UInt64(ChunkFormat.metadataLimit))
        }
        guard record.count <= ChunkFormat.recordLimit else {
            throw .tooLarge(part: .record, limit: UInt64(ChunkFormat.recordLimit))
        }
        var header = ObjectHeader(location: location, extent: 0, studyKey: studyKey)
        header.version = store.shelf.options.headerVersion
        header.sequence = sequence
        header.contentByteCount = content.byteCount
        header.metadataByteCount = UInt64(metadata.count)
        header.recordByteCount = UInt64(record.count)
        header.extent = ChunkFormat.roundedUp(header.usedByteCount)
        header.objectID = objectID
        header.wrappedKey = try BlobError.unlocking { () throws(KeyError) in
            try wrapped(by: try store.keys.key(studyKey), in: store)
        }
        return header
    }

    func wrapped(by key: SymmetricKey, in store: BlobStore) throws(KeyError) -> [UInt8] {
        try objectID.withRawBytes { (purpose) throws(KeyError) in
            try store.withCipher { (cipher) throws(KeyError) in
                try cipher.wrap(objectKey, by: key, purpose: purpose)
            }
        }
    }

    /// Seals metadata chunk by chunk.
    ///
    /// - Parameters:
    ///   - salt: the header's `tailSalt`.
    ///   - room: gives room for the next sealed chunk.
    ///   - advance: is told how long it became.
    func seal(
        metadata: [UInt8], salt: [UInt8], with cipher: ChunkCipher,
        room: () throws(SystemFailure) -> UnsafeMutableRawPointer,
        advance: (Int) -> Void
    ) throws(BlobError) {
        try BlobError.unlocking { () throws(KeyError) in
            let key = try ChunkFormat.metadataKey(of: objectKey, salt: salt)
            try cipher.begin(key, stream: ChunkFormat.metadataStream, objectID: objectID, for: .sealing)
        }
        let chunkCount = ChunkFormat.chunkCount(of: UInt64(metadata.count))
        try metadata.withRawBytes { (bytes) throws(BlobError) in
            for number in 0..<chunkCount {
                let offset = Int(number) * ChunkFormat.chunkByteCount
                let count = ChunkFormat.byteCount(ofChunk: number, of: UInt64(bytes.count))
                let chunk = UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + count)])
                let target = try BlobError.wrapping { () throws(SystemFailure) in try room() }
                try BlobError.unlocking { () throws(KeyError) in
                    try cipher.seal(chunk, number: number, isLast: number == chunkCount - 1, into: target)
                }
                advance(count + ChunkFormat.tagByteCount)
            }
        }
    }

    /// The sealed record, which opens with this header only.
    func sealed(record: [UInt8], header: ObjectHeader, in store: BlobStore) throws(BlobError) -> [UInt8] {
        try BlobError.unlocking { () throws(KeyError) in
            let key = try ChunkFormat.recordKey(of: objectKey, salt: header.tailSalt)
            var sealed = [UInt8](repeating: 0, count: record.count + ChunkFormat.tagByteCount)
            try store.withCipher { (cipher) throws(KeyError) in
                try cipher.load(key, for: .sealing)
                try header.associated.withRawBytes { (associated) throws(KeyError) in
                    try record.withRawBytes { (plaintext) throws(KeyError) in
                        try sealed.withMutableRawBytes { (output) throws(KeyError) in
                            guard let base = output.baseAddress else { return }
                            try cipher.seal(
                                plaintext,
                                nonce: AuthenticatedCipher.Nonce(stream: ChunkFormat.recordStream, number: 0),
                                associated: associated, into: base)
                        }
                    }
                }
            }
            return sealed
        }
    }
}
