import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// Stands between a connection (a stream, with HTTP/2) and who answers: bounds bodies by size, silence and rate, and
/// answers what is no HTTP by a problem document. Used on the connection's event loop only.
///
/// A body that breaks a bound ends with a `Problem`, which whoever reads the body lets through as the answer.
final class RequestGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// How long a refused client may take to read its answer: a connection closed while bytes still come loses it.
    private static let lingering = TimeAmount.seconds(2)

    private let bounds: RequestBounds
    /// Requests that were read and not wholly answered.
    private var openCount = 0
    private var isBodyOpen = false
    private var byteCount = 0
    private var waited = Duration.zero
    /// Set while the body's next bytes are asked for and have not come.
    private var waitingSince: ContinuousClock.Instant?
    /// Nothing more is read.
    private var isRefused = false
    /// Said once the answers before it are.
    private var pending: Problem?
    private var bodyTimer: Scheduled<Void>?
    private var answerTimer: Scheduled<Void>?
    private var closeTimer: Scheduled<Void>?

    /// A stream of HTTP/2 has no field Connection. RFC 9113 §8.2.2.
    private var isHTTP1 = false

    init(_ bounds: RequestBounds) { self.bounds = bounds }

    func handlerAdded(context: ChannelHandlerContext) {
        isHTTP1 = (try? context.pipeline.syncOperations.handler(type: HTTP1ToHTTPServerCodec.self)) != nil
        if isHTTP1 { SendQueue.boundAnswers(context.channel) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        cancel()
        context.fireChannelInactive()
    }

    private func cancel() {
        for timer in [bodyTimer, answerTimer, closeTimer] { timer?.cancel() }
        (bodyTimer, answerTimer, closeTimer) = (nil, nil, nil)
    }

    // MARK: What comes

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isRefused else { return }
        let part = unwrapInboundIn(data)
        switch part {
        case .head(let head):
            (openCount, isBodyOpen, byteCount) = (openCount + 1, true, 0)
            (waited, waitingSince) = (.zero, nil)
            context.fireChannelRead(data)
            if let length = head.headerFields[.contentLength].flatMap(Int.init), length > bounds.bodyByteCount {
                return fail(tooLarge, context)
            }
            if head.headerFields[.expect]?.lowercased() == "100-continue" {
                context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
            }
        case .body(let bytes):
            if let since = waitingSince { waited += since.duration(to: .now) }
            waitingSince = nil
            byteCount += bytes.readableBytes
            guard byteCount <= bounds.bodyByteCount else { return fail(tooLarge, context) }
            context.fireChannelRead(data)
        case .end:
            isBodyOpen = false
            bodyTimer?.cancel()
            bodyTimer = nil
            context.fireChannelRead(data)
        }
    }

    func read(context: ChannelHandlerContext) {
        if isBodyOpen, !isRefused, waitingSince == nil {
            waitingSince = .now
            if bodyTimer == nil { watchBody(context, after: bounds.bodyIdle) }
        }
        context.read()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !isRefused else { return }
        let problem: Problem
        switch error {
        case HTTPParserError.headerOverflow:
            problem = Problem(
                .requestHeaderFieldsTooLarge, "The head of the request is larger than is taken here.")
        case HTTPParserError.invalidEOFState, HTTPParserError.closedConnection:
            problem = Problem(.badRequest, "The request ended before it was whole.")
        case is HTTPParserError: problem = Problem(.badRequest, "The request is not well-formed HTTP.")
        case is HTTP1TypeConversionError:
            // The parser took what cannot be a path or a method.
            problem = Problem(.badRequest, "The request's head is not one.")
        default: return context.fireErrorCaught(error)
        }
        fail(problem, context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if isRefused, openCount == 0, (event as? ChannelEvent) == .inputClosed { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    private var tooLarge: Problem {
        Problem(.contentTooLarge, "The body has more than \(bounds.bodyByteCount) bytes.")
    }

    private func watchBody(_ context: ChannelHandlerContext, after time: Duration) {
        bodyTimer = schedule(context, after: TimeAmount(time)) { [weak self] in
            guard let self, isBodyOpen, !isRefused else { return }
            let waiting = waitingSince.map { $0.duration(to: .now) } ?? .zero
            let whole = waited + waiting
            let isSlow = whole >= bounds.bodyIdle && Double(byteCount) < Double(bounds.bodyRate) * (whole / .seconds(1))
            guard waiting < bounds.bodyIdle, !isSlow else {
                return fail(Problem(.requestTimeout, "The body came too slowly."), context)
            }
            watchBody(context, after: max(bounds.bodyIdle - waiting, .milliseconds(10)))
        }
    }

    /// Reads nothing more, and has the problem answered where that can still be.
    private func fail(_ problem: Problem, _ context: ChannelHandlerContext) {
        isRefused = true
        bodyTimer?.cancel()
        var problem = problem
        if isHTTP1 { problem.headers[.connection] = "close" }
        if openCount == 0, isBodyOpen {
            // Answered before its body was there.
            context.close(promise: nil)
        } else if openCount == 0 {
            refuse(problem, context)
        } else if isBodyOpen {
            context.fireErrorCaught(problem)
        } else {
            pending = problem
        }
    }

    // MARK: What goes

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        context.write(data, promise: promise)
        guard case .end = unwrapOutboundIn(data) else { return }
        openCount -= 1
        guard openCount == 0 else { return }
        if let problem = pending {
            pending = nil
            refuse(problem, context)
        } else if isRefused {
            context.flush()
            close(context, after: Self.lingering)
        } else if isBodyOpen {
            close(context, after: TimeAmount(bounds.bodyIdle))
        }
    }

    private func refuse(_ problem: Problem, _ context: ChannelHandlerContext) {
        let (head, body) = problem.parts
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(body)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        close(context, after: Self.lingering)
    }

    private func close(_ context: ChannelHandlerContext, after time: TimeAmount) {
        guard closeTimer == nil else { return }
        closeTimer = schedule(context, after: time) { [weak self] in
            guard let self else { return }
            closeTimer = nil
            // A body that came to its end after its answer leaves the connection as it should be.
            if isRefused || isBodyOpen { context.close(promise: nil) }
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        answerTimer?.cancel()
        answerTimer = nil
        if !context.channel.isWritable {
            answerTimer = schedule(context, after: TimeAmount(bounds.answerIdle)) { context.close(promise: nil) }
        }
        context.fireChannelWritabilityChanged()
    }

    private func schedule(
        _ context: ChannelHandlerContext, after time: TimeAmount, _ body: @escaping () -> Void
    ) -> Scheduled<Void> {
        context.eventLoop.assumeIsolated().scheduleTask(in: time, body)
    }
}
