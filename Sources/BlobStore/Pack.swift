import COpenSSL
import Glibc
import Keys

/// A file that objects are appended to by the one lane that holds it, ahead of which zeros are written.
///
/// The lane and the background writer of zeros agree here on who writes which bytes.
final class Pack: @unchecked Sendable {  // all mutable state is behind the gate
    /// How many zeros are written at a time.
    static let zeroStepByteCount: UInt64 = 8 << 20
    private static let zeroWriteByteCount = 1 << 20

    let number: UInt32
    let path: String
    /// The lane's own descriptor: a write error is reported once per descriptor, so nobody else may sync by it.
    let file: OpenFile

    private let gate = ConditionLock()
    private var tail: UInt64
    // Bytes below are written blocks. Between the two a step of zeros is under way.
    private var zeroedEnd: UInt64
    private var claimedEnd: UInt64
    // How far objects themselves, not zeros, last made the file grow.
    private var grownEnd: UInt64 = 0

    init(number: UInt32, path: String, isNew: Bool, tail: UInt64) throws(SystemFailure) {
        self.number = number
        self.path = path
        file = try OpenFile(path, flags: O_RDWR | (isNew ? O_CREAT | O_EXCL : 0))
        self.tail = tail
        zeroedEnd = max(tail, try file.byteCount())
        claimedEnd = zeroedEnd
        if isNew { try OpenFile.syncDirectory(OpenFile.directory(of: path)) }
    }

    /// Where the next object starts, after the last one that is on disk.
    var end: UInt64 {
        get { gate.locked { tail } }
        set { gate.locked { tail = newValue } }
    }

    /// How many written bytes lie ahead of the tail.
    var readyByteCount: UInt64 { gate.locked { zeroedEnd - min(tail, zeroedEnd) } }

    /// Writes an object's bytes, waiting for a step of zeros that would overwrite them.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemFailure) {
        let end = offset + UInt64(bytes.count)
        gate.lock()
        while end > zeroedEnd, claimedEnd > zeroedEnd { gate.wait() }
        if end > zeroedEnd {
            zeroedEnd = end
            claimedEnd = end
            grownEnd = end
        }
        gate.unlock()
        try file.write(bytes, at: offset)
    }

    /// Gives back what an object that is not to be made the file grow by, unless zeros were written behind it.
    func giveBack(beyond previousEnd: UInt64) {
        gate.lock()
        defer { gate.unlock() }
        guard grownEnd > previousEnd, claimedEnd == grownEnd, zeroedEnd == grownEnd else { return }
        let kept = max(previousEnd, tail)
        guard (try? file.truncate(to: kept)) != nil else { return }
        zeroedEnd = kept
        claimedEnd = kept
    }

    /// Durably takes everything behind a place off the file.
    func cut(to end: UInt64) throws(SystemFailure) {
        gate.lock()
        defer { gate.unlock() }
        while claimedEnd > zeroedEnd { gate.wait() }
        try file.truncate(to: end)
        (tail, zeroedEnd, claimedEnd, grownEnd) = (end, end, end, 0)
        try file.syncData()
    }

    /// The end of what is written, to remember before an object begins.
    var writtenEnd: UInt64 { gate.locked { claimedEnd } }

    /// Writes one step of zeros ahead of the tail; false when `window` bytes are ready or `limit` is reached.
    func writeZeros(window: UInt64, limit: UInt64) throws(SystemFailure) -> Bool {
        gate.lock()
        let start = claimedEnd
        let target = min(tail + window, limit)
        // Only whole steps: zeros trickling in behind every object would cost more than they save.
        guard claimedEnd == zeroedEnd, start + Self.zeroStepByteCount <= target + Self.zeroStepByteCount / 2 else {
            gate.unlock()
            return false
        }
        claimedEnd = start + Self.zeroStepByteCount
        gate.unlock()
        var failure: SystemFailure?
        do throws(SystemFailure) { try writeZeros(from: start) } catch { failure = error }
        gate.lock()
        if failure == nil { zeroedEnd = claimedEnd } else { claimedEnd = zeroedEnd }
        gate.wakeAll()
        gate.unlock()
        if let failure { throw failure }
        return true
    }

    /// Past the page cache where the file system allows, so that a lane's sync never has to write these zeros.
    private func writeZeros(from start: UInt64) throws(SystemFailure) {
        let zeros = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Self.zeroWriteByteCount, alignment: ChunkFormat.pageByteCount)
        defer { zeros.deallocate() }
        if let base = zeros.baseAddress { memset(base, 0, zeros.count) }
        let isAligned = start % UInt64(ChunkFormat.pageByteCount) == 0
        let direct = isAligned ? try? OpenFile(path, flags: O_WRONLY | huizhen_direct_flag()) : nil
        let target = if let direct { direct } else { try OpenFile(path, flags: O_WRONLY) }
        for offset in stride(from: start, to: start + Self.zeroStepByteCount, by: zeros.count) {
            try target.write(UnsafeRawBufferPointer(zeros), at: offset)
        }
        try target.syncData()
    }
}
