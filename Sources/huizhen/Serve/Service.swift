import Access
import Archive
import Audit
import Catalog
import Control
import DICOMweb
import DIMSE
import Deidentification
import FileChannel
import Foundation
import HTTP
import Keys
import Logging
import Queue
import Release
import Reporting
import Routing
import ServiceLifecycle
import Synchronization
import Telemetry
import Toolkit
import Transfer
import Viewer

/// The rooms and doors of one running service.
final class Service: Sendable {
    let settings: Settings
    let logger: Logger
    let archive: Archive
    private let frameCoder: PoolFrameCoder
    let audit: AuditLog
    let auditUpkeep: AuditUpkeep
    private let sinks: [SyslogSink]
    private let webhook: Webhook?
    let alerts: AlertWatch
    let access: Access
    let accounts: Accounts
    let shares: Shares
    private let accessUpkeep: AccessUpkeep
    let queue: JobQueue
    let releases: Releases
    private let pixelCleaner = CodecPixelCleaner(rules: .none)
    let routes: RouteTable
    private let router: Router
    let registry: Registry
    let dimse: DIMSEServer
    /// Nil where no TLS is configured.
    let credentials: TransportCredentials?
    let dimsePort = Atomic<UInt16>(0)
    private let secureDIMSEPort = Atomic<UInt16>(0)
    let httpPort = Atomic<UInt16>(0)
    let transfers: Transfers
    /// What the transfer door is served with.
    let transferCredentials: WebCredentials
    let siteCertificates: ClientCertificates
    let transferPort = Atomic<UInt16>(0)
    let web: Door
    private let files: FileDoor
    private let fileListener = Mutex<LocalListener?>(nil)
    let viewer: Viewer
    let webTokens: TokenIssuer
    let webCredentials: WebCredentials
    /// Nil where no client is asked for a certificate.
    let clientCertificates: ClientCertificates?
    let webPort = Atomic<UInt16>(0)
    let webTLSPort = Atomic<UInt16>(0)
    private let isServing = Atomic<Bool>(false)
    private let control = Mutex<ControlServer?>(nil)

