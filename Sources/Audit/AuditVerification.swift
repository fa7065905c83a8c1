import COpenSSL
import Foundation
import Keys
import Synchronization

/// What a reading of the whole log found.
public struct AuditVerification: Sendable, Codable {
    /// Something that is not as it was written.
    public struct Problem: Sendable, Equatable, Codable, CustomStringConvertible {
        public enum Kind: String, Sendable, Equatable, Codable {
            /// A segment between two others is not there.
            case missing
            /// Its header is none, or another's.
            case header
            /// The chain breaks: altered, taken out, put in or reordered from here on.
            case chain
            /// The chain holds, but the record was not sealed with the key of the log.
            case seal
            /// Sequence numbers do not follow.
            case order
            /// The segment does not begin where the one before ended.
            case join
            /// Fewer records than an anchor says there were.
            case cut
            /// An anchor's head is not the chain's at its place.
            case anchor
        }

        public var kind: Kind
        public var segment: UInt64
        /// Of the segment, in bytes.
        public var byteOffset: UInt64
        /// The first record that is not proved any more.
        public var sequence: UInt64

        public var description: String {
            let what =
                switch kind {
                case .missing: "segment \(segment) is missing"
                case .header: "segment \(segment) has no good header"
                case .chain: "segment \(segment), byte \(byteOffset): altered, taken out, put in or reordered"
                case .seal: "segment \(segment), byte \(byteOffset): not written by the holder of the log's key"
                case .order: "segment \(segment), byte \(byteOffset): numbers do not follow"
                case .join: "segment \(segment) does not begin where the one before it ended"
                case .cut: "the end of the log is missing: an anchor counts more records"
                case .anchor: "the chain is another than an anchor says"
                }
            return what + "; not proved from record \(sequence) on"
        }
    }

    public var recordCount: UInt64 = 0
    public var segmentCount = 0
    public var byteCount: UInt64 = 0
    public var problems: [Problem] = []
    /// Bytes that restarts found unfinished and declared.
    public var tornByteCount: UInt64 = 0
    public var anchorCount = 0
    /// Records up to the last anchor that was compared: up to here a cut tail would have been found.
    public var anchoredCount: UInt64 = 0
    /// Those of them that were given, so kept elsewhere, and how far they reach.
    public var givenAnchorCount = 0
    public var provedCount: UInt64 = 0

    public var isIntact: Bool { problems.isEmpty }
}

extension AuditLog {
    /// Reads the whole log again, on as many threads as there are processors.
    ///
    /// - Parameters:
    ///   - anchors: kept elsewhere; those beside the log are compared always.
    ///   - isQuiet: on one thread that gets what time is left over.
    ///   - progress: told of segments done and all of them, from any thread.
    public func verify(
        anchors given: [AuditAnchor] = [], isQuiet: Bool = false,
        progress: @escaping @Sendable (Int, Int) -> Void = { _, _ in }
    ) throws(AuditError) -> AuditVerification {
        // What is written meanwhile is not part of it.
        let limit = try settledPosition()
        do { return try LogCheck(self, limit: limit, anchors: given, isQuiet: isQuiet, progress: progress).run() } catch
        {
            throw Self.error(error)
        }
    }
}

/// One verification.
private struct LogCheck {
    private struct Found {
        var header: SegmentHeader?
        var walk: Segment.Walk?
        var byteCount: UInt64 = 0
        /// Heads at the anchored counts in this segment.
        var heads: [UInt64: [UInt8]] = [:]
    }

    private final class Shared: Sendable {
        let state = Mutex<(next: Int, done: Int, found: [UInt64: Found], failure: (any Error)?)>((0, 0, [:], nil))
    }

    private let log: AuditLog
    private let limit: AuditLog.Position
    private let anchors: [AuditAnchor]
    /// Of the anchors, those beside the log come first.
    private let besideCount: Int
    private let counts: Set<UInt64>
    private let isQuiet: Bool
    private let progress: @Sendable (Int, Int) -> Void

    init(
        _ log: AuditLog, limit: AuditLog.Position, anchors: [AuditAnchor], isQuiet: Bool,
        progress: @escaping @Sendable (Int, Int) -> Void
    ) throws(AuditError) {
        self.log = log
        self.limit = limit
        let publicKey = try log.publicKey()
        let beside = try log.anchors.read()
        besideCount = beside.count
        let all = beside + anchors
        guard all.allSatisfy({ $0.publicKey == publicKey }) else {
            throw .badAnchor("one was signed by another installation")
        }
        self.anchors = all
        counts = Set(all.map(\.count))
        self.isQuiet = isQuiet
        self.progress = progress
    }

    func run() throws -> AuditVerification {
        let numbers = try Segment.numbers(in: log.directory)
        let shared = Shared()
        let count = isQuiet ? 1 : ProcessInfo.processInfo.activeProcessorCount
        let threads = (0..<min(numbers.count, count)).map { _ in
            let done = DispatchSemaphore(value: 0)
            let thread = Thread {
                if isQuiet { _ = huizhen_lower_thread_priority() }
                work(numbers, shared)
                done.signal()
            }
            thread.stackSize = 1 << 20
            thread.start()
            return done
        }
        for thread in threads { thread.wait() }
        let (found, failure) = shared.state.withLock { ($0.found, $0.failure) }
        if let failure { throw failure }
        return join(numbers, found)
    }

