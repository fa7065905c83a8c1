import Access
import Archive
import Audit
import Foundation
import HTTP
import Hummingbird
import Logging
import NIOCore
import Synchronization

/// What is known of a request of a site besides itself.
public struct TransferContext: OriginContext {
    public var coreContext: CoreRequestContextStorage
    public var origin = RequestOrigin(scheme: "https", authority: "")
    public let peerAddress: String?
    public let channel: any Channel
    public var certificate: ClientCertificate?

    public init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
        peerAddress = channel.remoteAddress?.ipAddress
    }
}

/// The door through which sites push and pull studies: HTTPS with both certificates. `Docs/TRANSFER.md`.
public final class TransferDoor: Sendable {
    static let prefix = "/transfer/v1"
    /// Of a chunk of what is being offered at this moment.
    static let early = "early"
    static let chunkType = "application/vnd.huizhen.chunk"
    static let messageType = "application/vnd.huizhen.message+zstd"
    /// What messages unpack to at most: manifests, receipts (of 100,000 objects), requests for pieces (of 4,096), and all others.
    static let messageByteCountLimit = 16 << 20
    static let receiptByteCountLimit = 64 << 20
    static let pieceRequestByteCountLimit = 512 << 10
    static let shortMessageByteCountLimit = 4 << 10
    /// Longer answers go compressed.
    static let plainAnswerByteCount = 16 << 10
    /// Chunks that are taken or given at a time, of all sites; whoever comes on top waits.
    static let chunkLimit = 16
    /// Of these, what one site has at most, so that slow bodies of one do not keep the others out.
    static let chunkLimitOfSite = 12
    /// Messages that are read at a time, of all sites and of one.
    static let messageLimit = 16
    static let messageLimitOfSite = 8
    /// Requests that wait for the last pieces of a transfer at a time, and for how many milliseconds at most.
    static let waitingLimit = 2
    static let waitLimit = 5000
    /// Chunks that wait for their offer at a time, and for how long at most.
    static let earlyLimit = 8
    static let earlyTime = Duration.seconds(2)
    /// Of what others fetch, beside what is sent from here.
    static let sourcePriority = 5

    private let room: TransferRoom
    private let sources: Sources
    private let pool: BlockingPool
    private let logger: Logger
    private let version: String
    private let metrics: TransferMetrics
    private let chunks = SitePlaces(limit: chunkLimit, limitOfSite: chunkLimitOfSite)
    private let messages = SitePlaces(limit: messageLimit, limitOfSite: messageLimitOfSite)
    private let isStopping = Atomic<Bool>(false)
    private let waitingCount = Atomic<Int>(0)
    private let earlyCount = Atomic<Int>(0)

    init(room: TransferRoom, sources: Sources, metrics: TransferMetrics, version: String, logger: Logger) {
        self.room = room
        self.sources = sources
        self.metrics = metrics
        self.version = version
        self.logger = logger
        pool = BlockingPool(threadCount: Self.chunkLimit + 4)
    }

    /// The routes, for a server that asks everybody for a certificate.
    public func router(_ server: WebServer) -> Router<TransferContext> {
        let router = Router(context: TransferContext.self)
        router.middlewares.add(ProblemAnswers(logger: logger) { Self.problem($0) })
        for step in server.firstMutualSteps(TransferContext.self) { router.middlewares.add(step) }
        let group = router.group(RouterPath(String(Self.prefix.dropFirst())))
        group.get("site") { [self] request, context in
            _ = try permit(context)
            return try json(SiteDescription(site: room.identity.name, version: version, transfer: 1))
        }
        addArrivals(group)
        addSources(group)
        return router
    }

    /// Ends the threads once their work is done.
    public func stop() async {
        isStopping.store(true, ordering: .relaxed)
        await pool.stop()
    }

