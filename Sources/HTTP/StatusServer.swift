import Hummingbird
import Logging

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

    private let port: Int
    private let logger: Logger
    private let health: @Sendable () -> Health
    private let metrics: @Sendable () -> String

    /// - Parameters:
    ///   - health: answers at once; called for every request.
    ///   - metrics: the Prometheus text, version 0.0.4.
    public init(
        port: Int, logger: Logger, health: @escaping @Sendable () -> Health,
        metrics: @escaping @Sendable () -> String
    ) {
        self.port = port
        self.logger = logger
        self.health = health
        self.metrics = metrics
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
        return Application(
            router: router,
            configuration: .init(address: .hostname("127.0.0.1", port: port), serverName: nil),
            onServerRunning: { channel in await ready(channel.localAddress?.port ?? 0) },
            logger: Logger(label: logger.label) { [logger] _ in ConnectionLog(logger.handler) })
    }
}
