import HummingbirdCore
import Logging
import NIOCore
import NIOSSL
import NIOTLS

/// Closes connections whose TLS handshake does not end in time: nothing else watches them before it has. Notes which
/// certificate the client showed.
struct HandshakeTime<Base: ServerChildChannel>: ServerChildChannel {
    typealias Value = Base.Value

    let base: Base
    let limit: Duration
    var certificates: ClientCertificates?

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let value = base.setup(channel: channel, logger: logger)
        SendQueue.bound(channel)
        do {
            let pipeline = channel.pipeline.syncOperations
            let tls = try pipeline.handler(type: NIOSSLServerHandler.self)
            try pipeline.addHandler(HandshakeTimer(TimeAmount(limit), certificates), position: .after(tls))
        } catch { return channel.eventLoop.makeFailedFuture(error) }
        return value
    }

    func handle(value: Value, logger: Logger) async { await base.handle(value: value, logger: logger) }
}

private final class HandshakeTimer: ChannelInboundHandler {
    typealias InboundIn = NIOAny

    private let limit: TimeAmount
    private let certificates: ClientCertificates?
    private var timer: Scheduled<Void>?

    init(_ limit: TimeAmount, _ certificates: ClientCertificates?) {
        self.limit = limit
        self.certificates = certificates
    }

    func handlerAdded(context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: limit) { context.close(promise: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        certificates?.ended(context.channel)
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? TLSUserEvent, case .handshakeCompleted = event {
            timer?.cancel()
            if let certificates, let shown = try? context.pipeline.syncOperations.nioSSL_peerCertificate() {
                certificates.completed(context.channel, shown)
            }
        }
        context.fireUserInboundEventTriggered(event)
    }
}
