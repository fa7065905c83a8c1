import Foundation
import Glibc
import Keys
import Synchronization

/// The record of every act: append-only, sealed, each frame chained to all before it.
///
/// A restart begins a segment of its own and never writes into one that another run left, so that what a power cut left
/// unfinished stays as evidence. Any thread may use it. A record costs about ten microseconds; one that is synced costs
/// the disk's sync, which those who come meanwhile share.
public final class AuditLog: @unchecked Sendable {  // all state is behind the gate
    public struct Settings: Sendable {
        /// How large a segment grows before the next is begun, in bytes: 64 KiB to 64 MiB.
        public var segmentByteCount = 16 << 20
        /// Bytes that are kept free for records when the disk is full.
        public var reserveByteCount = 4 << 20

        public init() {}
    }

    /// Entries of one call.
    public static let entryLimit = 4096

    /// What a head of the chain stands for.
    struct Position: Equatable {
        var nextSequence: UInt64
        var head: [UInt8]
    }

    private struct OpenSegment {
        var file: OpenFile
        var sync: SyncGroup
        var end: UInt64
    }

    let directory: String
    let key: SymmetricKey
    let signer: SigningKey
    private let settings: Settings
    private let gate = ConditionLock()
    private let cipher: AuthenticatedCipher
    private let digest: SHA256Digest
    private var segment: OpenSegment?
    private var number: UInt64
    private var position: Position
    private var previousEnd: UInt64
    private var previousTorn: UInt64
    private var isClosed = false
    let anchors: AnchorFile
    let currentNames = CurrentNames()
    private let refused = Mutex<(count: UInt64, last: AuditError?)>((0, nil))

    /// Opens the log of a directory, which is made if it is not there.
    ///
    /// - Parameters:
    ///   - key: what segments are sealed with; another for each is derived from it.
    ///   - signer: signs the anchors.
    /// - Throws: `.damaged` when the last segment has no header; `.io`; `.keys`.
    public init(
        directory: String, key: SymmetricKey, signer: SigningKey, settings: Settings = Settings()
    ) throws(AuditError) {
        self.directory = directory
        self.key = key
        self.signer = signer
        self.settings = settings
        (cipher, digest) = try AuditError.unlocking { () throws(KeyError) in
            (try AuthenticatedCipher(), try SHA256Digest())
        }
        try AuditError.wrapping { () throws(SystemFailure) in try OpenFile.makeDirectory(directory) }
        anchors = AnchorFile(path: directory + "/anchors")
        number = 0
        position = Position(nextSequence: 1, head: SegmentHeader.genesis)
        (previousEnd, previousTorn) = (0, 0)
        if let last = try Segment.numbers(in: directory).last {
            let found = try Segment(directory: directory, number: last)
            let walk: Segment.Walk
            do { walk = try found.walk(digest) } catch { throw Self.error(error) }
            number = last
            position = Position(nextSequence: walk.nextSequence, head: walk.head)
            previousEnd = walk.end
            previousTorn = UInt64(found.bytes.count) - walk.end
        }
        makeReserve()
    }

    static func error(_ error: any Error) -> AuditError {
        switch error {
        case let error as AuditError: error
        case let error as KeyError: .keys(error)
        case let error as SystemFailure: AuditError(error)
        default: .io(operation: "read", errno: EIO)
        }
    }

    /// Records so far.
    public var count: UInt64 { gate.locked { position.nextSequence - 1 } }

    /// How many times a record could not be written since the start, and why the last time.
    public var refusals: (count: UInt64, last: AuditError?) { refused.withLock { $0 } }

    /// The segment that is written, or the last one before the first record of this run, and where its chain ends.
    var currentSegment: (number: UInt64, end: UInt64) { gate.locked { (number, segment?.end ?? previousEnd) } }

    /// Bytes behind the end of the last run's segment, which it did not finish.
    public var tornByteCount: UInt64 { previousTorn }

    /// Writes entries down, all or none; returns when they are as durable as their events ask.
    ///
    /// - Returns: the sequence of the last of them.
    /// - Throws: what keeps the act from being done: `.io`, `.tooLarge`, `.closed`, `.keys`.
    @discardableResult
    public func append(_ entries: [AuditEntry], at now: Date = Date()) throws(AuditError) -> UInt64 {
        do throws(AuditError) { return try appendAll(entries, at: now) } catch {
            if error != .closed { refused.withLock { $0 = ($0.count + 1, error) } }
            throw error
        }
    }

    /// Writes one entry down, as above.
    ///
    /// - Returns: it as it stands on the record.
    public func record(_ entry: AuditEntry, at now: Date = Date()) throws(AuditError) -> AuditRecord {
        let sequence = try append([entry], at: now)
        return AuditRecord(sequence: sequence, time: Self.milliseconds(now), entry: entry)
    }

    private static func milliseconds(_ date: Date) -> Int64 { Int64(date.timeIntervalSince1970 * 1000) }

    private func appendAll(_ entries: [AuditEntry], at now: Date) throws(AuditError) -> UInt64 {
        guard !entries.isEmpty else { return count }
        guard entries.count <= Self.entryLimit else { throw .tooLarge(limit: Self.entryLimit) }
        let mustSync = entries.contains(where: \.event.isSyncedFirst)
        gate.lock()
        let written: (segment: OpenSegment, ticket: UInt64, last: UInt64)
        do throws(AuditError) {
            written = try write(entries, at: now)
            gate.unlock()
        } catch {
            gate.unlock()
            throw error
        }
        guard mustSync else { return written.last }
        let file = written.segment.file
        do throws(SystemFailure) {
            try written.segment.sync.wait(until: written.ticket) { () throws(SystemFailure) in try file.syncData() }
        } catch {
            // What of it is on the disk is not known: the next record goes to a segment of its own.
            gate.locked { if segment?.file === file { leaveSegment() } }
            throw AuditError(error)
        }
        return written.last
    }

