import Keys

/// Records that were written together, sealed, and the head of the chain after them. Integers are little endian.
///
/// | byte | field |
/// |---|---|
/// | 0 | `HZAF` |
/// | 4 | bytes of the records, n |
/// | 8 | sequence of the first record |
/// | 16 | records |
/// | 20 | nonce |
/// | 32 | records, sealed; associated with the 32 bytes before and the head before |
/// | 32 + n | tag |
/// | 48 + n | SHA-256 of the head before and everything of the frame before this field: the head after |
enum AuditFrame {
    static let headByteCount = 32
    static let overhead = headByteCount + AuthenticatedCipher.tagByteCount + SHA256Digest.byteCount
    /// Bytes of the records of one frame.
    static let contentLimit = 1 << 20
    private static let magic: UInt32 = 0x4641_5A48

    struct Head {
        var contentByteCount: Int
        var firstSequence: UInt64
        var recordCount: Int

        var frameByteCount: Int { contentByteCount + AuditFrame.overhead }

        /// Nil for what is no head.
        init?(_ bytes: UnsafeRawBufferPointer) {
            guard bytes.count >= headByteCount,
                UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self)) == magic
            else { return nil }
            contentByteCount = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
            firstSequence = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            recordCount = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt32.self)))
            guard contentByteCount > 0, contentByteCount <= contentLimit, recordCount > 0,
                recordCount <= contentByteCount
            else { return nil }
        }
    }

    /// Seals records behind a head of the chain.
    ///
    /// - Returns: the frame; its last 32 bytes are the new head.
    static func seal(
        _ content: [UInt8], firstSequence: UInt64, recordCount: Int, after head: [UInt8],
        with cipher: AuthenticatedCipher, _ digest: SHA256Digest
    ) throws(KeyError) -> [UInt8] {
        var frame: [UInt8] = []
        frame.reserveCapacity(content.count + overhead)
        frame.appendLittleEndian(magic)
        frame.appendLittleEndian(UInt32(content.count))
        frame.appendLittleEndian(firstSequence)
        frame.appendLittleEndian(UInt32(recordCount))
        let nonce = try randomBytes(count: AuthenticatedCipher.nonceByteCount)
        frame += nonce
        let associated = frame + head
        frame.append(contentsOf: repeatElement(0, count: content.count + AuthenticatedCipher.tagByteCount))
        try frame.withMutableRawBytes { (output) throws(KeyError) in
            guard let base = output.baseAddress else { return }
            try content.withRawBytes { (plain) throws(KeyError) in
                try nonce.withRawBytes { (nonce) throws(KeyError) in
                    try associated.withRawBytes { (associated) throws(KeyError) in
                        try cipher.seal(plain, nonceBytes: nonce, associated: associated, into: base + headByteCount)
                    }
                }
            }
        }
        frame += try frame.withRawBytes { (bytes) throws(KeyError) in try link(bytes, after: head, digest) }
        return frame
    }

    /// The head after bytes that follow a head.
    static func link(
        _ bytes: UnsafeRawBufferPointer, after head: [UInt8], _ digest: SHA256Digest
    ) throws(KeyError) -> [UInt8] {
        try digest.reset()
        try head.withRawBytes { (head) throws(KeyError) in try digest.update(head) }
        try digest.update(bytes)
        return try digest.finish()
    }

    /// The records of a frame whose bytes are all there; nil when they are not what was sealed.
    static func open(
        _ frame: UnsafeRawBufferPointer, _ head: Head, after previous: [UInt8], with cipher: AuthenticatedCipher
    ) -> [UInt8]? {
        var isOpened = false
        let content = [UInt8](unsafeUninitializedCapacity: head.contentByteCount) { plain, count in
            isOpened = previous.withUnsafeBytes {
                open(frame, head, after: $0, with: cipher, into: UnsafeMutableRawBufferPointer(plain))
            }
            count = isOpened ? head.contentByteCount : 0
        }
        return isOpened ? content : nil
    }

    /// As above, into room for as many bytes.
    static func open(
        _ frame: UnsafeRawBufferPointer, _ head: Head, after previous: UnsafeRawBufferPointer,
        with cipher: AuthenticatedCipher, into plain: UnsafeMutableRawBufferPointer
    ) -> Bool {
        guard frame.count == head.frameByteCount, let base = frame.baseAddress, plain.count >= head.contentByteCount,
            let output = plain.baseAddress, previous.count == SHA256Digest.byteCount
        else { return false }
        return withUnsafeTemporaryAllocation(byteCount: headByteCount + previous.count, alignment: 8) { associated in
            associated.copyMemory(from: UnsafeRawBufferPointer(rebasing: frame[..<headByteCount]))
            UnsafeMutableRawBufferPointer(rebasing: associated[headByteCount...]).copyMemory(from: previous)
            do throws(KeyError) {
                try cipher.open(
                    UnsafeRawBufferPointer(start: base + headByteCount, count: head.contentByteCount),
                    tag: base + headByteCount + head.contentByteCount,
                    nonceBytes: UnsafeRawBufferPointer(start: base + 20, count: AuthenticatedCipher.nonceByteCount),
                    associated: UnsafeRawBufferPointer(associated), into: output)
                return true
            } catch { return false }
        }
    }
}
