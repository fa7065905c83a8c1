import Glibc
import Keys

/// The content or the metadata of one object: chunks at a constant stride.
struct ChunkedPart: Sendable {
    /// How many chunks are read with one call.
    private static let runLimit = 4

    let file: OpenFile
    let pack: UInt32
    /// Where the first chunk lies in the file.
    let offset: UInt64
    /// The plaintext's length.
    let byteCount: UInt64
    let part: BlobError.Part

    var chunkCount: UInt64 { ChunkFormat.chunkCount(of: byteCount) }

    func byteCount(ofChunk number: UInt64) -> Int { ChunkFormat.byteCount(ofChunk: number, of: byteCount) }

    /// Reads as many whole chunks as fit `room`, at most four, and opens them where they are.
    ///
    /// The tags are read past the caller's buffer in the same call (preadv).
    func readRun(
        from first: UInt64, room: Int, into target: UnsafeMutableRawPointer, cipher: ChunkCipher
    ) throws(BlobError) -> Int {
        try withUnsafeTemporaryAllocation(
            byteCount: Self.runLimit * ChunkFormat.tagByteCount, alignment: ChunkFormat.tagByteCount
        ) { (tags) throws(BlobError) in
            try withUnsafeTemporaryAllocation(of: iovec.self, capacity: 2 * Self.runLimit) {
                (pieces) throws(BlobError) in
                guard let tagBase = tags.baseAddress, let pieceBase = pieces.baseAddress else { return 0 }
                var (done, number) = (0, first)
                while number < chunkCount, number - first < UInt64(Self.runLimit) {
                    let length = byteCount(ofChunk: number)
                    guard length <= room - done else { break }
                    let index = Int(number - first)
                    (pieceBase + 2 * index).initialize(to: iovec(iov_base: target + done, iov_len: length))
                    (pieceBase + 2 * index + 1).initialize(
                        to: iovec(
                            iov_base: tagBase + index * ChunkFormat.tagByteCount, iov_len: ChunkFormat.tagByteCount))
                    done += length
                    number += 1
                }
                let runCount = Int(number - first)
                try fill(pieceBase, count: 2 * runCount, total: done + runCount * ChunkFormat.tagByteCount, from: first)
                done = 0
                for index in 0..<runCount {
                    let length = byteCount(ofChunk: first + UInt64(index))
                    try open(
                        UnsafeRawBufferPointer(start: target + done, count: length),
                        tag: tagBase + index * ChunkFormat.tagByteCount, number: first + UInt64(index),
                        into: target + done, cipher: cipher)
                    done += length
                }
                return done
            }
        }
    }

    /// Reads one chunk into `scratch`, which has room for a chunk and its tag; the plaintext starts where it does.
    func readChunk(
        _ number: UInt64, into scratch: UnsafeMutableRawBufferPointer, cipher: ChunkCipher
    ) throws(BlobError) {
        guard let base = scratch.baseAddress else { return }
        let length = byteCount(ofChunk: number)
        let wanted = UnsafeMutableRawBufferPointer(start: base, count: length + ChunkFormat.tagByteCount)
        let count = try BlobError.wrapping { () throws(SystemFailure) in
            try file.read(into: wanted, at: place(of: number))
        }
        guard count == wanted.count else { throw damage(number) }
        try open(
            UnsafeRawBufferPointer(start: base, count: length), tag: base + length, number: number, into: base,
            cipher: cipher)
    }

    private func open(
        _ sealed: UnsafeRawBufferPointer, tag: UnsafeRawPointer, number: UInt64,
        into target: UnsafeMutableRawPointer, cipher: ChunkCipher
    ) throws(BlobError) {
        do throws(KeyError) {
            try cipher.open(sealed, tag: tag, number: number, isLast: number == chunkCount - 1, into: target)
        } catch {
            if error == .refused { throw damage(number) }
            throw .key(error)
        }
    }

    private func fill(
        _ pieces: UnsafeMutablePointer<iovec>, count: Int, total: Int, from first: UInt64
    ) throws(BlobError) {
        while true {
            let read = preadv(file.descriptor, pieces, Int32(count), off_t(place(of: first)))
            if read == total { return }
            if read < 0 {
                if errno == EINTR { continue }
                throw BlobError(SystemFailure("read"))
            }
            // A regular file is read short only at its end, or when a signal came; then piece by piece.
            var offset = place(of: first)
            for index in 0..<count {
                let piece = UnsafeMutableRawBufferPointer(start: pieces[index].iov_base, count: pieces[index].iov_len)
                let start = offset
                let got = try BlobError.wrapping { () throws(SystemFailure) in try file.read(into: piece, at: start) }
                guard got == piece.count else { throw damage(first + UInt64(index / 2)) }
                offset += UInt64(piece.count)
            }
            return
        }
    }

    private func place(of number: UInt64) -> UInt64 { offset + number * UInt64(ChunkFormat.strideByteCount) }

    private func damage(_ number: UInt64) -> BlobError {
        .damaged(pack: pack, byteOffset: place(of: number), part: part)
    }
}