    private func addArrivals(_ group: RouterGroup<TransferContext>) {
        group.post("arrivals/:id/offers") { [self] request, context in
            let (permit, id) = (try permit(context), try Self.id(context))
            let place = await messages.take(for: permit.aeTitle)
            let body = try await body(request, Self.messageByteCountLimit)
            return try await pool.run { [self] in
                defer { withExtendedLifetime(place) {} }
                let list = try message(OfferList.self, body)
                do throws(Denial) {
                    _ = try room.access.require(.store, by: permit, door: ArrivingTransfer.door)
                } catch { throw TransferError(error) }
                let arriving = try room.arrivals.transfer(id, study: list.study, permit: permit, isOurs: false)
                let lacking = try forgetting(arriving) { () throws(TransferError) in
                    try arriving.offer(list.objects)
                }
                room.arrivals.noteOffered()
                room.arrivals.bound(for: permit.aeTitle, besides: id)
                return try json(lacking)
            }
        }
        group.post("arrivals/:id/chunks") { [self] request, context in
            let (permit, id) = (try permit(context), try Self.id(context))
            let isEarly = request.uri.query == Self.early
            let place = await chunks.take(for: permit.aeTitle)
            let body = try await body(request, Chunk.byteCountLimit)
            return try await pool.run { [self] in
                defer { withExtendedLifetime(place) {} }
                try offered(within: isEarly ? Self.earlyTime : .zero) { () throws(TransferError) in
                    let arriving = try room.arrivals.known(id, of: permit)
                    try noting(arriving) { () throws(TransferError) in
                        try room.coders.use { coder throws(TransferError) in try arriving.accept(body, using: coder) }
                    }
                }
                room.arrivals.bound(for: permit.aeTitle, besides: id)
                return Response(status: .noContent)
            }
        }
        group.post("arrivals/:id/complete") { [self] request, context in
            let (permit, id) = (try permit(context), try Self.id(context))
            let place = await messages.take(for: permit.aeTitle)
            let body = try await body(request, Self.shortMessageByteCountLimit)
            return try await pool.run { [self] in
                defer { withExtendedLifetime(place) {} }
                let completion = try message(Completion.self, body, limit: Self.shortMessageByteCountLimit)
                let arriving = try room.arrivals.known(id, of: permit)
                let (lacking, receipt) = try forgetting(arriving) { () throws(TransferError) in
                    try waiting(completion.wait) { wait throws(TransferError) in
                        try arriving.complete(completion.objects, wait: wait)
                    }
                }
                guard let receipt else { return try json(lacking, .conflict) }
                room.arrivals.close(id)
                return try json(receipt)
            }
        }
        group.delete("arrivals/:id") { [self] request, context in
            let (permit, id) = (try permit(context), try Self.id(context))
            return try await pool.run { [self] in
                guard let record = try room.table.record(id.description), record.site == permit.aeTitle,
                    record.direction == .receiving, !record.isOurs
                else { throw TransferError.forgotten }
                guard record.state != .complete else {
                    throw TransferError.refused("all of it had come, and it is shown there")
                }
                if record.state == .open { try room.arrivals.cancel(id, note: "cancelled by the sender") }
                return Response(status: .noContent)
            }
        }
    }

