import Foundation

/// Small files de-identified from folder to folder.
struct DeidentifyFilesScenario: Scenario {
    let id: RowID

    /// Twenty times what dicognito did with files of this size when the goal was set.
    private static let filesPerSecond = 3400.0
    private static let bound: Duration = .seconds(300)
    /// Files with their meta information and what a peer adds.
    private static let spareByteCount = 8192

    func neededByteCount(rounds: Int) -> Int {
        let study = Workload.small(quick: false)
        return study.objectCount * (study.pixelByteCount + Self.spareByteCount) * (1 + 3 * rounds)
    }

    func run(in session: Session) throws(BenchError) -> Row {
        let study = try session.study(.small(quick: session.options.quick))
        let folder = session.options.directory + "/deidentify"
        try Files.makeFolder(folder)
        let input = (study.parts[0] as NSString).deletingLastPathComponent
        var programs: [FileDeidentifier] = []
        if session.options.huizhen != nil {
            let tool = try HuizhenTool(session, data: folder + "/data")
            try tool.makeProject()
            programs.append(.huizhen(tool, label: Contestant.huizhen.label))
        }
        if !session.options.isAlone { programs += [.dicognito, .gdcmanon] }
        let lanes = programs.map { program in
            session.progress.show("\(id.rawValue): preparing \(program.label)")
            return lane(program, study, input, folder)
        }
        let results = try interleave(
            lanes, rounds: session.options.rounds, settle: session.settle,
            show: { session.progress.show("\(id.rawValue): \($0)") })
        try? FileManager.default.removeItem(atPath: folder)
        return Row(
            id: id.rawValue, title: "De-identify \(study.objectCount) files of 10 KB from folder to folder", unit: "s",
            figures: results.map(Figure.init), writeAndSync: nil,
            judgements: [
                Judgement(
                    subject: Contestant.huizhen.label, unit: "s",
                    samples: results.first { $0.label == Contestant.huizhen.label }?.samples.map(\.value) ?? [],
                    goal: Goal(
                        atMost: Double(study.objectCount) / Self.filesPerSecond,
                        text: "≥ \(Int(Self.filesPerSecond)) files/s")),
                Self.judge(results, FileDeidentifier.dicognito.label, Goal(atMost: 1.0 / 20, text: "≤ 1/20")),
                Self.judge(results, FileDeidentifier.gdcmanon.label, nil),
            ],
            notes: [
                "The whole life of each program. `huizhen deidentify --profile \(HuizhenTool.profile)`, report included; dicognito "
                    + "of PyPI and gdcmanon of Debian (with a certificate for re-identification) with their defaults.",
                "All files of the output are counted.",
            ])
    }

    private static func judge(_ results: [LaneResult], _ peer: String, _ goal: Goal?) -> Judgement {
        let mine = results.first { $0.label == Contestant.huizhen.label }
        let other = results.first { $0.label == peer }
        return Judgement(
            subject: "\(Contestant.huizhen.label) / \(peer)", unit: "ratio",
            samples: ratios(of: mine?.samples ?? [], to: other?.samples ?? []), goal: goal,
            disqualified: mine?.failure != nil)
    }

    /// A program that is prepared here; one that cannot be had fails its own lane alone.
    private func lane(_ program: FileDeidentifier, _ study: TestStudy, _ input: String, _ folder: String) -> Lane {
        let run: FileDeidentifier.Run
        do throws(BenchError) { run = try program.prepare("\(folder)/\(program.label)") } catch {
            let failure = error
            return Lane(label: program.label) { (_) throws(BenchError) -> Double in throw failure }
        }
        return Lane(label: program.label) { (round) throws(BenchError) -> Double in
            // Nothing is removed before the end: ext4 looks long for a number of a file that was not just given up.
            let output = "\(folder)/output-\(program.label)-\(round)"
            let seconds = try run(input, output).run(atMost: Self.bound)
            let names = FileManager.default.enumerator(atPath: output)?.compactMap { $0 as? String } ?? []
            let found = names.count { $0.hasSuffix(".dcm") }
            guard found == study.objectCount else {
                throw .incomplete(work: "files de-identified", expected: study.objectCount, found: found)
            }
            return seconds
        }
    }
}
