import Archive
import Catalog
import Foundation
import Keys
import Logging
import Queue

/// Follows the change feed and puts what the routes name into the queue. One thread.
///
/// How far it is lies in the queue's own file, written with the jobs: an instance is put in once, whatever stops the
/// service. After a rebuild of the catalogue, whose feed begins anew, it goes on by the instances' own numbers and may
/// then forward the latest ones once more.
public final class Router: @unchecked Sendable {
    // `isStopping` and `isDone` are read and written with `condition` locked.

    /// Entries of the feed read at a time.
    static let batchCount = 500
    /// Instances of one job.
    static let jobInstanceLimit = 5000
    /// Numbers before the highest one that may enter the catalogue after it.
    static let overlap: UInt64 = 4096
    /// Time after which it looks even if nothing was noted; a catalogue that was replaced notes nothing more.
    static let longestWait: TimeInterval = 5
    /// Time after a failure, such as a full queue, before it tries again.
    static let retryWait: TimeInterval = 1

    private let archive: Archive
    private let routes: RouteTable
    private let queue: JobQueue
    private let granted: any GrantedStudies
    private let logger: Logger
    private let condition = NSCondition()
    private var isStopping = false
    private var isDone = true
    /// The routes on consultation and the grants that were looked through; of the router's thread.
    private var lookedThrough = GrantsLookedThrough()
    /// The highest instance number that was met before a route on completion was, by its name; of the router's thread.
    private var beginnings: [String: UInt64] = [:]

    public init(
        archive: Archive, routes: RouteTable, queue: JobQueue, granted: any GrantedStudies, logger: Logger
    ) {
        self.archive = archive
        self.routes = routes
        self.queue = queue
        self.granted = granted
        self.logger = logger
    }

    public func start() {
        condition.lock()
        isDone = false
        condition.unlock()
        let thread = Thread { [self] in run() }
        thread.name = "router"
        thread.stackSize = 1 << 20
        thread.start()
    }

    public func stop() {
        condition.lock()
        isStopping = true
        condition.broadcast()
        condition.unlock()
        archive.catalog.wakeFollowers()
        condition.lock()
        while !isDone { condition.wait() }
        condition.unlock()
    }

    private func run() {
        var wasFailing = false
        while !stopping {
            let catalog = archive.catalog
            let generation = catalog.commitGeneration
            do {
                while !stopping, try step(catalog) {}
                wasFailing = false
            } catch {
                // Closed by a rebuild, which puts another in its place.
                if case .database(.closed) = error as? CatalogError {
                } else if !wasFailing {
                    logger.error("routing waits", metadata: ["reason": "\(error)"])
                }
                wasFailing = true
                pause()
                continue
            }
            if !stopping { catalog.waitForCommit(after: generation, atMost: Self.longestWait) }
        }
        condition.lock()
        isDone = true
        condition.broadcast()
        condition.unlock()
    }

    private var stopping: Bool {
        condition.lock()
        defer { condition.unlock() }
        return isStopping
    }

    private func pause() {
        condition.lock()
        let until = Date(timeIntervalSinceNow: Self.retryWait)
        while !isStopping { if !condition.wait(until: until) { break } }
        condition.unlock()
    }

    /// Works one batch off. Returns whether there may be more.
    func step(_ catalog: Catalog) throws -> Bool {
        let identity = try catalog.identity()
        guard var position = try queue.mark(RoutePosition.name).flatMap(RoutePosition.init) else {
            // Routes hold for what arrives from now on.
            let start = RoutePosition(
                catalogue: identity, change: try catalog.lastChange(), sequence: try catalog.lastSequence())
            try queue.add(
                [], marks: [RoutePosition.name: start.bytes, Self.heldMark: Self.bytes(start.sequence)])
            return true
        }
        try noteBeginnings(of: routes.list(), position)
        if position.catalogue != identity { return try resume(catalog, position, identity) }
        let entries = try catalog.feed(after: position.change, limit: Self.batchCount)
        guard let last = entries.last else {
            try lookThroughGrants(catalog, position)
            return false
        }
        var plan = RoutePlan(routes: routes.list())
        for entry in entries {
            switch entry {
            case .arrived(let arrived, _):
                plan.arrived(arrived)
                position.sequence = max(position.sequence, arrived.sequence)
            case .complete(let study, let uid, _): try complete(study, uid, &plan, catalog)
            case .other: break
            }
        }
        position.change = last.change
        try put(plan, position)
        if entries.count == Self.batchCount { return true }
        // Not only when nothing happens any more: somewhere something is always being stored.
        try lookThroughGrants(catalog, position)
        return false
    }