    private func addSources(_ group: RouterGroup<TransferContext>) {
        group.post("sources/:id") { [self] request, context in
            let (permit, id) = (try permit(context), try Self.id(context))
            let place = await messages.take(for: permit.aeTitle)
            let body = try await body(request, Self.shortMessageByteCountLimit)
            return try await pool.run { [self] in
                defer { withExtendedLifetime(place) {} }
                let wanted = try message(SourceRequest.self, body, limit: Self.shortMessageByteCountLimit)
                guard let peer = room.access.peer(aeTitle: permit.aeTitle) else {
                    throw TransferError.refused("the site is not known any more")
                }
                let list = try noting(source: id, of: permit) { () throws(TransferError) in
                    try sources.manifest(id, wanted, for: peer, permit, in: room)
                }
                return try json(list)
            }
        }
        group.post("sources/:id/chunks") { [self] request, context in
            let (permit, id) = (try permit(context), try Self.id(context))
            let place = await chunks.take(for: permit.aeTitle)
            let body = try await body(request, Self.pieceRequestByteCountLimit)
            let (source, pieces, chunk, made, rate) = try await pool.run { [self] in
                let wanted = try message(PieceRequest.self, body, limit: Self.pieceRequestByteCountLimit)
                let source = try noting(source: id, of: permit) { () throws(TransferError) in
                    try sources.known(id, of: permit, in: room)
                }
                var pieces: [Piece] = []
                for piece in wanted.pieces {
                    guard piece.count == 3, let object = Int(exactly: piece[0]),
                        let byteCount = UInt32(exactly: piece[2]), piece[1] < 1 << 62
                    else { throw TransferError.malformed("a request for a piece that cannot be") }
                    pieces.append(Piece(object: object, offset: piece[1], byteCount: byteCount))
                }
                let began = ProcessorTime.now
                let chunk = try noting(source: id, of: permit) { () throws(TransferError) in
                    try room.coders.use { coder throws(TransferError) in
                        try source.study.chunk(
                            pieces, mayCompress: wanted.mayCompress && room.settings.compresses, using: coder)
                    }
                }
                return (
                    source, pieces, chunk, ProcessorTime.now - began,
                    room.access.peer(aeTitle: permit.aeTitle)?.site?.rate
                )
            }
            if rate != nil || room.settings.rate != nil {
                try await pool.run { [self] in
                    try room.limits.pass(
                        chunk.readableBytes, of: id.description, to: permit.aeTitle, rate: rate,
                        priority: Self.sourcePriority
                    ) { [self] in isStopping.load(ordering: .relaxed) }
                    // What it may have may have changed while that waited.
                    _ = try sources.known(id, of: permit, in: room)
                }
            }
            source.note(pieces, lineByteCount: chunk.readableBytes)
            return Response(
                status: .ok, headers: [.contentType: Self.chunkType, ServerTiming.field: ServerTiming.text(made)],
                body: ResponseBody(contentLength: chunk.readableBytes) { writer in
                    try await writer.write(chunk)
                    try await writer.finish(nil)
                    withExtendedLifetime(place) {}
                })
        }
        group.post("sources/:id/receipt") { [self] request, context in
            let (permit, id) = (try permit(context), try Self.id(context))
            let place = await messages.take(for: permit.aeTitle)
            let body = try await body(request, Self.messageByteCountLimit)
            return try await pool.run { [self] in
                defer { withExtendedLifetime(place) {} }
                let signed = try message(SignedReceipt.self, body, limit: Self.receiptByteCountLimit)
                guard let record = try room.table.record(id.description), record.site == permit.aeTitle,
                    record.direction == .sending, !record.isOurs, let peer = room.access.peer(aeTitle: permit.aeTitle),
                    let certificate = peer.site?.certificate
                else { throw TransferError.forgotten }
                let receipt = try noting(source: id, of: permit) { () throws(TransferError) in
                    guard let receipt = signed.verified(by: certificate), receipt.transfer == id.description else {
                        throw TransferError.malformed("a receipt that its sender's key did not sign")
                    }
                    guard sources.isWhole(receipt, of: id) else {
                        throw TransferError.malformed("a receipt that is not of what was announced")
                    }
                    return receipt
                }
                try room.noteSent(record.study)
                try room.table.note(
                    id.description, state: .complete, objects: receipt.objects.count, receipt: signed,
                    proofs: try room.proofs(of: receipt, study: record.study))
                sources.close(id)
                if record.state != .complete { metrics.completed(permit.aeTitle, .sending) }
                return Response(status: .noContent)
            }
        }
    }

    // MARK: What requests have in common

    /// Gives how long one may wait for what is on its way: not at all where others do, for every one of them holds a thread.
    private func waiting<T>(
        _ wanted: Int?, _ body: (Duration) throws(TransferError) -> T
    ) throws(TransferError) -> T {
        guard let wanted, wanted > 0 else { return try body(.zero) }
        let isFirst = waitingCount.wrappingAdd(1, ordering: .relaxed).oldValue < Self.waitingLimit
        defer { waitingCount.wrappingSubtract(1, ordering: .relaxed) }
        return try body(isFirst ? .milliseconds(min(wanted, Self.waitLimit)) : .zero)
    }

    /// Takes what may come a little before its offer. Only so many wait for that, for every one of them holds a thread.
    private func offered(
        within time: Duration, _ body: () throws(TransferError) -> Void
    ) throws(TransferError) {
        guard time > .zero else { return try body() }
        let mayWait = earlyCount.wrappingAdd(1, ordering: .relaxed).oldValue < Self.earlyLimit
        defer { earlyCount.wrappingSubtract(1, ordering: .relaxed) }
        try room.arrivals.offered(within: mayWait ? time : .zero, body)
    }

    /// Forgets the offers of a transfer that are not those of its sender any more, so that it offers them from the start.
    private func forgetting<T>(
        _ arriving: ArrivingTransfer, _ body: () throws(TransferError) -> T
    ) throws(TransferError) -> T {
        do throws(TransferError) { return try noting(arriving, body) } catch {
            if case .forgotten = error { room.arrivals.close(arriving.id) }
            throw error
        }
    }

