import Glibc
import Keys

/// A log of small sealed events, each batch one frame and one sync.
///
/// A frame is written only after the one before it is on disk, so that at most the last can be unfinished: a bad
/// frame with a good one behind it is damage.
final class EventJournal: @unchecked Sendable {  // all state is behind the gate
    /// Largest event, in bytes.
    static let eventLimit = 1 << 20
    /// Most bytes in one batch, the events' own headers included.
    static let batchLimit = 8 << 20
    /// How large a file grows before the next is begun, in bytes.
    private static let fileByteCount: UInt64 = 64 << 20

    private let directory: String
    private let key: SymmetricKey
    private let cipher: AuthenticatedCipher
    private let gate = ConditionLock()
    private var number: UInt32
    private var file: OpenFile?
    private var end: UInt64 = 0

    init(directory: String, key: SymmetricKey) throws(BlobError) {
        self.directory = directory
        self.key = key
        cipher = try BlobError.unlocking { () throws(KeyError) in try AuthenticatedCipher() }
        let numbers = try BlobError.wrapping { () throws(SystemFailure) in
            try PackShelf.numbers(in: directory, prefix: "journal-", suffix: ".hzj")
        }
        number = numbers.last ?? 0
        if !numbers.isEmpty { try continueLast() }
    }

    func append(_ events: [StoredEvent]) throws(BlobError) {
        if events.isEmpty { return }
        var plaintext: [UInt8] = []
        for event in events {
            guard event.bytes.count <= Self.eventLimit else {
                throw .tooLarge(part: .event, limit: UInt64(Self.eventLimit))
            }
            EventFrame.append(event, to: &plaintext)
        }
        guard plaintext.count <= Self.batchLimit else { throw .tooLarge(part: .event, limit: UInt64(Self.batchLimit)) }
        try gate.locked { () throws(BlobError) in try write(plaintext) }
    }

    func scan(each: (StoredEvent) throws -> Void) throws -> EventReport {
        var report = EventReport()
        let numbers = try BlobError.wrapping { () throws(SystemFailure) in
            try PackShelf.numbers(in: directory, prefix: "journal-", suffix: ".hzj")
        }
        for fileNumber in numbers {
            // Frames that are being written while this reads are not part of it.
            let limit = gate.locked { fileNumber == number && file != nil ? end : nil }
            let path = directory + "/" + PackName.journal(fileNumber)
            let source = try BlobError.wrapping { () throws(SystemFailure) in try OpenFile(path, flags: O_RDONLY) }
            var walk = try JournalWalk(file: source, number: fileNumber, key: key, limit: limit)
            while let events = try walk.next() {
                report.eventCount += UInt64(events.count)
                for event in events { try each(event) }
            }
            report.damaged += walk.damaged
            report.tornByteCount += walk.tornByteCount
        }
        return report
    }

    private func write(_ plaintext: [UInt8]) throws(BlobError) {
        let file = try currentFile()
        let frame = try BlobError.unlocking { () throws(KeyError) in
            try EventFrame.seal(plaintext, at: BlobLocation(pack: number, offset: end), key: key, cipher: cipher)
        }
        do throws(SystemFailure) {
            try file.write(frame, at: end)
            try file.syncData()
        } catch {
            // What is on disk is not known, so the next event goes to a new file; this one ends at its last frame.
            try? file.truncate(to: end)
            self.file = nil
            // Nothing is in it: on a full disk each try would leave one.
            if end == 0 { unlink(path) }
            throw BlobError(error)
        }
        end += UInt64(frame.count)
    }

    private func currentFile() throws(BlobError) -> OpenFile {
        if let file, end < Self.fileByteCount { return file }
        // Whatever becomes of it, the name is not used again.
        number += 1
        end = 0
        file = nil
        let made = try BlobError.wrapping { () throws(SystemFailure) in
            try OpenFile(path, flags: O_RDWR | O_CREAT | O_EXCL)
        }
        do throws(SystemFailure) { try OpenFile.syncDirectory(directory) } catch {
            unlink(path)
            throw BlobError(error)
        }
        file = made
        return made
    }

    /// Of the file that is written.
    private var path: String { directory + "/" + PackName.journal(number) }

    /// Finds the end of the last file and cuts off an unfinished frame; a damaged file is left as it is.
    private func continueLast() throws(BlobError) {
        let path = path
        let last = try BlobError.wrapping { () throws(SystemFailure) in try OpenFile(path, flags: O_RDWR) }
        var walk = try JournalWalk(file: last, number: number, key: key, limit: nil)
        while try walk.next() != nil {}
        guard walk.damaged.isEmpty else { return }
        let found = walk.end
        if walk.tornByteCount > 0 {
            try BlobError.wrapping { () throws(SystemFailure) in
                try last.truncate(to: found)
                try last.syncData()
            }
        }
        end = found
        file = last
    }
}
