import Hummingbird
import HummingbirdCore
import HummingbirdHTTP2
import Logging
import NIOCore

/// What every web door shares: where it listens, which hosts it answers for, what bounds a request.
public struct WebServer: Sendable {
    public struct Settings: Sendable {
        /// In clear, an address of this machine's loopback interface; any where clients must show certificates that are known.
        public var address = "127.0.0.1"
        /// Nothing goes in clear: a door for those alone whose certificates are known.
        public var isMutual = false
        /// With TLS: any address, if the service has a certificate that others can check, and a name that they know.
        public var secureAddress: String?
        /// Whether the certificate is one that was configured, and not the one the service made for this machine.
        public var hasOwnCertificate = false
        /// In clear; 0 takes a free one.
        public var port = 0
        /// With TLS; 0 takes a free one.
        public var securePort = 0
        /// Whether TLS 1.2 is spoken too.
        public var allowsTLS12 = false
        /// Host names, besides those of loopback, that requests may name; what a reverse proxy passes on.
        public var hosts: [String] = []
        /// Addresses of proxies whose word on scheme and host counts.
        public var proxies: [String] = []
        /// Origins whose pages may send requests: `https://viewer.example`.
        public var origins: [String] = []
        /// Connections at a time, on each port; further ones wait to be accepted.
        public var connectionLimit = 10_000
        public var bounds = RequestBounds()
        /// How long a connection may be silent.
        public var idleTime = Duration.seconds(60)
        /// What clients' certificates are checked by; nil: none is asked for.
        public var clientCertificates: ClientCertificates?
        /// How the kernel sends on its connections, where it can: `bbr`; nil for the kernel's own way.
        public var congestionControl: String?

        public init() {}
    }

    public enum Failure: Error, CustomStringConvertible {
        case notLoopback(String)
        case noCertificate(String)
        case noHost(String)

        public var description: String {
            switch self {
            case .notLoopback(let address):
                "web.address \(address) is not of this machine's loopback interface: use 127.0.0.1 or ::1"
            case .noCertificate(let address):
                "web.tls.address \(address) is not of this machine's loopback interface: name a certificate that its "
                    + "clients can check in web.tls.certificate, or use 127.0.0.1 or ::1"
            case .noHost(let address):
                "web.tls.address \(address) is not of this machine's loopback interface: name in web.hosts by which "
                    + "names clients come"
            }
        }
    }

    /// Bytes of one field of a request's head, and of all of them.
    static let fieldByteCountLimit = 16 << 10
    static let headByteCountLimit = 32 << 10
    static let fieldCountLimit = 100

    private let settings: Settings
    private let places = RequestPlaces<AllRequests>()
    private let logger: Logger

    /// - Throws: `.notLoopback`: nothing goes over a network in clear. `.noCertificate`, `.noHost`.
    public init(settings: Settings, logger: Logger) throws(Failure) {
        let loopback = ["127.0.0.1", "::1"]
        guard settings.isMutual || loopback.contains(settings.address) else { throw .notLoopback(settings.address) }
        if let address = settings.secureAddress, !loopback.contains(address) {
            guard settings.hasOwnCertificate else { throw .noCertificate(address) }
            guard !settings.hosts.isEmpty else { throw .noHost(address) }
        }
        self.settings = settings
        self.logger = logger
    }

    /// The service in clear: HTTP/1.1.
    ///
    /// - Parameters:
    ///   - router: with `firstSteps(scheme:)` for "http".
    ///   - ready: told the port once it is open.
    public func application<Context: RequestContext>(
        router: Router<Context>, ready: @escaping @Sendable (Int) async -> Void
    ) -> some ApplicationProtocol where Context.Source == ApplicationRequestContextSource {
        application(router, .http1(configuration: channel), address: settings.address, port: settings.port, ready)
    }