    private func work(_ numbers: [UInt64], _ shared: Shared) {
        do {
            let digest = try SHA256Digest()
            let cipher = try AuthenticatedCipher()
            while let number = shared.state.withLock({ state -> UInt64? in
                guard state.failure == nil, state.next < numbers.count else { return nil }
                state.next += 1
                return numbers[state.next - 1]
            }) {
                let found = try check(number, digest, cipher)
                let done = shared.state.withLock { state in
                    state.found[number] = found
                    state.done += 1
                    return state.done
                }
                progress(done, numbers.count)
            }
        } catch { shared.state.withLock { $0.failure = error } }
    }

    private func check(_ number: UInt64, _ digest: SHA256Digest, _ cipher: AuthenticatedCipher) throws -> Found {
        let segment: Segment
        do throws(AuditError) { segment = try Segment(directory: log.directory, number: number) } catch {
            guard case .damaged = error else { throw error }
            return Found()
        }
        var found = Found(header: segment.header, byteCount: UInt64(segment.bytes.count))
        found.walk = try segment.check(key: log.key, digest, cipher) { frame in
            let before = frame.head.firstSequence - 1
            if counts.contains(before) { found.heads[before] = frame.previous }
        }
        if let walk = found.walk, counts.contains(walk.nextSequence - 1) {
            found.heads[walk.nextSequence - 1] = walk.head
        }
        return found
    }

    /// Puts the segments together: each must follow the one before it.
    private func join(_ numbers: [UInt64], _ found: [UInt64: Found]) -> AuditVerification {
        var report = AuditVerification()
        report.segmentCount = numbers.count
        var position = AuditLog.Position(nextSequence: 1, head: SegmentHeader.genesis)
        var end: UInt64 = 0
        var expected: UInt64 = 1
        var heads: [UInt64: [[UInt8]]] = [:]
        func fail(_ kind: AuditVerification.Problem.Kind, _ segment: UInt64, at byteOffset: UInt64 = 0) {
            report.problems.append(
                .init(kind: kind, segment: segment, byteOffset: byteOffset, sequence: position.nextSequence))
        }
        for (index, number) in numbers.enumerated() {
            let isMissing = number != expected
            if isMissing { fail(.missing, expected) }
            expected = number + 1
            guard let part = found[number], let header = part.header, let walk = part.walk else {
                fail(.header, number)
                continue
            }
            report.byteCount += part.byteCount
            if !isMissing,
                header.previousHead != position.head || header.firstSequence != position.nextSequence
                    || header.previousEnd != end
            {
                fail(.join, number)
            }
            position = AuditLog.Position(nextSequence: walk.nextSequence, head: walk.head)
            end = walk.end
            // What a run left unfinished is declared by the next one; of the last segment it may still be written.
            let next = index + 1 < numbers.count ? found[numbers[index + 1]]?.header : nil
            let isDeclared = next.map { $0.previousEnd == walk.end && $0.previousTornByteCount > 0 } ?? false
            switch walk.fault {
            case .chain where isDeclared: report.tornByteCount += next?.previousTornByteCount ?? 0
            case .chain(let offset):
                if index + 1 < numbers.count || position.nextSequence < limit.nextSequence {
                    fail(.chain, number, at: offset)
                } else {
                    report.tornByteCount += part.byteCount - walk.end
                }
            case .seal(let offset): fail(.seal, number, at: offset)
            case .order(let offset): fail(.order, number, at: offset)
            case .header: fail(.header, number)
            case nil: break
            }
            for (count, head) in part.heads { heads[count, default: []].append(head) }
        }
        report.recordCount = position.nextSequence - 1
        compare(heads, &report, last: numbers.last ?? 0)
        return report
    }

    private func compare(_ heads: [UInt64: [[UInt8]]], _ report: inout AuditVerification, last: UInt64) {
        for (index, anchor) in anchors.enumerated() {
            report.anchorCount += 1
            if index >= besideCount { report.givenAnchorCount += 1 }
            guard let held = heads[anchor.count] else {
                report.problems.append(
                    .init(
                        kind: anchor.count > report.recordCount ? .cut : .anchor, segment: last, byteOffset: 0,
                        sequence: min(anchor.count, report.recordCount + 1)))
                continue
            }
            // The end of a segment and the beginning of the next are two heads of one count.
            if held.contains(anchor.head) {
                report.anchoredCount = max(report.anchoredCount, anchor.count)
                if index >= besideCount { report.provedCount = max(report.provedCount, anchor.count) }
            } else {
                report.problems.append(.init(kind: .anchor, segment: last, byteOffset: 0, sequence: 1))
            }
        }
    }
}
