import Foundation
import Synchronization

/// The CT study stored by the service that compresses at rest, until nothing is left to compress; the peer stores it
/// uncompressed.
struct CompressionScenario: Scenario {
    /// `huizhen status --json`, as far as it is read here.
    private struct Status: Decodable {
        struct Compression: Decodable {
            var waiting: Int
            var objects: Int
            var sentByteCount: UInt64
            var keptByteCount: UInt64
            var unsuitable: Int
        }
        var compression: Compression?
    }

    /// How often the service is asked whether it is done.
    private static let interval: TimeInterval = 0.05

    let id: RowID
    /// Value of `storage.compression`.
    let form: String

    func neededByteCount(rounds: Int) -> Int {
        let study = Workload.ct(quick: false)
        return study.objectCount * (study.pixelByteCount + 4096) * (2 + 3 * (rounds + 1))
    }

    func run(in session: Session) throws(BenchError) -> Row {
        let study = try session.study(.ct(quick: session.options.quick))
        let warmUp = try session.study(.warmUp)
        let last = Mutex<Status.Compression?>(nil)
        var lanes: [Lane] = []
        for contestant in session.taking(part: [.huizhen, .orthancTuned]) {
            let isOurs = contestant == .huizhen
            let server = try session.start(
                contestant, settings: isOurs ? ["storage.compression=" + form] : [])
            _ = try session.clients.store([warmUp.parts], to: server, .tuned, atMost: WorkBound.store)
            if isOurs { _ = try drained(server, session, atLeast: warmUp.objectCount) }
            lanes.append(
                Lane(label: contestant.label, server: server) { (_) throws(BenchError) -> Double in
                    let before = isOurs ? try compression(server, session) : nil
                    let clock = ContinuousClock()
                    let start = clock.now
                    var seconds = try session.clients.store(
                        [study.parts], to: server, .tuned, atMost: WorkBound.store)
                    if let before {
                        let tried = before.objects + before.unsuitable + study.objectCount
                        let status = try drained(server, session, atLeast: tried)
                        seconds = (clock.now - start) / .seconds(1)
                        last.withLock { $0 = status }
                    }
                    let found = try session.clients.imageCount(of: study.identity, in: server)
                    guard found == study.objectCount else {
                        throw .incomplete(
                            work: "objects found after the store", expected: study.objectCount, found: found)
                    }
                    return seconds
                })
        }
        let results = try interleave(
            lanes, rounds: session.options.rounds, prepare: { (_) throws(BenchError) in try study.renew() },
            settle: session.settle, show: { session.progress.show("\(id.rawValue): \($0)") })
        return Row(
            id: id.rawValue, title: "Store \(study.objectCount) CT and compress them at rest, \(form)", unit: "s",
            figures: results.map(Figure.init), writeAndSync: nil,
            judgements: results.judge([.ratio(to: .orthancTuned, 3, 2)]),
            notes: [Self.saving(last.withLock { $0 })] + [
                "Tuned client, one association; Orthanc keeps the objects uncompressed.",
                "Huizhen's time ends when every object is compressed, read back and compared, as its status says; "
                    + "it is asked every \(Int(Self.interval * 1000)) ms.",
            ])
    }

    private static func saving(_ compression: Status.Compression?) -> String {
        guard let compression, compression.keptByteCount > 0 else { return "Nothing was compressed." }
        let ratio = Double(compression.sentByteCount) / Double(compression.keptByteCount)
        return "Ratio \(Figures.text(ratio)): \(compression.objects) objects, \(compression.sentByteCount) bytes sent "
            + "take \(compression.keptByteCount); \(compression.unsuitable) objects stay as they were sent."
    }

    /// Waits until this many objects have been tried since the start and none waits.
    private func drained(
        _ server: Server, _ session: Session, atLeast count: Int
    ) throws(BenchError) -> Status.Compression {
        let clock = ContinuousClock()
        let end = clock.now + WorkBound.store
        while true {
            let now = try compression(server, session)
            if now.waiting == 0, now.objects + now.unsuitable >= count { return now }
            guard clock.now < end else {
                throw .incomplete(work: "objects compressed", expected: count, found: now.objects)
            }
            Thread.sleep(forTimeInterval: Self.interval)
        }
    }

    private func compression(_ server: Server, _ session: Session) throws(BenchError) -> Status.Compression {
        let log = server.folder + "/status.json"
        try Command(
            name: "huizhen status", executable: session.options.huizhen ?? "",
            arguments: ["status", "--json", "--data", server.folder + "/data"], workingDirectory: server.folder,
            log: log
        ).run(atMost: .seconds(30))
        guard let data = FileManager.default.contents(atPath: log),
            let status = try? JSONDecoder().decode(Status.self, from: data), let compression = status.compression
        else { throw .incomplete(work: "answers on compression", expected: 1, found: 0) }
        return compression
    }
}
