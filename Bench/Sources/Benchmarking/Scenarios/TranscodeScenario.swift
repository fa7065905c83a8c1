import Foundation

/// The CT study stored as JPEG-LS lossless, moved to a `storescp` that takes uncompressed objects only.
struct TranscodeScenario: Scenario {
    let id: RowID

    func neededByteCount(rounds: Int) -> Int {
        let study = Workload.ct(quick: false)
        return study.objectCount * (study.pixelByteCount + 4096) * 7
    }

    func run(in session: Session) throws(BenchError) -> Row {
        let study = try session.study(.ct(quick: session.options.quick))
        try study.renew()
        let folder = session.options.directory + "/jpegls"
        try Files.empty(folder)
        var byteCount = 0
        for (index, path) in study.paths.enumerated() {
            session.progress.show("\(id.rawValue): compressing \(index + 1) of \(study.objectCount)")
            let target = "\(folder)/\(index).dcm"
            try session.clients.compressJPEGLS(path, to: target)
            byteCount += (try? FileManager.default.attributesOfItem(atPath: target)[.size] as? Int) ?? 0
        }
        let receiver = try session.start(.storescpTuned, concurrent: true)
        let destination = MoveDestination(aeTitle: receiver.aeTitle, port: receiver.port)
        var lanes: [Lane] = []
        for contestant in session.taking(part: [.huizhen, .orthancTuned]) {
            let server = try session.start(contestant, destination: destination)
            try session.clients.storeJPEGLS([folder], to: server, atMost: WorkBound.store)
            lanes.append(lane(contestant, server: server, receiver: receiver, study: study, session: session))
        }
        let results = try interleave(
            lanes, rounds: session.options.rounds, settle: session.settle,
            show: { session.progress.show("\(id.rawValue): \($0)") })
        let share = Int((Double(byteCount) * 100 / Double(study.totalByteCount)).rounded())
        return Row(
            id: id.rawValue, title: "C-MOVE of \(study.objectCount) CT, JPEG-LS lossless to explicit little endian",
            unit: "s", figures: results.map(Figure.init), writeAndSync: nil,
            judgements: results.judge([.ratio(to: .orthancTuned, 1, 2)]),
            notes: [
                "Compressed with dcmcjpls to \(share) % of their bytes, stored as they are.",
                "The receiver is storescp --fork as it comes, which accepts uncompressed syntaxes only.",
                "Every object that arrived is checked to have all of its pixels.",
            ])
    }

    private func lane(
        _ contestant: Contestant, server: Server, receiver: Server, study: TestStudy, session: Session
    ) -> Lane {
        Lane(label: contestant.label, server: server) { (_) throws(BenchError) -> Double in
            guard let folder = receiver.objectFolder else { return 0 }
            try Files.empty(folder)
            let seconds = try session.clients.move(
                study: study.identity.study, from: server, to: receiver.aeTitle, atMost: WorkBound.retrieve)
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            let whole = names.count { name in
                let size = try? FileManager.default.attributesOfItem(atPath: "\(folder)/\(name)")[.size] as? Int
                return size ?? 0 >= study.workload.pixelByteCount
            }
            try Files.empty(folder)
            guard whole == study.objectCount else {
                throw .incomplete(work: "objects received uncompressed", expected: study.objectCount, found: whole)
            }
            return seconds
        }
    }
}