    /// Builds the rooms. Blocks: replays what the last run left.
    init(settings: Settings, logger: Logger) throws {
        self.settings = settings
        self.logger = logger
        let directory = settings.dataDirectory
        // Before any child is started: none may inherit a descriptor that gives the key.
        let masterKey = try settings.masterKey
        frameCoder = PoolFrameCoder(workerCount: settings.integer("codec.workers"))
        var archiveSettings = settings.archive
        archiveSettings.frameCoder = frameCoder
        archive = try Archive(
            directory: directory,
            masterKey: masterKey,
            settings: archiveSettings)
        audit = try archive.auditLog(directory: directory)
        let deviations = settings.deviations
        var begun = [AuditEntry(.serviceStarted, by: .service, door: "service")]
        if !deviations.isEmpty {
            begun.append(
                AuditEntry(
                    .configurationChanged, by: .service, door: "service",
                    reason: "settings: " + deviations.joined(separator: ", ")))
        }
        try audit.append(begun)
        access = try Access(
            path: directory + "/access.sqlite", key: archive.systemKey(purpose: "access"),
            settings: settings.access, audit: audit)
        registry = Registry()
        sinks = try settings.sinks(of: audit, registry: registry, logger: logger)
        webhook = try settings.webhook(of: audit, registry: registry, logger: logger)
        alerts = AlertWatch(
            audit, settings: try settings.alerts, sinks: sinks, webhook: webhook, registry: registry, logger: logger,
            noted: { [access] in access.alerts.note($0) })
        auditUpkeep = AuditUpkeep(
            audit, path: settings.text("audit.anchors"), interval: settings.seconds("audit.anchor-interval"),
            reports: MonthlyReports(audit, directory: directory + "/reports", alerts: alerts, logger: logger),
            logger: logger)
        queue = try JobQueue(
            path: directory + "/queue.sqlite", key: archive.systemKey(purpose: "queue"), settings: settings.queue)
        routes = try RouteTable(
            path: directory + "/routes.sqlite", key: archive.systemKey(purpose: "routes"))
        router = Router(
            archive: archive, routes: routes, queue: queue,
            granted: ConsultationGrants(access: access, archive: archive), logger: logger)
        credentials = try settings.credentials(logger: logger)
        let projects = try ProjectFolder(archive, dataDirectory: directory)
        releases = Releases(archive: archive) { [pixelCleaner] name in
            let bytes = try projects.key(name)
            guard let key = bytes.withUnsafeBytes({ SymmetricKey(copying: $0) }) else {
                throw ProjectFolder.Failure.damaged
            }
            let settings = try projects.settings(name)
            return ProjectMaterials(
                key: ProjectKey(key), siteRules: settings.siteRules.map { Array($0) },
                pixelCleaner: pixelCleaner.following(try settings.pictureRules()), escrow: try settings.escrow())
        }
        let identity = try settings.siteIdentity()
        transfers = try Transfers(
            archive: archive, access: access, releases: releases, identity: identity, directory: directory,
            key: archive.systemKey(purpose: "transfers"), settings: settings.transfers, registry: registry,
            version: Huizhen.version, logger: logger
        ) { [alerts] site in
            alerts.raiseOnce(
                Alert(
                    .transferGivenUp, about: AuditObject(.destination, site),
                    "transfers were given up: see `huizhen transfer status`"))
        }
        archive.setCustody(transfers)
        dimse = DIMSEServer(
            archive: archive, access: access, queue: queue, releases: releases, settings: settings.dimse,
            metrics: DIMSEMetrics(registry), logger: logger, credentials: credentials
        ) { [transfers, routes] work, site, priority in
            // The peer may have become a site since the route was added.
            if let route = routes.list().first(where: { $0.name == work.route }), route.event == .arrival {
                return .hopeless(
                    "\(site.aeTitle) is a site, which takes whole studies: add the route anew with --on completion")
            }
            return transfers.forward(
                work.sequences, to: site, priority: priority, isGranted: work.isGranted)
        }
        let record: ActRecord = { [audit] (entry) throws(AuditError) in try audit.append([entry]) }
        webTokens = try TokenIssuer(
            access: access, key: archive.systemKey(purpose: "tokens"), settings: settings.tokens, record: record)
        let sessions = WebSessions(
            tokens: webTokens, lifetime: settings.seconds("web.session"), idle: settings.seconds("web.session-idle"),
            record: record)
        accounts = try Accounts(
            access: access, key: archive.systemKey(purpose: "accounts"), sessions: sessions,
            settings: settings.accounts,
            record: record)
        shares = try Shares(
            access: access, accounts: accounts, key: archive.systemKey(purpose: "tokens")
        ) { [archive] study, institution in
            try !archive.holdings(
                patientID: nil, studyInstanceUIDs: [study], seriesInstanceUIDs: [], sopInstanceUIDs: [],
                visibility: .institution(institution), limit: 1
            ).isEmpty
        }
        accessUpkeep = AccessUpkeep(access, accounts, logger: logger)
        viewer = try Viewer(
            access: access, sessions: sessions, accounts: accounts,
            signIn: SignIn(accounts: accounts, firstPasswordFile: FirstAccount.file(in: directory)),
            tokens: webTokens, shares: shares,
            oversight: OversightSources(
                owners: { [archive] in try archive.owners(of: $0) },
                patients: { [archive] in try archive.identities(of: $0, sentBy: $1) },
                statistics: { [archive] in try archive.statistics($0) }),
            transfers: transfers.pageSources(of: archive),
            provider: try settings.provider())
        try FirstAccount.make(
            accounts, institution: settings.text("institution"), dataDirectory: directory, logger: logger)
        web = Door(
            archive: archive, access: access, sessions: sessions,
            commitments: try CommitmentBoard(
                path: directory + "/commitments.sqlite", key: archive.systemKey(purpose: "commitments")),
            releases: releases, arrivals: transfers.arrivalSource,
            settings: settings.web, registry: registry, logger: logger)
        transferCredentials = try WebCredentials(
            certificate: identity.certificateFile, key: identity.keyFile, logger: logger)
        siteCertificates = try ClientCertificates(
            authorities: "", revocationLists: "", logger: logger,
            isKnown: { [access] in access.site(fingerprint: $0) != nil },
            refused: { [transfers] in transfers.noteRefused(fingerprint: $0, $1) })
        files = try FileDoor(
            archive: archive, access: access, accounts: accounts, releases: releases, settings: settings.files,
            registry: registry, logger: logger)
        webCredentials = try settings.webCredentials(logger: logger)
        clientCertificates = try settings.clientCertificates(logger: logger) { [webTokens] in
            webTokens.knows(fingerprint: $0)
        }
        let report = archive.reconciliation
        logger.notice(
            "reconciled",
            metadata: [
                "objects-added": "\(report.objectsAdded)", "events-applied": "\(report.eventsApplied)",
                "torn-objects": "\(report.tornObjects)", "damaged-objects": "\(report.damagedObjects)",
            ])
        warn()
    }