    /// Has what goes wrong with a transfer shown at this side too.
    private func noting<T>(
        _ arriving: ArrivingTransfer, _ body: () throws(TransferError) -> T
    ) throws(TransferError) -> T {
        do throws(TransferError) {
            let result = try body()
            arriving.trouble = nil
            return result
        } catch {
            if case .forgotten = error { throw error }
            // In memory as well: a full disk takes no note.
            arriving.trouble = "\(error)"
            _ = try? room.table.note(arriving.id.description, note: "\(error)", ifOpen: true)
            throw error
        }
    }

    /// Has what goes wrong with what a site fetches shown at this side too, until it goes on.
    private func noting<T>(
        source id: TransferID, of permit: Permit, _ body: () throws(TransferError) -> T
    ) throws(TransferError) -> T {
        do throws(TransferError) { return try body() } catch {
            if case .forgotten = error { throw error }
            if let record = try? room.table.record(id.description), record.site == permit.aeTitle,
                record.direction == .sending, !record.isOurs
            {
                _ = try? room.table.note(id.description, note: "\(error)", ifOpen: true)
            }
            throw error
        }
    }

    private func permit(_ context: TransferContext) throws -> Permit {
        guard let certificate = context.certificate,
            let permit = room.access.admit(
                siteFingerprint: certificate.fingerprint, from: context.peerAddress ?? "")
        else {
            throw Problem(
                .forbidden,
                "The certificate is not one of a site that is known here: `huizhen site add` makes it known.")
        }
        return permit
    }

    private static func id(_ context: TransferContext) throws -> TransferID {
        guard let text = context.parameters.get("id"), let id = TransferID(text) else {
            throw Problem(.badRequest, "A transfer is named by 32 hexadecimal digits.")
        }
        return id
    }

    private func body(_ request: Request, _ limit: Int) async throws -> ByteBuffer {
        let length = request.headers[.contentLength].flatMap(Int.init)
        let tooLarge = Problem(.contentTooLarge, "The body has more than \(limit) bytes.")
        if let length, length > limit { throw tooLarge }
        var result = ByteBuffer()
        result.reserveCapacity(length ?? 0)
        for try await var piece in request.body {
            guard result.readableBytes + piece.readableBytes <= limit else { throw tooLarge }
            result.writeBuffer(&piece)
        }
        return result
    }

    private func message<T: Decodable>(
        _ type: T.Type, _ body: ByteBuffer, limit: Int = messageByteCountLimit
    ) throws(TransferError) -> T {
        let bytes = try room.coders.use { coder throws(TransferError) in
            try body.withRawBytes { bytes throws(TransferError) in
                try coder.message(bytes, limit: limit)
            }
        }
        guard let value = try? JSONDecoder().decode(type, from: Data(bytes)) else {
            throw .malformed("a message that is not what is taken here")
        }
        return value
    }

    private func json(_ value: some Encodable, _ status: HTTPResponse.Status = .ok) throws -> Response {
        let plain = try JSONEncoder().encode(value)
        let isLong = plain.count > Self.plainAnswerByteCount
        let bytes =
            isLong
            ? ByteBuffer(
                bytes: try room.coders.use { coder throws(TransferError) in try coder.compressed(Array(plain)) })
            : ByteBuffer(bytes: plain)
        return Response(
            status: status,
            headers: [.contentType: isLong ? Self.messageType : "application/json", .cacheControl: "no-store"],
            body: .init(byteBuffer: bytes))
    }

    /// The one place where what went wrong becomes a problem document.
    static func problem(_ error: any Error) -> Problem? {
        guard let error = error as? TransferError else { return nil }
        return switch error {
        case .forgotten: Problem(.notFound, "There is no such transfer, or it is to be offered again.")
        case .refused(let why): Problem(.forbidden, why)
        case .malformed(let why): Problem(.unprocessableContent, why)
        case .full: Problem(.init(code: 507, reasonPhrase: "Insufficient Storage"), "its disk is full")
        case .busy(let why), .unreachable(let why), .hindered(let why): Problem(.serviceUnavailable, why)
        case .interrupted: Problem(.serviceUnavailable, "The service is stopping.")
        case .archive, .ours:
            Problem(.internalServerError, "Something went wrong here; the service's log says more.")
        }
    }
}
