import Foundation
import Synchronization

/// Many people at once: each searches, opens the metadata and the first image, looks at it for a while, and goes on.
final class WebCrowd: Sendable {
    struct Result {
        /// Milliseconds of each answer.
        var times: [Double]
        var failedCount: Int
    }

    /// Where one person may go: search, metadata, image.
    typealias Visit = [[UInt8]]

    /// Seconds that somebody looks.
    static let pause = 2.0...5.0

    private let door: WebDoor
    private let visits: [Visit]
    private let end: ContinuousClock.Instant
    private let state = Mutex(Result(times: [], failedCount: 0))

    private init(door: WebDoor, visits: [Visit], seconds: Int) {
        self.door = door
        self.visits = visits
        end = .now + .seconds(seconds)
    }

    /// Blocks until everybody has gone.
    static func run(
        count: Int, seconds: Int, door: WebDoor, visits: [Visit], seed: UInt64
    ) throws(BenchError) -> Result {
        let crowd = WebCrowd(door: door, visits: visits, seconds: seconds)
        let crew = Crew()
        for person in 0..<count { crew.add { crowd.come(SplitMix64(state: seed &+ UInt64(person))) } }
        try crew.wait()
        return crowd.state.withLock { $0 }
    }

    private func come(_ seeded: SplitMix64) {
        var random = seeded
        var times: [Double] = []
        var failed = 0
        var connection: WebConnection?
        // Nobody comes at the same moment as everybody else.
        var pause = Double.random(in: 0...Self.pause.upperBound, using: &random)
        while true {
            let wake = ContinuousClock.now + .seconds(pause)
            guard wake < end else { break }
            Thread.sleep(forTimeInterval: pause)
            let visit = visits.randomElement(using: &random) ?? []
            for request in visit {
                let start = ContinuousClock.now
                do throws(BenchError) {
                    // Whoever does not keep a silent connection as long as that gets a new one.
                    if connection?.isOpen != true { connection = try WebConnection(port: door.port) }
                    guard let open = connection else { continue }
                    _ = try door.ask(open, request, atLeast: 2)
                    times.append((ContinuousClock.now - start).inSeconds * 1000)
                } catch {
                    failed += 1
                    connection = nil
                }
            }
            pause = Double.random(in: Self.pause, using: &random)
        }
        state.withLock {
            $0.times += times
            $0.failedCount += failed
        }
    }
}