    /// Opens the doors.
    func open() throws {
        let ports = try openDIMSE()
        dimsePort.store(ports.plain, ordering: .releasing)
        secureDIMSEPort.store(ports.tls ?? 0, ordering: .releasing)
        queue.start()
        router.start()
        transfers.start()
        try web.resumeCommitments()
        for sink in sinks { sink.start() }
        webhook?.start()
        alerts.start()
        auditUpkeep.start()
        accessUpkeep.start()
        let operations = Operations(service: self)
        let server = try ControlServer(dataDirectory: settings.dataDirectory) { operations.serve($0) }
        control.withLock { $0 = server }
        let listener = try settings.listen(for: files)
        fileListener.withLock { $0 = listener }
        isServing.store(true, ordering: .releasing)
        logger.notice("serving", metadata: ["dimse-port": "\(dimsePort.load(ordering: .acquiring))"])
    }

    private func openDIMSE() throws -> (plain: UInt16, tls: UInt16?) {
        do throws(ListenFailure) { return try dimse.start() } catch {
            let setting = error.isSecure ? "dimse.tls.port" : "dimse.port"
            if case .system(let errno) = error.cause {
                throw DoorFailure(setting: setting, port: Int(error.port), errno: errno)
            }
            throw DoorFailure(setting: setting, port: Int(error.port), reason: "\(error.cause)")
        }
    }

    /// Nil without TLS.
    var tlsPort: UInt16? {
        let port = secureDIMSEPort.load(ordering: .acquiring)
        return port == 0 ? nil : port
    }

    /// Reads certificates, keys, authorities and revocation lists of both doors again; what cannot be used leaves its door
    /// as it was.
    func reloadTLS() throws {
        try credentials?.reload()
        try webCredentials.reload()
        try clientCertificates?.reload()
        try transferCredentials.reload()
    }

    /// Closes the doors in order, then the rooms.
    func close() {
        isServing.store(false, ordering: .releasing)
        logger.notice("stopping")
        dimse.stop()
        control.withLock { $0?.close() }
        fileListener.withLock { $0?.close() }
        files.stop()
        router.stop()
        accessUpkeep.stop()
        defer {
            frameCoder.close()
            pixelCleaner.close()
        }
        do {
            try transfers.stop()
            try queue.close()
            try routes.close()
            try archive.close()
            try access.close()
            try audit.append([AuditEntry(.serviceStopped, by: .service, door: "service")])
            auditUpkeep.stop()
            alerts.stop()
            for sink in sinks { sink.stop() }
            webhook?.stop()
            try audit.close()
        } catch { logger.error("closing failed", metadata: ["reason": "\(error)"]) }
        logger.notice("stopped")
    }

    var health: StatusServer.Health {
        if !isServing.load(ordering: .acquiring) { return .init(isServing: false, detail: "starting or stopping") }
        if archive.freeByteCount < UInt64(settings.integer("storage.reserve")) {
            return .init(isServing: false, detail: "the disk is below its reserve: stores are refused")
        }
        if archive.hasLostCatalog {
            return .init(
                isServing: false, detail: "the rebuilt catalogue cannot be opened: it is tried again each second")
        }
        if archive.catalog.behindCount > 0 || archive.lateEventCount > 0 {
            return .init(isServing: false, detail: "the catalogue lags behind the packs")
        }
        return .init(isServing: true, detail: "serving")
    }

    /// Says once at start what an operator should know.
    private func warn() {
        if archive.reconciliation.isCopy {
            logger.warning("this data directory is a copy of a running one: the catalogue was built anew")
        }
        let unapproved = access.unapprovedDestinations()
        if !unapproved.isEmpty {
            logger.warning(
                "nothing is sent to these peers of other institutions: see `huizhen destination`",
                metadata: ["peers": "\(unapproved.joined(separator: ", "))"])
        }
        if archive.isMasterKeyOnDataDisk { logger.warning("\(KeysCommand.sameDiskWarning)") }
        if (try? masterKeyAge().isDue) == true { logger.warning("\(KeysCommand.rotationDue)") }
        // 1.3 is the default, so somebody set it.
        if settings.webServer.allowsTLS12 {
            logger.warning(
                "web.tls.minimum lets TLS 1.2 at the web door: take the setting out once no client needs it")
        }
    }

    /// When the master key came into use, in milliseconds since 1970, and whether it is to be rotated.
    func masterKeyAge(now: Date = Date()) throws -> (since: Int64, isDue: Bool) {
        let keys = try archive.keyStatus()
        let time = Int64(now.timeIntervalSince1970 * 1000)
        return (keys.masterSince, keys.isRotationDue(after: settings.integer("master-key-days"), now: time))
    }

