import Access
import Archive
import Audit
import Catalog
import DICOM
import HTTP
import Hummingbird
import Logging
import NIOCore
import Release
import Telemetry

/// DICOMweb: search, retrieve and store over HTTP. PS3.18 §10.
public final class Door: Sendable {
    public struct Settings: Sendable {
        /// The most matches of one search.
        public var searchLimit = 20_000
        /// The most objects of one retrieval.
        public var retrieveLimit = 1_000_000
        /// Profiles by which a retrieval may ask to be de-identified, once there is a project.
        public var deidentifyProfiles: Set<String> = []
        /// Whether storage takes SOP classes that no list names.
        public var takesUnknownClasses = false
        /// Pieces of blocking work under way at a time.
        public var threadCount = 16
        /// Requests of one caller under way at a time.
        public var callerRequestLimit = 1024

        public init() {}
    }

    /// Under which the services are.
    public static let root = "/dicom-web"

    let archive: Archive
    let access: Access
    private let sessions: WebSessions
    let settings: Settings
    let logger: Logger
    private let metrics: WebMetrics
    let pool: BlockingPool
    /// Searches have threads of their own: they wait neither for the disk nor behind retrievals, and more of them than
    /// there are processors would only wait for each other.
    private let searchPool = BlockingPool(threadCount: max(4, 2 * System.coreCount))
    let commitments: CommitmentBoard
    let releases: Releases
    let events: EventWatch
    /// Of those who follow them.
    let eventPlaces = RequestPlaces<AuditActor>()
    let arrivals: ArrivalSource
    private let refusals: RefusalTally
    /// On both ports together.
    private let places = RequestPlaces<AuditActor>()

    public init(
        archive: Archive, access: Access, sessions: WebSessions, commitments: CommitmentBoard, releases: Releases,
        arrivals: ArrivalSource = .none, settings: Settings, registry: Registry, logger: Logger
    ) {
        self.archive = archive
        self.access = access
        self.sessions = sessions
        self.commitments = commitments
        self.releases = releases
        self.arrivals = arrivals
        self.settings = settings
        self.logger = logger
        metrics = WebMetrics(registry)
        pool = BlockingPool(threadCount: settings.threadCount)
        events = EventWatch(archive: archive)
        refusals = RefusalTally(access, door: Caller.door)
    }

    /// Ends the threads once their work is done.
    public func stop() async {
        events.stop()
        refusals.flush()
        await searchPool.stop()
        await pool.stop()
        do { try commitments.close() } catch {
            logger.error("closing failed", metadata: ["reason": "\(error)"])
        }
    }

    /// The routes, with the checks that every request passes.
    ///
    /// - Parameters:
    ///   - scheme: of the port they are for.
    ///   - pages: adds routes that let in whom they like; what is added afterwards needs a permit.
    public func router(
        _ server: WebServer, scheme: String, pages: (Router<WebContext>) -> Void = { _ in }
    ) -> Router<WebContext> {
        let router = Router(context: WebContext.self, options: .autoGenerateHeadEndpoints)
        router.middlewares.add(WebTimes(metrics: metrics))
        for step in server.lastSteps(scheme: scheme, WebContext.self) { router.middlewares.add(step) }
        router.middlewares.add(ProblemAnswers(logger: logger, problem: ProblemMapping.problem(of:)))
        for step in server.firstSteps(scheme: scheme, WebContext.self) { router.middlewares.add(step) }
        pages(router)
        router.middlewares.add(
            CallerCheck(places: places, limit: settings.callerRequestLimit) {
                [access, sessions, refusals] credential, context in
                let address = context.origin.address
                let permit = access.admit(
                    credential, sessions, from: address, certificate: context.certificate.map(CallerCertificate.init),
                    isOfThisMachine: context.isOfThisMachine)
                guard let permit, permit.kind != .localOperator || context.isOfThisMachine else {
                    refusals.note(from: address)
                    return nil
                }
                return permit
            } standing: { [access, sessions] credential, context, isEndless in
                access.standing(
                    of: credential, sessions, certificate: context.certificate.map(CallerCertificate.init),
                    isEndless: isEndless)
            } reach: { [access] verb, permit in
                access.decision(verb, by: permit).reach
            })
        // Retrievals read for themselves how they are to be de-identified; nothing else is.
        let retrievals = router.group("dicom-web")
        addRetrievals(retrievals)
        addRendering(retrievals)
        addURI(router)
        // Searches refuse whatever they do not know.
        addSearches(router.group("dicom-web"))
        let others = router.group()
        others.add(middleware: AskedProfileCheck())
        addArriving(others)
        let group = others.group("dicom-web")
        addRemovals(group)
        addCommitment(group)
        addEvents(group)
        addCapabilities(group)
        for path in [WebPath.studies, WebPath.study] {
            group.post(RouterPath(path)) { [self] in try await store($0, $1) }
        }
        return router
    }

