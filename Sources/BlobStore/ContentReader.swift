import Keys
import Synchronization

/// The content of one object, opened chunk by chunk as it is read. Safe from any thread.
final class ContentReader: Sendable {
    private let part: ChunkedPart
    private let objectKey: SymmetricKey
    private let objectID: [UInt8]
    // One a thread that reads at the same time.
    private let ciphers = Mutex<[ChunkCipher]>([])

    init(_ part: ChunkedPart, objectKey: SymmetricKey, objectID: [UInt8]) {
        self.part = part
        self.objectKey = objectKey
        self.objectID = objectID
    }

    var byteCount: UInt64 { part.byteCount }

    /// Reads from `offset` until `buffer` is full or the content ends; sequential reading opens inside `buffer`.
    ///
    /// - Returns: how many bytes were read; 0 at or behind the end.
    /// - Throws: `.damaged` with the chunk's place, and nothing of that chunk is in the buffer; `.io`.
    func read(offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(BlobError) -> Int {
        guard offset < part.byteCount, let base = buffer.baseAddress else { return 0 }
        let count = Int(min(UInt64(buffer.count), part.byteCount - offset))
        let cipher = try takeCipher()
        defer { ciphers.withLock { $0.append(cipher) } }
        var done = 0
        while done < count {
            let position = offset + UInt64(done)
            let chunk = position / UInt64(ChunkFormat.chunkByteCount)
            let within = Int(position % UInt64(ChunkFormat.chunkByteCount))
            let length = part.byteCount(ofChunk: chunk)
            if within == 0, count - done >= length {
                done += try part.readRun(from: chunk, room: count - done, into: base + done, cipher: cipher)
                continue
            }
            let target = UnsafeMutableRawBufferPointer(
                start: base + done, count: min(length - within, count - done))
            try read(chunk, from: within, into: target, cipher: cipher)
            done += target.count
        }
        return count
    }

    /// Opens the first chunk, also of an object that has no bytes.
    ///
    /// - Parameter buffer: has room for a chunk and its tag.
    func checkFirstChunk(through buffer: UnsafeMutableRawBufferPointer) throws(BlobError) {
        try part.readChunk(0, into: buffer, cipher: try takeCipher())
    }

    private func read(
        _ chunk: UInt64, from within: Int, into target: UnsafeMutableRawBufferPointer, cipher: ChunkCipher
    ) throws(BlobError) {
        try withUnsafeTemporaryAllocation(byteCount: ChunkFormat.strideByteCount, alignment: 64) {
            (scratch) throws(BlobError) in
            try part.readChunk(chunk, into: scratch, cipher: cipher)
            target.copyMemory(from: UnsafeRawBufferPointer(rebasing: scratch[within..<(within + target.count)]))
        }
    }

    private func takeCipher() throws(BlobError) -> ChunkCipher {
        if let cipher = ciphers.withLock({ $0.popLast() }) { return cipher }
        return try BlobError.unlocking { () throws(KeyError) in
            let cipher = try ChunkCipher()
            try cipher.begin(objectKey, stream: ChunkFormat.contentStream, objectID: objectID, for: .opening)
            return cipher
        }
    }
}
