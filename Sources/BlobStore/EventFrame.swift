import Keys

/// One frame of the journal: 48 bytes of header, the sealed events, a tag.
///
/// Little endian: 0 magic, 8 version, 12 sealed length, 16 file number, 24 offset, 32 nonce, 44 CRC-32. The header is
/// associated data, so a frame opens only where it was written.
enum EventFrame {
    static let headerByteCount = 48
    private static let magic: UInt64 = 0x3130_544E_5645_5A48  // "HZEVNT01"
    private static let version: UInt16 = 1
    static let firstByte: UInt8 = 0x48
    private static let checkedByteCount = 44
    private static let nonce = 32..<44

    /// One event inside a frame: sequence, length, bytes.
    static func append(_ event: StoredEvent, to plaintext: inout [UInt8]) {
        for shift in stride(from: 0, to: 64, by: 8) {
            plaintext.append(UInt8(truncatingIfNeeded: event.sequence >> shift))
        }
        for shift in stride(from: 0, to: 32, by: 8) {
            plaintext.append(UInt8(truncatingIfNeeded: event.bytes.count >> shift))
        }
        plaintext += event.bytes
    }

    /// The events of an opened frame; nil if the lengths contradict one another.
    static func events(in plaintext: [UInt8]) -> [StoredEvent]? {
        var events: [StoredEvent] = []
        var offset = 0
        while offset < plaintext.count {
            guard plaintext.count - offset >= 12 else { return nil }
            let (sequence, count) = plaintext.withUnsafeBytes { bytes in
                (
                    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)),
                    Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt32.self)))
                )
            }
            offset += 12
            guard count <= plaintext.count - offset else { return nil }
            events.append(StoredEvent(sequence: sequence, bytes: Array(plaintext[offset..<(offset + count)])))
            offset += count
        }
        return events
    }

    static func seal(
        _ plaintext: [UInt8], at location: BlobLocation, key: SymmetricKey, cipher: AuthenticatedCipher
    ) throws(KeyError) -> [UInt8] {
        var frame = header(location, byteCount: plaintext.count, nonce: try randomBytes(count: nonce.count))
        let header = frame
        frame += [UInt8](repeating: 0, count: plaintext.count + ChunkFormat.tagByteCount)
        try cipher.load(key, for: .sealing)
        try header.withRawBytes { (associated) throws(KeyError) in
            try plaintext.withRawBytes { (bytes) throws(KeyError) in
                try frame.withMutableRawBytes { (output) throws(KeyError) in
                    guard let base = output.baseAddress else { return }
                    try cipher.seal(
                        bytes, nonceBytes: UnsafeRawBufferPointer(rebasing: associated[nonce]),
                        associated: associated, into: base + headerByteCount)
                }
            }
        }
        return frame
    }

    /// The length of the frame that starts with this header; nil if it is no header of this place.
    static func byteCount(header: ArraySlice<UInt8>, at location: BlobLocation) -> Int? {
        guard header.count == headerByteCount, header.starts(with: "HZEVNT01".utf8) else { return nil }
        let (count, written) = header.withUnsafeBytes { bytes in
            (
                Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 12, as: UInt32.self))),
                Array(bytes[nonce])
            )
        }
        guard count <= EventJournal.batchLimit, Array(header) == self.header(location, byteCount: count, nonce: written)
        else { return nil }
        return headerByteCount + count + ChunkFormat.tagByteCount
    }

    /// Opens a whole frame.
    ///
    /// - Throws: `.refused` unless it is what was sealed at its place.
    static func open(_ frame: [UInt8], key: SymmetricKey, cipher: AuthenticatedCipher) throws(KeyError) -> [UInt8] {
        let count = frame.count - headerByteCount - ChunkFormat.tagByteCount
        // One byte more than needed: an empty array has no address to write to.
        var plaintext = [UInt8](repeating: 0, count: count + 1)
        try cipher.load(key, for: .opening)
        try frame.withRawBytes { (bytes) throws(KeyError) in
            try plaintext.withMutableRawBytes { (output) throws(KeyError) in
                guard let source = bytes.baseAddress, let base = output.baseAddress else { return }
                try cipher.open(
                    UnsafeRawBufferPointer(start: source + headerByteCount, count: count),
                    tag: source + headerByteCount + count,
                    nonceBytes: UnsafeRawBufferPointer(rebasing: bytes[nonce]),
                    associated: UnsafeRawBufferPointer(start: source, count: headerByteCount), into: base)
            }
        }
        plaintext.removeLast()
        return plaintext
    }

    private static func header(_ location: BlobLocation, byteCount: Int, nonce: [UInt8]) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: headerByteCount)
        bytes.withUnsafeMutableBytes { buffer in
            buffer.storeBytes(of: magic.littleEndian, as: UInt64.self)
            buffer.storeBytes(of: version.littleEndian, toByteOffset: 8, as: UInt16.self)
            buffer.storeBytes(of: UInt32(byteCount).littleEndian, toByteOffset: 12, as: UInt32.self)
            buffer.storeBytes(of: location.pack.littleEndian, toByteOffset: 16, as: UInt32.self)
            buffer.storeBytes(of: location.offset.littleEndian, toByteOffset: 24, as: UInt64.self)
            buffer[Self.nonce].copyBytes(from: nonce)
            let sum = Checksum.crc32(UnsafeRawBufferPointer(rebasing: buffer[..<checkedByteCount]))
            buffer.storeBytes(of: sum.littleEndian, toByteOffset: checkedByteCount, as: UInt32.self)
        }
        return bytes
    }
}