    /// Everything measured, with what is only looked up when asked.
    func metrics() -> String {
        registry.gauge("huizhen_catalog_queue_depth", help: "Records waiting for the catalogue.")
            .set(Int64(archive.catalog.queueDepth))
        registry.gauge("huizhen_audit_records", help: "Records of acts.").set(Int64(clamping: audit.count))
        registry.gauge("huizhen_master_key_on_data_disk", help: "1 while the master key lies on the disk of the data.")
            .set(archive.isMasterKeyOnDataDisk ? 1 : 0)
        if let (since, isDue) = try? masterKeyAge() {
            if since > 0 {
                registry.gauge("huizhen_master_key_age_seconds", help: "How long the master key has been in use.")
                    .set(Int64(Date().timeIntervalSince1970) - since / 1000)
            }
            registry.gauge(
                "huizhen_master_key_rotation_due", help: "1 once the master key is older than master-key-days."
            ).set(isDue ? 1 : 0)
        }
        registry.gauge("huizhen_alerts_open", help: "Alerts that nobody acknowledged.")
            .set(Int64(access.alerts.openCount))
        let (open, late) = access.emergencies.openReviews()
        registry.gauge("huizhen_emergency_reviews_open", help: "Emergency access that nobody looked at.")
            .set(Int64(open))
        registry.gauge("huizhen_emergency_reviews_late", help: "Of it what should have been looked at by now.")
            .set(Int64(late))
        registry.gauge("huizhen_catalog_behind", help: "Durable records the catalogue has refused so far.")
            .set(Int64(archive.catalog.behindCount + archive.lateEventCount))
        if let (damaged, unlisted) = try? archive.knownDamage() {
            registry.gauge(
                "huizhen_damaged_objects", help: "Objects found damaged since the start and not sent again since."
            ).set(Int64(damaged))
            registry.gauge(
                "huizhen_unlisted_objects", help: "Objects that are in no list since their record cannot be read."
            ).set(Int64(unlisted))
        }
        registry.gauge(
            "huizhen_housekeeping_failing", help: "1 while something that is due to be destroyed cannot be."
        ).set(archive.housekeepingReason == nil ? 0 : 1)
        registry.gauge("huizhen_storage_free_bytes", help: "Free bytes on the disk of the packs.")
            .set(Int64(clamping: archive.freeByteCount))
        if let report = archive.compressionReport {
            noteCompression(report)
        }
        registry.gauge("huizhen_corrections_standing", help: "Corrections that stand.")
            .set(Int64(archive.catalog.rules.standing.count))
        for (state, count) in (try? queue.counts()) ?? [:] where state != .done && state != .cancelled {
            registry.gauge("huizhen_queue_jobs", help: "Jobs of the queue by state.", labels: ["state": state.rawValue])
                .set(Int64(count))
        }
        // What cannot be counted now stays as it was.
        try? transfers.measure()
        return registry.exposition()
    }

    private func noteCompression(_ report: CompressionReport) {
        let backlog = (try? archive.catalog.uncompressedCount()) ?? 0
        for (name, value, help) in [
            ("backlog", Int64(backlog), "Instances that compression at rest has not tried."),
            ("objects", Int64(report.objects), "Objects compressed at rest since the start."),
            ("sent_bytes", Int64(clamping: report.sentByteCount), "Bytes of these objects as they were sent."),
            ("kept_bytes", Int64(clamping: report.keptByteCount), "Bytes these objects take."),
            ("unsuitable", Int64(report.unsuitable), "Objects tried since the start that stay as they were sent."),
            ("failures", Int64(report.failures), "Attempts since the start that failed and are made again."),
        ] { registry.gauge("huizhen_compression_" + name, help: help).set(value) }
    }
}

/// Runs the blocking service beside asynchronous ones.
struct DoorService: ServiceLifecycle.Service {
    let service: Service

    func run() async throws {
        // What could not open is closed as well: threads that run on while the process ends use what it has destroyed.
        let opening = try await onThread { Result { try service.open() } }
        if case .success = opening { try? await gracefulShutdown() }
        // The web's servers have ended; what its doors counted is still to be recorded.
        await service.web.stop()
        await service.transfers.door.stop()
        await service.viewer.stop()
        try await onThread { service.close() }
        try opening.get()
    }
}

/// Runs blocking work on a thread of its own, away from the cooperative pool.
func onThread<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
        let thread = Thread { continuation.resume(with: Result { try body() }) }
        thread.stackSize = 4 << 20
        thread.start()
    }
}
