import Archive
import Audit
import Catalog
import HTTP
import Hummingbird
import NIOCore
import ServiceLifecycle

extension Door {
    /// What happens in the archive, as Server-Sent Events. HTML §9.2.
    func addEvents(_ group: RouterGroup<WebContext>) {
        group.get("events") { [self] request, context in
            let caller = try caller(context)
            let ranges = try Self.accepted(request)
            guard ranges.isEmpty || ranges.contains(where: { $0.takes("text", "event-stream") }) else {
                throw Problem(
                    .notAcceptable, "Events are to be had as text/event-stream.", available: ["text/event-stream"])
            }
            _ = try caller.visibility(.search)
            let last = request.headers[.lastEventID]
            let stream = try await pool.run { [archive] in
                try caller.note(.searched, [AuditObject(.query, "events")])
                return try EventStream(archive: archive, lastEventID: last) {
                    caller.access.decision(.search, by: caller.permit).reach.map { Visibility($0) }
                }
            }
            var actor = caller.permit.actor
            // From wherever they come.
            actor.address = ""
            guard let own = eventPlaces.take(actor, of: EventWatch.clientLimitOfOne) else {
                throw Problem(
                    .tooManyRequests, "You follow the events \(EventWatch.clientLimitOfOne) times already.",
                    headers: [.retryAfter: "30"])
            }
            guard events.enter() else {
                throw Problem(
                    .serviceUnavailable, "\(EventWatch.clientLimit) clients follow the events: try later.",
                    headers: [.retryAfter: "30"])
            }
            let place = EventPlace(watch: events)
            return Response(
                status: .ok,
                headers: [.contentType: "text/event-stream", .cacheControl: "no-store"],
                body: .init { [pool, events] writer in
                    defer { withExtendedLifetime((place, own)) {} }
                    // Tells that the stream is open.
                    try await writer.write(ByteBuffer(string: "retry: 5000\n\n"))
                    var follower = EventFollower(stream: stream, pool: pool, watch: events)
                    while let text = try await follower.next() { try await writer.write(ByteBuffer(string: text)) }
                    try await writer.finish(nil)
                })
        }
    }
}

/// Waits for what one client is to be told next.
private struct EventFollower {
    var stream: EventStream
    let pool: BlockingPool
    let watch: EventWatch
    var silentSince = ContinuousClock.now

    init(stream: EventStream, pool: BlockingPool, watch: EventWatch) {
        self.stream = stream
        self.pool = pool
        self.watch = watch
    }

    /// Events, or a comment when there were none for long; nil when the service stops.
    mutating func next() async throws -> String? {
        while !watch.isStopped, !Task.isShuttingDownGracefully, !Task.isCancelled {
            let generation = watch.generation
            let held = stream
            let (found, stream) = try await pool.run {
                var stream = held
                let text = try stream.next()
                return (text, stream)
            }
            self.stream = stream
            guard let text = found else { return nil }
            if !text.isEmpty {
                silentSince = .now
                return text
            }
            if stream.isBehind { continue }
            if silentSince.duration(to: .now) >= EventStream.heartbeat {
                silentSince = .now
                // Whoever is gone is noticed by it.
                return ":\n\n"
            }
            await watch.wait(after: generation)
        }
        return nil
    }
}

/// A client's place among those that follow, also when the answer is never begun.
private final class EventPlace: Sendable {
    private let watch: EventWatch

    init(watch: EventWatch) { self.watch = watch }

    deinit { watch.leave() }
}

/// What one client has been told, and what comes next.
struct EventStream: Sendable {
    /// How long nothing may be sent.
    static let heartbeat = Duration.seconds(5)
    /// Entries of the feed that are read at a time.
    static let entryLimit = 256

    private let archive: Archive
    /// What its client may see by now; nil for nothing any more.
    private let visibility: @Sendable () -> Visibility?
    private var identity: Int64
    private var last: Int64
    private var isReset: Bool
    /// Whether there may be more at once.
    private(set) var isBehind = false

    /// - Parameter lastEventID: as it was sent; what this catalogue has not said begins anew.
    init(archive: Archive, lastEventID: String?, visibility: @escaping @Sendable () -> Visibility?) throws {
        self.archive = archive
        self.visibility = visibility
        let catalog = archive.catalog
        identity = try catalog.identity()
        let newest = try catalog.lastChange()
        let parts = (lastEventID ?? "").split(separator: "-")
        if parts.count == 2, Int64(parts[0]) == identity, let told = Int64(parts[1]), (0...newest).contains(told) {
            last = told
            isReset = false
        } else {
            last = newest
            isReset = lastEventID?.isEmpty == false
        }
    }

    /// The next events; empty when there is none, nil when there will be none. Blocks.
    ///
    /// What the client may see is decided each time: a grant that ended shows nothing more.
    mutating func next() throws -> String? {
        guard let visibility = visibility() else { return nil }
        let catalog = archive.catalog
        var text = ""
        let current = try catalog.identity()
        if current != identity {
            // The catalogue was built anew, and counts anew.
            identity = current
            last = try catalog.lastChange()
            isReset = true
        }
        if isReset {
            isReset = false
            text += "id: \(identity)-\(last)\nevent: reset\ndata: {}\n\n"
        }
        let (changes, end) = try catalog.shownChanges(after: last, visibility: visibility, limit: Self.entryLimit)
        isBehind = end - last >= Int64(Self.entryLimit)
        last = end
        for change in changes { text += event(change) }
        return text
    }

    private func event(_ change: ShownChange) -> String {
        var path = ResourcePath(study: change.studyInstanceUID)
        path.series = change.seriesInstanceUID
        if path.series != nil { path.instance = change.sopInstanceUID }
        // UIDs that break their rules are no addresses.
        let parts = [path.study, path.series, path.instance].compactMap(\.self)
        let address = parts.allSatisfy { ResourcePath.isUID($0) } ? "\"\(Door.root + path.text)\"" : "null"
        return "id: \(identity)-\(change.number)\nevent: \(change.kind)\n"
            + "data: {\"at\":\(change.at),\"resource\":\(address)}\n\n"
    }
}
