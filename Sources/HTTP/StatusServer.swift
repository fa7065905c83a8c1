import Hummingbird
import HummingbirdCore
import Logging
import NIOCore

/// The operator's HTTP port: health and metrics, on loopback only.
public struct StatusServer: Sendable {
    /// What `/health` answers.
    public struct Health: Sendable {
        public var isServing: Bool
        /// One sentence without patient data.
        public var detail: String

        public init(isServing: Bool, detail: String) {
            self.isServing = isServing
            self.detail = detail
        }
    }

    /// Connections at a time; further ones wait. Every account of the machine can open some, and each takes a descriptor that a
    /// store may need.
    public static let connectionLimit = 2048

    private let port: Int
    private let idleTime: Duration
    private let logger: Logger
    private let health: @Sendable () -> Health
    private let metrics: @Sendable () -> String

    /// - Parameters:
    ///   - idleTime: how long a connection may be silent, and the head of a request may take.
    ///   - health: answers at once; called for every request.
    ///   - metrics: the Prometheus text, version 0.0.4.
    public init(
        port: Int, idleTime: Duration = .seconds(5), logger: Logger, health: @escaping @Sendable () -> Health,
        metrics: @escaping @Sendable () -> String
    ) {
        self.port = port
        self.idleTime = idleTime
        self.logger = logger
        self.health = health
        self.metrics = metrics
    }

    /// Nobody has anything to send here.
    private var bounds: RequestBounds {
        var result = RequestBounds()
        result.bodyByteCount = 1024
        result.answerIdle = idleTime
        return result
    }

    /// The service to run.
    ///
    /// - Parameter ready: told the port once it is open.
    public func application(ready: @escaping @Sendable (Int) async -> Void) -> some ApplicationProtocol {
        let router = Router()
        let health = health
        let metrics = metrics
        router.get("health") { _, _ in
            let state = health()
            return Response(
                status: state.isServing ? .ok : .serviceUnavailable,
                headers: [.contentType: "application/json", .cacheControl: "no-store"],
                body: .init(
                    byteBuffer: ByteBuffer(
                        string:
                            "{\"status\":\"\(state.isServing ? "ok" : "unavailable")\",\"detail\":\"\(state.detail)\"}\n"
                    )))
        }
        router.get("metrics") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: .init(byteBuffer: ByteBuffer(string: metrics())))
        }
        let bounds = bounds
        let channel = HTTP1Channel.Configuration(
            additionalChannelHandlers: [RequestGuard(bounds)],
            idleTimeout: .milliseconds(Int64(idleTime / .milliseconds(1))))
        return Application(
            router: router, server: .http1(configuration: channel),
            configuration: .init(
                address: .hostname("127.0.0.1", port: port), serverName: nil, backlog: 1024,
                availableConnectionsDelegate: MaximumAvailableConnections(Self.connectionLimit)),
            onServerRunning: { channel in await ready(channel.localAddress?.port ?? 0) },
            logger: Logger(label: logger.label) { [logger] _ in ConnectionLog(logger.handler) })
    }
}