    // MARK: Search

    private func addSearches(_ group: RouterGroup<WebContext>) {
        let searches: [(String, QueryLevel)] = [
            (WebPath.studies, .study), ("series", .series), ("instances", .instance),
            (WebPath.study + "/series", .series), (WebPath.study + "/instances", .instance),
            (WebPath.series + "/instances", .instance),
        ]
        for (path, level) in searches {
            group.get(RouterPath(path)) { [self] request, context in
                let caller = try caller(context)
                let reach = try caller.reach(.search)
                let form = try ModelForm(accepting: try Self.accepted(request))
                let wanted = try SearchRequest(
                    level: level, path: try ResourcePath(context.parameters), query: request.uri.query,
                    keeping: archive.privateAttributes)
                let answer = SearchAnswer(
                    request: wanted, visibility: Visibility(reach),
                    masked: ReleasedStudies(archive, reach: reach, releases: releases, access: access),
                    base: Self.base(context), limit: settings.searchLimit, form: form,
                    isWanted: { [client = ClientPresence(context.channel)] in client.isThere })
                return try await searchPool.run { [archive] in
                    try caller.note(.searched, [AuditObject(.query, "\(level.name) \(wanted.keys.summary)")])
                    return try answer.response(from: archive)
                }
            }
        }
    }

    // MARK: Store

    private func store(_ request: Request, _ context: WebContext) async throws -> Response {
        let caller = try caller(context)
        _ = try caller.visibility(.store)
        let permit = caller.permit
        let path = try ResourcePath(context.parameters)
        guard let type = request.headers[.contentType].flatMap({ MediaRange($0) }) else {
            throw Problem(.unsupportedMediaType, "Content-Type says in which form the objects come.")
        }
        let form = try ModelForm(accepting: try Self.accepted(request))
        let content = try StoreContent(type)
        let order = StoreReader.Order(
            sender: Sender(peer: permit.aeTitle, institution: permit.institution, door: Caller.door),
            defaultIssuer: permit.issuer, ledger: StoreLedger(access, permit: permit, door: Caller.door),
            study: path.study, base: Self.base(context),
            takesUnknownClasses: settings.takesUnknownClasses)
        let reader = try content.reader(order, archive: archive)
        let feed = StoreFeed(reader, pool: pool)
        do {
            for try await piece in request.body {
                guard context.isStanding() else {
                    throw Problem(
                        .unauthorized, "Who sends this is not let in any more, or may not store: the rest was not read."
                    )
                }
                try await feed.take(piece)
            }
            try await feed.drain()
            return try await pool.run {
                try reader.finish()
                return try reader.report.response(form)
            }
        } catch {
            await feed.stop()
            return try await pool.run { try reader.response(brokenBy: error, form) }
        }
    }

    // MARK: What requests have in common

    func caller(_ context: WebContext) throws -> Caller {
        // `CallerCheck` lets nobody past without one.
        guard let permit = context.permit else { throw Denial.refused("nobody asks") }
        return Caller(access: access, permit: permit, logger: logger, reliance: context.reliance)
    }

    static func base(_ context: WebContext) -> String {
        "\(context.origin.scheme)://\(context.origin.authority)\(root)"
    }

    /// The list of frames that a path names; nil for none.
    static func frameList(_ context: WebContext) -> String? {
        context.parameters.get("frames").map { $0.removingPercentEncoding ?? "" }
    }

    /// Tags and item numbers in turn; a client that makes one parameter of them encodes the slashes.
    static func bulkDataPath(_ context: WebContext) -> [Substring] {
        let path = context.parameters.getCatchAll().joined(separator: "/").removingPercentEncoding ?? ""
        return path.split(separator: "/", omittingEmptySubsequences: false)
    }

    static func accepted(_ request: Request) throws -> [MediaRange] {
        guard let field = request.headers[.accept] else { return [] }
        guard let ranges = MediaRange.accepted(field) else {
            throw Problem(.badRequest, "The field Accept is no list of media types.")
        }
        return ranges
    }
}

extension String {
    var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
