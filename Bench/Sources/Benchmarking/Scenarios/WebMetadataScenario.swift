import Foundation
import Glibc

/// Metadata of the CT study and of a series of 2,000 instances: the first time after a start, again, and unchanged.
struct WebMetadataScenario: Scenario {
    let id: RowID
    let quick: Bool

    static let repeats = 20
    private static let cold = ", cold"
    private static let repeated = ", repeated"
    private static let unchanged = ", 304"
    private static let long = ", 2,000 instances cold"

    func neededByteCount(rounds: Int) -> Int {
        WebStudyScenario(id: id, verb: .retrieve, quick: quick).neededByteCount(rounds: 1)
    }

    func run(in session: Session) throws(BenchError) -> Row {
        let study = try session.study(.ct(quick: quick))
        let series = try session.study(.small(quick: quick))
        let sides = try WebSide.start(session)
        var lanes: [Lane] = []
        for side in sides {
            try side.store(study, session)
            try side.store(series, session)
            lanes.append(coldLane(side, Self.cold, study, session))
            lanes.append(lane(side, study, Self.repeated, isConditional: false))
            if side.contestant == .huizhen { lanes.append(lane(side, study, Self.unchanged, isConditional: true)) }
            lanes.append(coldLane(side, Self.long, series, session))
        }
        let results = try interleave(
            lanes, rounds: session.options.rounds, settle: session.settle,
            show: { session.progress.show("\(id.rawValue): \($0)") })
        return Row(
            id: id.rawValue, title: "Metadata of \(study.objectCount) instances, and of \(series.objectCount)",
            unit: "ms", figures: results.map(Figure.init), writeAndSync: nil,
            judgements: results.judgeWeb(
                Self.cold, unit: "ms", goal: Goal(atMost: 25, text: "≤ 25 ms"),
                ratio: Goal(atMost: 25.0 / 273, text: "≤ 25 / 273"))
                + results.judgeWeb(
                    Self.repeated, unit: "ms", goal: Goal(atMost: 8, text: "≤ 8 ms"), ratio: nil)
                + results.judgeWeb(
                    Self.unchanged, unit: "ms", goal: Goal(atMost: 2, text: "≤ 2 ms"), ratio: nil, hasPeer: false)
                + results.judgeWeb(
                    Self.long, unit: "ms", goal: Goal(atMost: 100, text: "≤ 100 ms"), ratio: nil),
            notes: [
                WebNotes.client, "Cold: the server is started anew, and this is the first web request it gets.",
                "Repeated and 304: median of \(Self.repeats) over one connection. Every answer names every instance.",
            ])
    }

    private func coldLane(_ side: WebSide, _ suffix: String, _ study: TestStudy, _ session: Session) -> Lane {
        Lane(label: side.label + suffix) { (_) throws(BenchError) -> Double in
            try side.server.restart()
            session.settle()
            return try milliseconds(side, try WebConnection(port: side.door.port), study)
        }
    }

    private func lane(_ side: WebSide, _ study: TestStudy, _ suffix: String, isConditional: Bool) -> Lane {
        Lane(label: side.label + suffix) { (_) throws(BenchError) -> Double in
            let connection = try WebConnection(port: side.door.port)
            let path = study.identity.path + "/metadata"
            let whole = try side.door.ask(
                connection, side.door.get(path, accept: .json), atLeast: 2, keeping: true)
            let found = WebText.count(of: "\"00080018\"", in: whole.body)
            guard found == study.objectCount else {
                throw .incomplete(work: "instances in metadata", expected: study.objectCount, found: found)
            }
            var samples: [Double] = []
            for _ in 0..<Self.repeats {
                if isConditional {
                    let request = side.door.get(
                        path, accept: .json, fields: ["If-None-Match: \(whole.entityTag ?? "")"])
                    let clock = ContinuousClock()
                    let start = clock.now
                    let answer = try connection.ask(request)
                    samples.append((clock.now - start).inSeconds * 1000)
                    guard answer.status == 304 else {
                        throw .failed(process: "If-None-Match", status: Int32(answer.status), lastWords: "")
                    }
                } else {
                    samples.append(try milliseconds(side, connection, study))
                }
            }
            return Summary(of: samples)?.median ?? 0
        }
    }

    private func milliseconds(
        _ side: WebSide, _ connection: WebConnection, _ study: TestStudy
    ) throws(BenchError) -> Double {
        let request = side.door.get(study.identity.path + "/metadata", accept: .json)
        let clock = ContinuousClock()
        let start = clock.now
        _ = try side.door.ask(connection, request, atLeast: study.objectCount * 500)
        return (clock.now - start).inSeconds * 1000
    }
}

/// Looks at a body that was kept.
enum WebText {
    static func count(of needle: String, in body: [UInt8]) -> Int {
        let needle = Array(needle.utf8)
        return body.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return 0 }
            var (found, place) = (0, 0)
            while place + needle.count <= bytes.count {
                guard let next = memchr(base + place, Int32(needle[0]), bytes.count - needle.count - place + 1) else {
                    break
                }
                place = UnsafeRawPointer(next) - base
                if memcmp(base + place, needle, needle.count) == 0 { found += 1 }
                place += 1
            }
            return found
        }
    }
}