    private func write(
        _ entries: [AuditEntry], at now: Date
    ) throws(AuditError) -> (segment: OpenSegment, ticket: UInt64, last: UInt64) {
        guard !isClosed else { throw .closed }
        let milliseconds = Self.milliseconds(now)
        var content: [UInt8] = []
        content.reserveCapacity(256 * entries.count)
        var sequence = position.nextSequence
        for entry in entries {
            AuditCoding.append(AuditRecord(sequence: sequence, time: milliseconds, entry: entry), to: &content)
            sequence += 1
        }
        guard content.count <= AuditFrame.contentLimit else { throw .tooLarge(limit: AuditFrame.contentLimit) }
        do throws(AuditError) {
            return try put(content, count: entries.count, at: milliseconds)
        } catch {
            guard case .io(_, let errno) = error, SystemFailure.noRoom.contains(errno), dropReserve() else {
                throw error
            }
            return try put(content, count: entries.count, at: milliseconds)
        }
    }

    private func put(
        _ content: [UInt8], count: Int, at milliseconds: Int64
    ) throws(AuditError) -> (segment: OpenSegment, ticket: UInt64, last: UInt64) {
        if let segment, segment.end >= UInt64(settings.segmentByteCount) { try finish(segment) }
        var segment = if let held = self.segment { held } else { try begin(at: milliseconds) }
        let frame = try AuditError.unlocking { () throws(KeyError) in
            try AuditFrame.seal(
                content, firstSequence: position.nextSequence, recordCount: count, after: position.head, with: cipher,
                digest)
        }
        do throws(SystemFailure) { try segment.file.write(frame, at: segment.end) } catch {
            try? segment.file.truncate(to: segment.end)
            leaveSegment()
            throw AuditError(error)
        }
        segment.end += UInt64(frame.count)
        self.segment = segment
        position.head = Array(frame.suffix(SHA256Digest.byteCount))
        position.nextSequence += UInt64(count)
        return (segment, segment.sync.noteWrite(), position.nextSequence - 1)
    }

    /// What a reader of the log may not miss: everything so far is on the disk.
    private func finish(_ segment: OpenSegment) throws(AuditError) {
        do throws(SystemFailure) { try segment.file.syncData() } catch {
            leaveSegment()
            throw AuditError(error)
        }
        leaveSegment()
    }

    /// Ends the segment where its last whole frame ends.
    private func leaveSegment() {
        guard let segment else { return }
        let size = (try? segment.file.byteCount()) ?? segment.end
        previousEnd = segment.end
        previousTorn = size > segment.end ? size - segment.end : 0
        self.segment = nil
    }

    private func begin(at milliseconds: Int64) throws(AuditError) -> OpenSegment {
        let salt = try AuditError.unlocking { () throws(KeyError) in
            try randomBytes(count: SegmentHeader.saltByteCount)
        }
        let header = SegmentHeader(
            number: number + 1, firstSequence: position.nextSequence, previousHead: position.head, salt: salt,
            time: milliseconds, previousEnd: previousEnd,
            previousTornByteCount: previousTorn)
        let path = directory + "/" + SegmentHeader.fileName(header.number)
        let bytes = header.bytes
        let file = try AuditError.wrapping { () throws(SystemFailure) in
            // Under its name only once it has a header: a segment without one is damage.
            unlink(path + ".new")
            let file = try OpenFile(path + ".new", flags: O_RDWR | O_CREAT | O_EXCL)
            try file.write(bytes, at: 0)
            try file.syncData()
            guard rename(path + ".new", path) == 0 else { throw SystemFailure("rename") }
            try OpenFile.syncDirectory(directory)
            return file
        }
        let sealing = try SegmentHeader.key(of: salt, from: key)
        try AuditError.unlocking { () throws(KeyError) in try cipher.load(sealing, for: .sealing) }
        number = header.number
        position.head = try Segment.firstHead(bytes, digest)
        let begun = OpenSegment(file: file, sync: SyncGroup(), end: UInt64(bytes.count))
        segment = begun
        return begun
    }

    /// Where the chain is, once everything of it is on the disk.
    func settledPosition() throws(AuditError) -> Position {
        gate.lock()
        let position = position
        let segment = segment
        gate.unlock()
        if let segment {
            try AuditError.wrapping { () throws(SystemFailure) in try segment.file.syncData() }
        }
        return position
    }

    /// Writes no more.
    public func close() throws(AuditError) {
        try gate.locked { () throws(AuditError) in
            isClosed = true
            if let segment { try finish(segment) }
        }
    }

    // MARK: Reserve

    private var reservePath: String { directory + "/reserve" }

    /// Room that is given up when there is no other.
    private func makeReserve() {
        guard settings.reserveByteCount > 0, access(reservePath, F_OK) != 0,
            let file = try? OpenFile(reservePath, flags: O_RDWR | O_CREAT | O_EXCL)
        else { return }
        if posix_fallocate(file.descriptor, 0, off_t(settings.reserveByteCount)) != 0 { unlink(reservePath) }
    }

    private func dropReserve() -> Bool { unlink(reservePath) == 0 }
}
