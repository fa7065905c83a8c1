import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Synchronization

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
    private let state = Mutex(State())

    /// - Parameters:
    ///   - limit: the most bytes of the body.
    ///   - patience: how long it may come more slowly than that.
    init(limit: Int, patience: Duration) { (self.limit, self.patience) = (limit, patience) }

    func didReceiveHead(task: HTTPClient.Task<SiteClient.Answer>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
        let length = head.headers.first(name: "Content-Length").flatMap(Int.init) ?? 0
        state.withLock { ($0.head, $0.began) = (head, .now) }
        return task.eventLoop.makeCompletedFuture { try check(length) }
    }

    func didReceiveBodyPart(task: HTTPClient.Task<SiteClient.Answer>, _ buffer: ByteBuffer) -> EventLoopFuture<Void> {
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
