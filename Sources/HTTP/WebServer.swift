import Hummingbird
import Logging
import NIOCore

/// What every web door shares: where it listens, which hosts it answers for, what bounds a request.
public struct WebServer: Sendable {
    public struct Settings: Sendable {
        /// An address of this machine's loopback interface.
        public var address = "127.0.0.1"
        /// 0 takes a free one.
        public var port = 0
        /// Host names, besides those of loopback, that requests may name; what a reverse proxy passes on.
        public var hosts: [String] = []
        /// How long a connection may be silent.
        public var idleTime = Duration.seconds(60)

        public init() {}
    }

    public enum Failure: Error, CustomStringConvertible {
        case notLoopback(String)

        public var description: String {
            switch self {
            case .notLoopback(let address):
                "web.address \(address) is not of this machine's loopback interface: use 127.0.0.1 or ::1"
            }
        }
    }

    private let settings: Settings
    private let logger: Logger

    /// - Throws: `.notLoopback`: before there are accounts, only this machine may come in.
    public init(settings: Settings, logger: Logger) throws(Failure) {
        guard ["127.0.0.1", "::1"].contains(settings.address) else { throw .notLoopback(settings.address) }
        self.settings = settings
        self.logger = logger
    }

    /// The service to run.
    ///
    /// - Parameter ready: told the port once it is open.
    public func application<Context: RequestContext>(
        router: Router<Context>, ready: @escaping @Sendable (Int) async -> Void
    ) -> some ApplicationProtocol where Context.Source == ApplicationRequestContextSource {
        let (seconds, _) = settings.idleTime.components
        return Application(
            router: router,
            server: .http1(configuration: .init(idleTimeout: .seconds(seconds))),
            configuration: .init(
                address: .hostname(settings.address, port: settings.port), serverName: nil, backlog: 1024),
            onServerRunning: { channel in await ready(channel.localAddress?.port ?? 0) }, logger: logger)
    }

    /// The check that comes before everything else.
    public func hostCheck<Context: RequestContext>(_: Context.Type) -> HostCheck<Context> {
        HostCheck(hosts: settings.hosts)
    }
}
