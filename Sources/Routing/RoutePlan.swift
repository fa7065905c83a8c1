import Catalog
import Foundation
import Queue

/// What one batch of the feed sends where. Pure.
struct RoutePlan {
    private struct Way: Hashable, Comparable {
        var route: String
        var destination: String
        var priority: Int
        var isGranted: Bool

        static func < (a: Way, b: Way) -> Bool { (a.route, a.destination) < (b.route, b.destination) }
    }

    let routes: [Route]
    var marks: [String: [UInt8]] = [:]
    private var ways: [Way: [UInt64]] = [:]

    init(routes: [Route]) { self.routes = routes }

    var hasCompletionRoutes: Bool { routes.contains { $0.event != .arrival } }

    mutating func arrived(_ arrived: Arrived) {
        for route in routes where route.event == .arrival && route.matches(arrived) { send(arrived, by: route) }
    }

    /// To every destination but the one it came from.
    mutating func send(_ arrived: Arrived, by route: Route) {
        for destination in route.destinations { send(arrived, by: route, to: destination) }
    }

    mutating func send(_ arrived: Arrived, by route: Route, to destination: String) {
        guard destination != arrived.callingAETitle else { return }
        let way = Way(
            route: route.name, destination: destination, priority: route.priority,
            isGranted: route.event == .consultation)
        ways[way, default: []].append(arrived.sequence)
    }

    /// One job for each route and destination, more when it has many instances.
    func jobs(instanceLimit: Int) throws -> [NewJob] {
        try ways.sorted { $0.key < $1.key }.flatMap { way, sequences in
            try stride(from: 0, to: sequences.count, by: instanceLimit).map { start in
                let part = Array(sequences[start..<min(start + instanceLimit, sequences.count)])
                let work = ForwardWork(
                    route: way.route, destination: way.destination, sequences: part, isGranted: way.isGranted)
                return NewJob(
                    kind: ForwardWork.kind, lane: way.destination, priority: way.priority, remaining: part.count,
                    payload: Array(try JSONEncoder().encode(work)))
            }
        }
    }
}
