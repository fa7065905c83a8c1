import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Synchronization

/// What of one question and its answer was on the line, whatever became of them. Safe from any thread.
final class LineCount: Sendable {
    private let isSent = Atomic<Bool>(false)
    private let received = Atomic<Int>(0)
    private let times = Mutex<(sent: ContinuousClock.Instant?, answered: ContinuousClock.Instant?)>((nil, nil))

    /// Whether the question had a connection, and began to go.
    var hasBegun: Bool { isSent.load(ordering: .acquiring) }
    /// Bytes of the answer's body that have come.
    var answered: Int { received.load(ordering: .acquiring) }

    /// From when a question without much in it had a connection until the answer began: a round trip, and what thinking about it
    /// took.
    var answerTime: Duration? {
        times.withLock { times in
            guard let sent = times.sent, let answered = times.answered else { return nil }
            return sent.duration(to: answered)
        }
    }

    fileprivate func begin() {
        times.withLock { $0.sent = .now }
        isSent.store(true, ordering: .releasing)
    }

    fileprivate func answer() { times.withLock { $0.answered = .now } }
    fileprivate func add(_ byteCount: Int) { received.wrappingAdd(byteCount, ordering: .releasing) }
}

/// An answer of another site as it comes: of bounded length, and not by drops.
final class AnswerCollector: HTTPClientResponseDelegate {
    /// Bytes a second that come of it at least, on the whole, once it has had its time.
    static let leastRate = 256.0

    private struct State {
        var head: HTTPResponseHead?
        var body = ByteBuffer()
        var began = ContinuousClock.now
    }

    private let limit: Int
    private let patience: Duration
    private let line: LineCount?
    private let state = Mutex(State())

    /// - Parameters:
    ///   - limit: the most bytes of the body.
    ///   - patience: how long it may come more slowly than that.
    ///   - line: told how much was on the line.
    init(limit: Int, patience: Duration, line: LineCount?) {
        (self.limit, self.patience, self.line) = (limit, patience, line)
    }

    func didSendRequestHead(task: HTTPClient.Task<SiteClient.Answer>, _ head: HTTPRequestHead) {
        line?.begin()
    }

    func didReceiveHead(task: HTTPClient.Task<SiteClient.Answer>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
        line?.answer()
        let length = head.headers.first(name: "Content-Length").flatMap(Int.init) ?? 0
        state.withLock { ($0.head, $0.began) = (head, .now) }
        return task.eventLoop.makeCompletedFuture { try check(length) }
    }

    func didReceiveBodyPart(task: HTTPClient.Task<SiteClient.Answer>, _ buffer: ByteBuffer) -> EventLoopFuture<Void> {
        line?.add(buffer.readableBytes)
        let (byteCount, time) = state.withLock { state in
            state.body.writeImmutableBuffer(buffer)
            return (state.body.readableBytes, state.began.duration(to: .now))
        }
        return task.eventLoop.makeCompletedFuture {
            try check(byteCount)
            guard time < patience || Double(byteCount) >= Self.leastRate * (time / .seconds(1)) else {
                throw TransferError.unreachable("it answers too slowly")
            }
        }
    }

    private func check(_ byteCount: Int) throws {
        guard byteCount <= limit else { throw TransferError.malformed("an answer with more bytes than are taken") }
    }

    func didFinishRequest(task: HTTPClient.Task<SiteClient.Answer>) throws -> SiteClient.Answer {
        try state.withLock { state in
            guard let head = state.head else { throw TransferError.unreachable("it gives no answer") }
            return SiteClient.Answer(head, state.body)
        }
    }
}
