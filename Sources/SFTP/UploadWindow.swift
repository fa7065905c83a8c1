/// Puts the pieces of one file in order as they are written. What comes ahead of its turn waits in memory, within a bound.
struct UploadWindow {
    typealias Bytes = ArraySlice<UInt8>

    enum Taken: Equatable {
        /// To be appended in this order; none while the piece waits.
        case pieces([Bytes])
        case refused(String)
    }

    /// How far behind the end of what came in order a piece may end, in bytes.
    static let byteCountLimit: UInt64 = 1 << 20
    /// Pieces that wait.
    static let pieceLimit = 64

    /// Bytes that came in order.
    private(set) var byteCount: UInt64 = 0
    /// By where they begin, in order.
    private var waiting: [(offset: UInt64, bytes: [UInt8])] = []

    /// Whether bytes are missing before others that came.
    var hasGap: Bool { !waiting.isEmpty }

    mutating func take(_ bytes: Bytes, at offset: UInt64) -> Taken {
        guard !bytes.isEmpty else { return .pieces([]) }
        let (end, isOver) = offset.addingReportingOverflow(UInt64(bytes.count))
        guard !isOver, offset >= byteCount else { return .refused("what was written is not written again") }
        let index = waiting.firstIndex { $0.offset >= offset } ?? waiting.count
        let isBehindFormer = index == 0 || waiting[index - 1].offset + UInt64(waiting[index - 1].bytes.count) <= offset
        guard isBehindFormer, index == waiting.count || end <= waiting[index].offset else {
            return .refused("what was written is not written again")
        }
        guard offset > byteCount else { return .pieces(inOrder(bytes)) }
        guard end - byteCount <= Self.byteCountLimit, waiting.count < Self.pieceLimit else {
            return .refused("a file is to be written from its beginning on, in order")
        }
        waiting.insert((offset, Array(bytes)), at: index)
        return .pieces([])
    }

    private mutating func inOrder(_ bytes: Bytes) -> [Bytes] {
        var pieces = [bytes]
        byteCount += UInt64(bytes.count)
        while let next = waiting.first, next.offset == byteCount {
            pieces.append(next.bytes[...])
            byteCount += UInt64(next.bytes.count)
            waiting.removeFirst()
        }
        return pieces
    }
}