    /// The service with TLS: HTTP/2, or HTTP/1.1 for clients that do not know it (ALPN, RFC 7301).
    ///
    /// - Parameters:
    ///   - router: with `firstSteps(scheme:)` for "https".
    ///   - ready: told the port once it is open.
    public func secureApplication<Context: RequestContext>(
        router: Router<Context>, credentials: WebCredentials, ready: @escaping @Sendable (Int) async -> Void
    ) -> some ApplicationProtocol where Context.Source == ApplicationRequestContextSource {
        let (seconds, _) = settings.idleTime.components
        let certificates = settings.clientCertificates
        var tls = credentials.configuration(allowsTLS12: settings.allowsTLS12)
        if let certificates {
            tls.certificateVerification = certificates.areRequired ? .noHostnameVerification : .optionalVerification
            // The callback alone decides: no authority of the system vouches for anybody here.
            tls.trustRoots = .certificates([])
        }
        var callback: TLSChannelConfiguration.CustomVerificationCallback?
        if let certificates { callback = { chain, promise in certificates.check(chain, promise) } }
        let tlsChannel = TLSChannelConfiguration(tlsConfiguration: tls, customVerificationCallback: callback)
        let configuration = HTTP2UpgradeChannel.Configuration(
            idleTimeout: .seconds(seconds), streamConfiguration: channel)
        let server = HTTPServerBuilder { [settings] responder in
            HandshakeTime(
                base: try HTTP2UpgradeChannel(
                    tlsChannelConfiguration: tlsChannel, configuration: configuration, responder: responder),
                limit: settings.idleTime, certificates: certificates)
        }
        return application(
            router, server, address: settings.secureAddress ?? settings.address, port: settings.securePort, ready)
    }

    private func application<Context: RequestContext>(
        _ router: Router<Context>, _ server: HTTPServerBuilder, address: String, port: Int,
        _ ready: @escaping @Sendable (Int) async -> Void
    ) -> some ApplicationProtocol where Context.Source == ApplicationRequestContextSource {
        Application(
            router: router, server: server,
            configuration: .init(
                address: .hostname(address, port: port), serverName: nil, backlog: 1024,
                availableConnectionsDelegate: MaximumAvailableConnections(settings.connectionLimit)),
            onServerRunning: { channel in await ready(channel.localAddress?.port ?? 0) },
            logger: Logger(label: logger.label) { [logger] _ in ConnectionLog(logger.handler) })
    }

    private var channel: HTTP1Channel.Configuration {
        let (seconds, _) = settings.idleTime.components
        let bounds = settings.bounds
        let control = settings.congestionControl
        return HTTP1Channel.Configuration(
            additionalChannelHandlers: [RequestGuard(bounds)] + (control.map { [CongestionControl($0)] } ?? []),
            idleTimeout: .seconds(seconds),
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: Self.fieldByteCountLimit, maxHeaderListSize: Self.headByteCountLimit,
                maxHeaderFieldCount: Self.fieldCountLimit))
    }

    /// What every answer passes on its way out, the outermost first.
    public func lastSteps<Context: RequestContext>(
        scheme: String, _: Context.Type
    ) -> [any MiddlewareProtocol<Request, Response, Context>] {
        let steps: [any MiddlewareProtocol<Request, Response, Context>] = [
            CrossOrigin(origins: settings.origins), ContentCoding(), ByteRanges(), Conditional(),
        ]
        return scheme == "https" ? [StrictTransport()] + steps : steps
    }

    /// The same where everybody shows a certificate: then it counts who asks, and not by which name of ours.
    public func firstMutualSteps<Context: OriginContext>(
        _: Context.Type
    ) -> [any MiddlewareProtocol<Request, Response, Context>] {
        [
            RequestLimits(bounds: settings.bounds, places: places),
            OriginNote(scheme: "https", proxies: [], certificates: settings.clientCertificates),
        ]
    }

    /// What every request passes before everything else, errors being made problems around it.
    public func firstSteps<Context: OriginContext>(
        scheme: String, _: Context.Type
    ) -> [any MiddlewareProtocol<Request, Response, Context>] {
        [
            RequestLimits(bounds: settings.bounds, places: places),
            OriginNote(scheme: scheme, proxies: settings.proxies, certificates: settings.clientCertificates),
            HostCheck(hosts: settings.hosts, origins: settings.origins),
        ]
    }
}
