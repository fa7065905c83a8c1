import Foundation
import Synchronization

/// What TLS costs: a whole study, or single frames, by HTTP/1.1 in clear and over TLS and by HTTP/2, against Orthanc behind
/// nginx with TLS.
struct WebSecureScenario: Scenario {
    enum Kind { case study, frames }

    let id: RowID
    let kind: Kind
    let quick: Bool

    static let connectionCount = 16
    /// The goal of what goes over TLS against the same in clear.
    static let goal = Goal(atMost: 1.6, text: "≤ 1.6 × in clear")

    private var studyCount: Int { quick ? 2 : 20 }
    private var workload: Workload { .ct(quick: quick) }

    func neededByteCount(rounds: Int) -> Int {
        let studies = kind == .study ? rounds + 1 : studyCount
        return workload.objectCount * (workload.pixelByteCount + 4096) * (2 * studies + 1)
    }

    /// Who is asked, and what it uses of the processor.
    private struct Side {
        let label: String
        let place: SecureLoad.Place
        let pids: [pid_t]
        let web: WebSide

        var ticks: Int { pids.reduce(0) { $0 + ProcessTree(root: $1).processorTicks } }
    }

    func run(in session: Session) throws(BenchError) -> Row {
        let study = try session.study(workload)
        let load = try SecureLoad(folder: session.options.directory + "/h2load")
        var proxy: Child?
        defer { proxy?.stop() }
        var sides: [Side] = []
        for contestant in session.taking(part: [.huizhen, .orthancWeb]) {
            let port = try Ports.free()
            let isOurs = contestant == .huizhen
            let server = try session.start(contestant, settings: isOurs ? [HuizhenPeer.webTLSPort + "\(port)"] : [])
            let door = try session.door(of: server, contestant)
            let web = WebSide(contestant: contestant, server: server, door: door)
            var place = SecureLoad.Place(ports: [.clear: door.port], token: door.token)
            var pids = [server.pid]
            if isOurs {
                (place.ports[.secure], place.ports[.multiplexed]) = (port, port)
            } else if let started = try TLSProxy.start(before: door.port, in: server.folder + "/nginx") {
                proxy = started.child
                (place.ports[.secure], place.ports[.multiplexed]) = (started.port, started.port)
                pids.append(started.child.pid)
            }
            sides.append(
                Side(label: isOurs ? contestant.label : TLSProxy.label, place: place, pids: pids, web: web))
        }
        return kind == .study
            ? try studies(study, sides, load, session) : try frames(study, sides, load, session)
    }

    // MARK: Work

    private func studies(
        _ study: TestStudy, _ sides: [Side], _ load: SecureLoad, _ session: Session
    ) throws(BenchError) -> Row {
        let warmUp = try session.study(.warmUp)
        for side in sides { try side.web.store(warmUp, session) }
        let times = Processor()
        let results = try interleave(
            lanes(sides, times) { (side, way, _) throws(BenchError) in
                try load.run(
                    [[study.identity.path]], accept: .objects, at: side.place, way, atLeast: [study.totalByteCount])
            }, rounds: session.options.rounds,
            prepare: { (_) throws(BenchError) in
                try study.renew()
                for side in sides { try side.web.store(study, session) }
            },
            settle: session.settle, show: { session.progress.show("\(id.rawValue): \($0)") })
        return row(
            "WADO-RS of a whole study, \(study.objectCount) CT, with and without TLS", "s", results, times,
            [
                "One connection, from its start; a round's study was stored just before and is asked for once in each way."
            ])
    }

    private func frames(
        _ study: TestStudy, _ sides: [Side], _ load: SecureLoad, _ session: Session
    ) throws(BenchError) -> Row {
        var paths: [String] = []
        for number in 0..<studyCount {
            try study.renew()
            session.progress.show("\(id.rawValue): storing, \(number) of \(studyCount)")
            for side in sides { try side.web.store(study, session) }
            paths += (0..<study.objectCount).map { study.identity.path(ofInstance: $0) + "/frames/1" }
        }
        var random = SplitMix64(state: session.options.seed)
        paths.shuffle(using: &random)
        // Every way of a round asks for others.
        let count = paths.count / session.options.rounds / SecureLoad.Way.allCases.count
        let byteCount = workload.pixelByteCount
        let times = Processor()
        let results = try interleave(
            lanes(sides, times) { [paths] (side, way, round) throws(BenchError) in
                let turn = SecureLoad.Way.allCases.firstIndex(of: way) ?? 0
                let wanted = paths[((round * 3 + turn) * count)..<((round * 3 + turn + 1) * count)]
                var shares = [[String]](repeating: [], count: Self.connectionCount)
                for (index, path) in wanted.enumerated() { shares[index % shares.count].append(path) }
                shares.removeAll(where: \.isEmpty)
                let seconds = try load.run(
                    shares, accept: .frames, at: side.place, way, atLeast: shares.map { $0.count * byteCount })
                return seconds * 1e6 / Double(count)
            }, rounds: session.options.rounds, settle: session.settle,
            show: { session.progress.show("\(id.rawValue): \($0)") })
        return row(
            "A 512 × 512 × 16 frame of \(studyCount) studies, \(Self.connectionCount) connections, with and without TLS",
            "µs", results, times,
            [
                WebNotes.perAnswer,
                "\(count) slices of chance for each way and round, spread over \(Self.connectionCount) processes of h2load; "
                    + "the slowest one counts; none is asked for twice.",
            ])
    }