    /// The highest instance number that was held when the catalogue's feed began anew, or was first followed.
    private static let heldMark = "held"

    /// Notes from which instance on a route holds, once it is met. Those that are gone begin anew when they come back.
    private func noteBeginnings(of routes: [Route], _ position: RoutePosition) throws {
        let names = Set(routes.lazy.filter { $0.event == .completion }.map(\.name))
        var marks: [String: [UInt8]] = [:]
        for name in names where beginnings[name] == nil {
            if let known = try queue.mark("since/\(name)"), !known.isEmpty {
                beginnings[name] = Self.number(known)
            } else {
                marks["since/\(name)"] = Self.bytes(position.sequence)
            }
        }
        let gone = beginnings.keys.filter { !names.contains($0) }
        for name in gone { marks["since/\(name)"] = [] }
        guard !marks.isEmpty else { return }
        try queue.add([], marks: marks)
        for name in names where marks["since/\(name)"] != nil { beginnings[name] = position.sequence }
        gone.forEach { beginnings.removeValue(forKey: $0) }
    }

    /// A study was quiet: what of it was not forwarded before goes.
    private func complete(_ study: Int64, _ uid: String, _ plan: inout RoutePlan, _ catalog: Catalog) throws {
        guard plan.hasCompletionRoutes else { return }
        let name = try Self.name(of: uid)
        let all = try catalog.arrived(inStudy: study, after: 0, limit: Int(Int32.max))
        for route in plan.routes where all.contains(where: route.matches) {
            switch route.event {
            case .arrival: break
            case .completion:
                let mark = "study/\(route.name)/\(name)"
                let sent = try plan.marks[mark] ?? queue.mark(mark)
                let before = sent.map(Self.number) ?? 0
                let rest = all.filter { $0.sequence > before }
                guard let newest = rest.last else { continue }
                // A feed that began anew has every study complete anew: what was there before the route does not go.
                let held = try (plan.marks[Self.heldMark] ?? queue.mark(Self.heldMark)).map(Self.number) ?? 0
                if newest.sequence <= held, newest.sequence <= beginnings[route.name] ?? 0 { continue }
                rest.forEach { plan.send($0, by: route) }
                plan.marks[mark] = Self.bytes(newest.sequence)
            case .consultation:
                for destination in route.destinations {
                    _ = try sendGranted(all, of: uid, by: route, to: destination, &plan)
                }
            }
        }
    }

    /// Studies that were complete before they were granted go now; at the start, and whenever grants or routes have changed.
    private func lookThroughGrants(_ catalog: Catalog, _ position: RoutePosition) throws {
        let version = granted.version
        let routes = routes.list().filter { $0.event == .consultation }
        guard lookedThrough.isOld(version, routes) else { return }
        var plan = RoutePlan(routes: routes)
        var seen: Set<GrantsLookedThrough.Way> = []
        for route in routes where !stopping {
            for destination in route.destinations {
                for (grant, studies) in try granted.studies(for: route, to: destination) {
                    let way = GrantsLookedThrough.Way(route: route.name, destination: destination, grant: grant)
                    if lookedThrough.includes(way, routes) {
                        seen.insert(way)
                        continue
                    }
                    // What this grant covers with others only is looked at again whenever there are others.
                    var isCovered = true
                    for uid in studies.sorted() {
                        for study in try catalog.completeStudies(uid: uid) {
                            let all = try catalog.arrived(inStudy: study, after: 0, limit: Int(Int32.max))
                            guard all.contains(where: route.matches) else { continue }
                            if try !sendGranted(all, of: uid, by: route, to: destination, &plan) { isCovered = false }
                        }
                    }
                    if isCovered { seen.insert(way) }
                }
            }
        }
        try put(plan, position)
        if !stopping { lookedThrough = GrantsLookedThrough(version: version, routes: routes, ways: seen) }
    }

