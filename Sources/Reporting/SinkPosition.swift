import Audit
import Foundation
import Keys

/// How far a sink has everything: kept in a file, so that a restart goes on from there.
struct SinkPosition: Equatable, Sendable {
    /// The last record, and the records that the last anchor counted.
    var sequence: UInt64 = 0
    var anchor: UInt64 = 0

    /// The beginning where there is no file, or none that can be read: better twice than never.
    static func read(_ path: String) -> SinkPosition {
        guard let data = FileManager.default.contents(atPath: path), data.count < 256 else { return SinkPosition() }
        let words = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard words.count == 4, words[0] == "huizhen-sink", words[1] == "1", let sequence = UInt64(words[2]),
            let anchor = UInt64(words[3])
        else { return SinkPosition() }
        return SinkPosition(sequence: sequence, anchor: anchor)
    }

    func write(_ path: String) throws(SystemFailure) {
        try OpenFile.replace(path, with: Array("huizhen-sink 1 \(sequence) \(anchor)\n".utf8))
    }
}

/// What was sent and is not yet known to have arrived. A server's program may die with bytes that its system took, so a
/// position counts only once it was taken and the connection then held for some time.
struct SettlingMarks {
    /// Marks closer than this are one.
    static let grain = Duration.milliseconds(200)

    private struct Mark {
        var position: SinkPosition
        var byteTotal: UInt64
        var sentAt: ContinuousClock.Instant
        var takenAt: ContinuousClock.Instant?
    }

    let settleTime: Duration
    private var marks: [Mark] = []

    init(settleTime: Duration) { self.settleTime = settleTime }

    var count: Int { marks.count }

    mutating func sent(_ position: SinkPosition, byteTotal: UInt64, at now: ContinuousClock.Instant) {
        if let last = marks.last, last.takenAt == nil, last.sentAt + Self.grain > now {
            marks[marks.count - 1].position = position
            marks[marks.count - 1].byteTotal = byteTotal
        } else {
            marks.append(Mark(position: position, byteTotal: byteTotal, sentAt: now))
        }
    }

    /// Tells what the other side's system has taken by now.
    ///
    /// - Returns: the newest position that has settled; nil for none that was not given before.
    mutating func settle(takenByteCount: UInt64, at now: ContinuousClock.Instant) -> SinkPosition? {
        for index in marks.indices where marks[index].takenAt == nil && marks[index].byteTotal <= takenByteCount {
            marks[index].takenAt = now
        }
        guard let index = marks.lastIndex(where: { $0.takenAt.map { $0 + settleTime <= now } ?? false }) else {
            return nil
        }
        let position = marks[index].position
        marks.removeFirst(index + 1)
        return position
    }
}
