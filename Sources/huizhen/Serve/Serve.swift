import ArgumentParser
import Dispatch
import Foundation
import HTTP
import Logging
import ServiceLifecycle
import Synchronization
import Toolkit

/// Where a command finds its configuration.
struct ConfigurationOptions: ParsableArguments {
    @Option(help: "Data directory of the service.")
    var data: String?

    @Option(help: "Configuration file, JSON; see `huizhen settings`.")
    var config: String?

    @Option(name: .customLong("set"), help: "Any setting, as KEY=VALUE; may be repeated.")
    var assignments: [String] = []

    func load(_ more: [String: String] = [:]) async throws -> Settings {
        var values = more
        if let data { values["data"] = data }
        for assignment in assignments {
            let parts = assignment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, Settings.table.contains(where: { $0.key == parts[0] }) else {
                throw ValidationError("--set takes KEY=VALUE with a key that `huizhen settings` lists.")
            }
            values[String(parts[0])] = String(parts[1])
        }
        let file = config ?? ProcessInfo.processInfo.environment["HUIZHEN_CONFIG"]
        return try await Settings(file: file, commandLine: values)
    }
}

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run the service.",
        discussion: """
            Needs no configuration: data in ~/.local/share/huizhen, keys made at first start, DIMSE on port 11112 of \
            the loopback addresses, AE title HUIZHEN. Stops in order on SIGTERM and SIGINT.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Option(help: "DIMSE port.")
    var port: Int?

    @Option(name: .customLong("http-port"), help: "Port of health and metrics.")
    var httpPort: Int?

    @Option(name: .customLong("web-port"), help: "Port of DICOMweb.")
    var webPort: Int?

    @Flag(help: "Test server: callers that were not added may do everything, from loopback addresses.")
    var openToUnknownPeers = false

    func run() async throws {
        var values: [String: String] = [:]
        if let port { values["dimse.port"] = String(port) }
        if let httpPort { values["http.port"] = String(httpPort) }
        if let webPort { values["web.port"] = String(webPort) }
        if openToUnknownPeers { values["dimse.open-to-unknown-peers"] = "true" }
        let settings = try await options.load(values)
        var logger = Logger(label: "huizhen", factory: StreamLogHandler.standardError(label:))
        logger.logLevel = Logger.Level(rawValue: settings.text("log.level")) ?? .notice
        guard DataDictionary.isLoaded else {
            throw CommandFailure.end(
                1, "DCMTK's data dictionary is missing: install libdcmtk17, or set DCMDICTPATH to it")
        }
        signal(SIGPIPE, SIG_IGN)
        DescriptorLimit.prepare(for: settings, logger: logger)
        let directory = try DataDirectory(path: settings.dataDirectory)
        defer { withExtendedLifetime(directory) {} }
        let service = try await onThread { [logger] in try Service(settings: settings, logger: logger) }
        var httpLogger = logger
        httpLogger.logLevel = max(logger.logLevel, .notice)
        let status = StatusServer(
            port: settings.integer("http.port"), logger: httpLogger, health: { service.health },
            metrics: { service.metrics() })
        let application = status.application { service.httpPort.store(UInt16($0), ordering: .releasing) }
        var webSettings = settings.webServer
        webSettings.clientCertificates = service.clientCertificates
        let webServer = try WebServer(settings: webSettings, logger: httpLogger)
        let router = { service.web.router(webServer, scheme: $0) { service.viewer.add(to: $0) } }
        let webApplication = webServer.application(router: router("http")) {
            service.webPort.store(UInt16($0), ordering: .releasing)
        }
        let secureWebApplication = webServer.secureApplication(
            router: router("https"), credentials: service.webCredentials
        ) { service.webTLSPort.store(UInt16($0), ordering: .releasing) }
        let siteServer = try WebServer(settings: settings.transferServer(service.siteCertificates), logger: httpLogger)
        let siteApplication = siteServer.secureApplication(
            router: service.transfers.door.router(siteServer), credentials: service.transferCredentials
        ) { service.transferPort.store(UInt16($0), ordering: .releasing) }
        let hangUp = Self.reloadOnHangUp(service)
        defer { hangUp.cancel() }
        func door(_ application: some ServiceLifecycle.Service, _ setting: String) -> some ServiceLifecycle.Service {
            WebDoorService(inner: application, setting: setting, port: settings.integer(setting))
        }
        var configuration = ServiceGroupConfiguration(
            services: [
                .init(service: door(application, "http.port")), .init(service: DoorService(service: service)),
                .init(service: door(OnEventLoops(webApplication), "web.port")),
                .init(service: door(OnEventLoops(secureWebApplication), "web.tls.port")),
                .init(service: door(OnEventLoops(siteApplication), "transfer.port")),
            ],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: httpLogger)
        // Who reads its answer slowly does not keep the service from stopping.
        configuration.maximumGracefulShutdownDuration = settings.dimse.stopTimeout + .seconds(5)
        try await ServiceGroup(configuration: configuration).run()
    }

    /// SIGHUP: TLS files are read again.
    private static func reloadOnHangUp(_ service: Service) -> any DispatchSourceSignal {
        signal(SIGHUP, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGHUP, queue: .global())
        source.setEventHandler {
            do { try service.reloadTLS() } catch {
                service.logger.error("TLS files not taken, the old ones stay", metadata: ["reason": "\(error)"])
            }
        }
        source.resume()
        return source
    }
}
