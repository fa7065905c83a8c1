import Foundation
import Loading

/// Objects that name their patient wherever objects can, and at how many of those sites the name still stands afterwards.
struct DeidentifyLeaksScenario: Scenario {
    static let goal = Goal(atMost: 0, text: "0")
    private static let profiles = ["basic", "research", "teaching"]
    private static let bound: Duration = .seconds(120)

    let id: RowID

    func neededByteCount(rounds: Int) -> Int { 300 << 20 }

    func run(in session: Session) throws(BenchError) -> Row {
        let folder = session.options.directory + "/deidentify-leaks"
        try Files.makeFolder(folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let (trial, input) = (LeakTrial(), folder + "/input")
        try Files.makeFolder(input)
        for file in trial.files { try Files.write(Data(file.bytes), to: "\(input)/\(file.name)") }
        // What cannot be found where nothing was done would never be.
        let planted = trial.sites(in: trial.files.map(\.bytes)).count
        guard planted == trial.sites.count else {
            throw .incomplete(work: "planted values found", expected: trial.sites.count, found: planted)
        }
        var ours: [FileDeidentifier] = []
        if session.options.huizhen != nil {
            let tool = try HuizhenTool(session, data: folder + "/data")
            try tool.makeProject()
            ours = Self.profiles.map { .huizhen(tool, label: "Huizhen, \($0)", profile: $0) }
        }
        let peers: [FileDeidentifier] = session.options.isAlone ? [] : [.dicognito, .anonymizer, .gdcmanon]
        var (figures, judgements): ([Figure], [Judgement]) = ([], [])
        var notes = [
            "\(trial.sites.count) sites in \(trial.files.count) files, a value of its own at each, looked for as it is, "
                + "reversed, in UTF-16, GB18030, Big5, hexadecimal and base64. Peers with their defaults, gdcmanon with a "
                + "certificate for re-identification. What did not come out has nothing found in it."
        ]
        for (program, isOurs) in ours.map({ ($0, true) }) + peers.map({ ($0, false) }) {
            session.progress.show("\(id.rawValue): \(program.label)")
            var result = LaneResult(label: program.label)
            do throws(BenchError) {
                let place = "\(folder)/\(program.label)"
                let files = try Self.files(of: program, from: input, in: place, mustEnd: isOurs)
                guard !files.isEmpty, !isOurs || files.count == trial.files.count else {
                    throw .incomplete(work: "files de-identified", expected: trial.files.count, found: files.count)
                }
                let left = trial.sites(in: files)
                result.samples = [Sample(round: 0, value: Double(left.count))]
                let list = left.isEmpty ? "nothing" : left.joined(separator: ", ")
                notes.append("\(program.label): \(files.count) files; left: \(list).")
            } catch { result.failure = error }
            figures.append(Figure(result))
            if isOurs {
                judgements.append(
                    Judgement(
                        subject: program.label, unit: "sites", samples: result.samples.map(\.value), goal: Self.goal,
                        disqualified: result.failure != nil))
            }
        }
        return Row(
            id: id.rawValue, title: "Sites that still name the patient, of \(trial.sites.count)", unit: "sites",
            figures: figures, writeAndSync: nil, judgements: judgements, notes: notes)
    }

    /// What a program writes, each file with its name.
    ///
    /// - Parameter mustEnd: false where it may give up at one file; what it wrote until then counts.
    private static func files(
        of program: FileDeidentifier, from input: String, in folder: String, mustEnd: Bool
    ) throws(BenchError) -> [[UInt8]] {
        let output = folder + "/output"
        let command = try program.prepare(folder)(input, output)
        do throws(BenchError) { try command.run(atMost: bound) } catch { if mustEnd { throw error } }
        let names = FileManager.default.enumerator(atPath: output)?.compactMap { $0 as? String } ?? []
        return names.filter { $0.hasSuffix(".dcm") }.compactMap { name in
            FileManager.default.contents(atPath: output + "/" + name).map { [UInt8]($0) + Array(name.utf8) }
        }
    }
}
