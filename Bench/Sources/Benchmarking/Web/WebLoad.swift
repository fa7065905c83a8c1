import Foundation
import Synchronization

/// Requests spread over several connections, each with a thread of its own that takes the next request when it is done.
final class WebLoad: Sendable {
    struct Result {
        var seconds: Double
        /// Milliseconds of each answer.
        var times: [Double]
    }

    private let requests: [[UInt8]]
    private let least: Int
    private let next = Atomic(0)
    private let times = Mutex<[Double]>([])

    private init(_ requests: [[UInt8]], least: Int) {
        self.requests = requests
        self.least = least
    }

    /// Asks for everything once; connections are open before the clock starts.
    ///
    /// - Parameter least: bytes that every answer must have.
    /// - Throws: the first failure; `.failed` for any status but 200.
    static func run(
        _ requests: [[UInt8]], to door: WebDoor, connections count: Int, atLeast least: Int
    ) throws(BenchError) -> Result {
        let load = WebLoad(requests, least: least)
        var connections: [WebConnection] = []
        for _ in 0..<count { connections.append(try WebConnection(port: door.port)) }
        let crew = Crew()
        let clock = ContinuousClock()
        let start = clock.now
        for connection in connections {
            // Each is used by its own thread only.
            nonisolated(unsafe) let connection = connection
            crew.add { () throws(BenchError) in try load.work(connection, door, crew) }
        }
        try crew.wait()
        return Result(seconds: (clock.now - start).inSeconds, times: load.times.withLock { $0 })
    }

    private func work(_ connection: WebConnection, _ door: WebDoor, _ crew: Crew) throws(BenchError) {
        let clock = ContinuousClock()
        var times: [Double] = []
        while !crew.isOver {
            let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
            guard index < requests.count else { break }
            let start = clock.now
            _ = try door.ask(connection, requests[index], atLeast: least)
            times.append((clock.now - start).inSeconds * 1000)
        }
        self.times.withLock { $0 += times }
    }
}