    // MARK: Lanes

    /// Milliseconds of processor time of each lane's servers, by its label.
    private final class Processor: Sendable {
        private let samples = Mutex<[String: [Sample]]>([:])

        func note(_ label: String, _ sample: Sample) { samples.withLock { $0[label, default: []].append(sample) } }

        func result(_ label: String) -> LaneResult {
            var result = LaneResult(label: label + ", processor time in ms")
            result.samples = samples.withLock { $0[label] ?? [] }
            return result
        }
    }

    private static func label(_ side: String, _ way: SecureLoad.Way) -> String {
        // The proxy has no port in clear; what stands behind it has.
        let isBehind = side == TLSProxy.label && way == .clear
        return "\(isBehind ? Contestant.orthancWeb.label : side), \(way.rawValue)"
    }

    /// A lane for each side and way.
    private func lanes(
        _ sides: [Side], _ processor: Processor,
        _ work: @escaping (Side, SecureLoad.Way, Int) throws(BenchError) -> Double
    ) -> [Lane] {
        sides.flatMap { side in
            SecureLoad.Way.allCases.filter { side.place.ports[$0] != nil }.map { way in
                let label = Self.label(side.label, way)
                return Lane(label: label) { (round) throws(BenchError) -> Double in
                    let before = side.ticks
                    let result = try work(side, way, round)
                    processor.note(label, Sample(round: round, value: Double(side.ticks - before) * 10))
                    return result
                }
            }
        }
    }

    private func row(
        _ title: String, _ unit: String, _ results: [LaneResult], _ processor: Processor, _ notes: [String]
    ) -> Row {
        let ours = Contestant.huizhen.label
        func lane(_ side: String, _ way: SecureLoad.Way) -> LaneResult? {
            results.first { $0.label == Self.label(side, way) }
        }
        let ratio =
            kind == .study ? Goal(atMost: 0.375, text: "≤ 0.15 / 0.40") : Goal(atMost: 0.464, text: "≤ 1,160 / 2,500")
        var judgements: [Judgement] = []
        for way in [SecureLoad.Way.secure, .multiplexed] {
            let mine = lane(ours, way)
            let clear = lane(ours, .clear)
            judgements.append(
                Judgement(
                    subject: "\(ours): \(way.rawValue) / in clear", unit: "ratio",
                    samples: ratios(of: mine?.samples ?? [], to: clear?.samples ?? []), goal: Self.goal,
                    disqualified: mine?.failure != nil))
            judgements.append(
                Judgement(
                    subject: "\(ours): processor time, \(way.rawValue) / in clear", unit: "ratio",
                    samples: ratios(
                        of: processor.result(Self.label(ours, way)).samples,
                        to: processor.result(Self.label(ours, .clear)).samples), goal: nil))
            guard let peer = lane(TLSProxy.label, way) else { continue }
            judgements.append(
                Judgement(
                    subject: "\(ours) / \(peer.label)", unit: "ratio",
                    samples: ratios(of: mine?.samples ?? [], to: peer.samples), goal: ratio,
                    disqualified: mine?.failure != nil))
        }
        return Row(
            id: id.rawValue, title: title, unit: unit,
            figures: results.map(Figure.init) + results.map { Figure(processor.result($0.label)) }, writeAndSync: nil,
            judgements: judgements,
            notes: [
                "One client for all, h2load of Debian's nghttp2-client; TLS 1.3 with TLS_AES_128_GCM_SHA256 and P-256 on both sides. "
                    + "nginx of Debian before Orthanc: two workers, no buffering on disk, keep-alive to both sides."
            ] + notes)
    }
}
