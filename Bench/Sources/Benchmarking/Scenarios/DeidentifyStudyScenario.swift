import Foundation

/// The CT study de-identified from the archive into the archive, as `huizhen release` and Orthanc's `/anonymize` do.
struct DeidentifyStudyScenario: Scenario {
    let id: RowID

    func neededByteCount(rounds: Int) -> Int {
        let study = Workload.ct(quick: false)
        // Two servers, each with the study and its copy.
        return study.objectCount * (study.pixelByteCount + 4096) * (1 + 4 * rounds)
    }

    func run(in session: Session) throws(BenchError) -> Row {
        let study = try session.study(.ct(quick: session.options.quick))
        var lanes: [Lane] = []
        for contestant in session.taking(part: [.huizhen, .orthancTuned]) {
            let server = try session.start(contestant)
            let tool = contestant == .huizhen ? try HuizhenTool(session, data: server.folder + "/data") : nil
            try tool?.makeProject()
            lanes.append(
                Lane(label: contestant.label, server: server) { (_) throws(BenchError) -> Double in
                    _ = try session.clients.store(
                        study.shares(associations: study.parts.count), to: server, .tuned, atMost: WorkBound.store)
                    session.settle()
                    if let tool {
                        return try tool.release(study.identity.study, expecting: study.objectCount)
                    }
                    return try Self.anonymize(study.identity.study, at: server, expecting: study.objectCount)
                })
        }
        let results = try interleave(
            lanes, rounds: session.options.rounds, prepare: { (_) throws(BenchError) in try study.renew() },
            settle: session.settle, show: { session.progress.show("\(id.rawValue): \($0)") })
        return Row(
            id: id.rawValue, title: "De-identify \(study.objectCount) CT from the archive into the archive", unit: "s",
            figures: results.map(Figure.init), writeAndSync: nil,
            judgements: results.judge([.ratio(to: .orthancTuned, 1, 4)]),
            notes: [
                "Huizhen: `huizhen release --profile \(HuizhenTool.profile)`, the command's whole life. Orthanc: "
                    + "`POST /studies/{id}/anonymize` with its defaults (Basic Profile), from request to answer.",
                "Each round stores a study that nobody has seen before, off the clock; all objects of the copy are counted.",
            ])
    }

    // MARK: Orthanc

    private struct Resource: Decodable {
        var ID: String
    }

    private struct Statistics: Decodable {
        // A number in quotes.
        var CountInstances: Int
    }

    private static func anonymize(_ study: String, at server: Server, expecting count: Int) throws(BenchError) -> Double
    {
        let connection = try WebConnection(port: server.webPort ?? 0)
        let found = try ask([Resource].self, "POST /tools/lookup", study, connection, server)
        guard let source = found.first else { throw .incomplete(work: "studies to anonymize", expected: 1, found: 0) }
        let clock = ContinuousClock()
        let start = clock.now
        let copy = try ask(Resource.self, "POST /studies/\(source.ID)/anonymize", "{}", connection, server)
        let seconds = (clock.now - start).inSeconds
        let statistics = try ask(Statistics.self, "GET /studies/\(copy.ID)/statistics", "", connection, server)
        guard statistics.CountInstances == count else {
            throw .incomplete(work: "objects anonymized", expected: count, found: statistics.CountInstances)
        }
        return seconds
    }

    private static func ask<Answer: Decodable>(
        _ type: Answer.Type, _ line: String, _ body: String, _ connection: WebConnection, _ server: Server
    ) throws(BenchError) -> Answer {
        let head = [
            "\(line) HTTP/1.1", "Host: \(Clients.loopback):\(server.webPort ?? 0)",
            "Content-Length: \(body.utf8.count)",
        ]
        let answer = try connection.ask(Array((head.joined(separator: "\r\n") + "\r\n\r\n" + body).utf8), keeping: true)
        guard answer.status == 200, let decoded = try? JSONDecoder().decode(type, from: Data(answer.body)) else {
            throw .failed(process: "Orthanc's interface", status: Int32(answer.status), lastWords: "")
        }
        return decoded
    }
}