    /// Sends a study as far as it is new since it was sent, all of it where it was granted anew since.
    ///
    /// - Returns: whether all of it is granted.
    private func sendGranted(
        _ all: [Arrived], of uid: String, by route: Route, to destination: String, _ plan: inout RoutePlan
    ) throws -> Bool {
        guard let grantedAt = try granted.grantedAt(uid, for: route, to: destination) else { return false }
        let mark = "granted/\(try Self.name(of: uid))/\(route.name)\n\(destination)"
        let sent = try plan.marks[mark] ?? queue.mark(mark)
        // The last instance that went, and when the grant was made that it went by.
        let wentBy = sent.map { $0.count == 16 ? Self.number($0[8...]) : 0 } ?? 0
        let before = wentBy < UInt64(clamping: grantedAt) ? 0 : sent.map { Self.number($0[..<8]) } ?? 0
        let rest = all.filter { $0.sequence > before }
        guard let newest = rest.last else { return true }
        rest.forEach { plan.send($0, by: route, to: destination) }
        plan.marks[mark] = Self.bytes(newest.sequence) + Self.bytes(UInt64(clamping: grantedAt))
        return true
    }

    private static func number(_ bytes: some Sequence<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }

    private static func bytes(_ number: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) }
    }

    /// A study's name in the marks, which are not sealed.
    private static func name(of uid: String) throws(KeyError) -> String {
        try Array(uid.utf8).withRawBytes { (bytes) throws(KeyError) in try SHA256Digest.of(bytes) }.hexadecimal
    }

    /// The catalogue was rebuilt: goes on where the instances' numbers say.
    private func resume(_ catalog: Catalog, _ old: RoutePosition, _ identity: Int64) throws -> Bool {
        let change = try catalog.lastChange()
        var position = RoutePosition(catalogue: identity, change: change, sequence: old.sequence)
        var from = old.sequence > Self.overlap ? old.sequence - Self.overlap : 0
        var plan = RoutePlan(routes: routes.list())
        while true {
            let page = try catalog.arrived(inStudy: nil, after: from, limit: Self.batchCount)
            guard let last = page.last else { break }
            page.forEach { plan.arrived($0) }
            from = last.sequence
            position.sequence = max(position.sequence, last.sequence)
        }
        plan.marks[Self.heldMark] = Self.bytes(position.sequence)
        // What was completed before the router was here is behind `change`. What went already has its mark.
        var completed: Int64 = 0
        while plan.hasCompletionRoutes {
            let entries = try catalog.feed(after: completed, limit: Self.batchCount, completionsOnly: true)
            for case .complete(let study, let uid, let id) in entries where id <= change {
                try complete(study, uid, &plan, catalog)
            }
            guard let last = entries.last, last.change < change else { break }
            completed = last.change
        }
        try put(plan, position)
        // Studies that were completed meanwhile may be granted.
        lookedThrough = GrantsLookedThrough()
        return true
    }

    private func put(_ plan: RoutePlan, _ position: RoutePosition) throws {
        var marks = plan.marks
        marks[RoutePosition.name] = position.bytes
        try queue.add(try plan.jobs(instanceLimit: Self.jobInstanceLimit), marks: marks)
    }
}

/// How far routing is.
struct RoutePosition: Equatable {
    static let name = "route"

    var catalogue: Int64
    var change: Int64
    /// The highest instance number that was met.
    var sequence: UInt64

    init(catalogue: Int64, change: Int64, sequence: UInt64) {
        self.catalogue = catalogue
        self.change = change
        self.sequence = sequence
    }

    init?(_ bytes: [UInt8]) {
        guard bytes.count == 24 else { return nil }
        let words = (0..<3).map { word in
            bytes[(8 * word)..<(8 * word + 8)].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        self.init(
            catalogue: Int64(bitPattern: words[0]), change: Int64(bitPattern: words[1]), sequence: words[2])
    }

    var bytes: [UInt8] {
        [UInt64(bitPattern: catalogue), UInt64(bitPattern: change), sequence].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * $0)) }
        }
    }
}
