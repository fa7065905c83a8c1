import Foundation
import Loading

/// Objects that name their patient wherever objects can, and at how many of those sites the name still stands afterwards.
struct DeidentifyLeaksScenario: Scenario {
    static let goal = Goal(atMost: 0, text: "0")
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
        var contestants: [Program] = []
        if session.options.huizhen != nil {
            let tool = try HuizhenTool(session, data: folder + "/data")
            try tool.makeProject()
            for profile in ["basic", "research", "teaching"] {
                contestants.append(
                    Program(label: "Huizhen, \(profile)") { (_) throws(BenchError) in
                        { (input, output) in tool.deidentify([input], into: output, profile: profile) }
                    })
            }
        }
        if !session.options.isAlone {
            contestants += [
                Program(
                    label: DeidentifiersOfFiles.dicognito, prepare: DeidentifiersOfFiles.installDicognito(in:)),
                Program(
                    label: DeidentifiersOfFiles.anonymizer, prepare: DeidentifiersOfFiles.installAnonymizer(in:)),
                Program(label: DeidentifiersOfFiles.gdcmanon, prepare: DeidentifiersOfFiles.prepareGDCM(in:)),
            ]
        }
        var (figures, judgements): ([Figure], [Judgement]) = ([], [])
        var notes = [
            "\(trial.sites.count) sites in \(trial.files.count) files, a value of its own at each, looked for as it is, "
                + "reversed, in UTF-16, GB18030, Big5, hexadecimal and base64. Peers with their defaults, gdcmanon with a "
                + "certificate for re-identification. What did not come out has nothing found in it."
        ]
        for contestant in contestants {
            session.progress.show("\(id.rawValue): \(contestant.label)")
            let isOurs = contestant.label.hasPrefix(Program.ours)
            var result = LaneResult(label: contestant.label)
            do throws(BenchError) {
                let place = "\(folder)/\(contestant.label)"
                let command = try contestant.prepare(place)(input, place + "/output")
                // A peer may give up at one file; what it wrote until then counts.
                do throws(BenchError) { try command.run(atMost: Self.bound) } catch { if isOurs { throw error } }
                let files = Self.files(in: place + "/output")
                guard !files.isEmpty, !isOurs || files.count == trial.files.count else {
                    throw .incomplete(work: "files de-identified", expected: trial.files.count, found: files.count)
                }
                let sites = trial.sites(in: files)
                result.samples = [Sample(round: 0, value: Double(sites.count))]
                notes.append(
                    "\(contestant.label): \(files.count) files"
                        + (sites.isEmpty
                            ? "."
                            : "; left: "
                                + sites.joined(separator: ", ") + "."))
            } catch { result.failure = error }
            figures.append(Figure(result))
            if isOurs {
                judgements.append(
                    Judgement(
                        subject: contestant.label, unit: "sites", samples: result.samples.map(\.value),
                        goal: Self.goal, disqualified: result.failure != nil))
            }
        }
        return Row(
            id: id.rawValue, title: "Sites that still name the patient, of \(trial.sites.count)", unit: "sites",
            figures: figures, writeAndSync: nil, judgements: judgements, notes: notes)
    }

    /// A program in one way of using it.
    private struct Program {
        static let ours = "Huizhen"

        let label: String
        /// Makes what it needs in a folder and gives its command from a folder to another.
        let prepare: (String) throws(BenchError) -> (String, String) throws(BenchError) -> Command
    }

    /// What stands in a folder, names of files with it.
    private static func files(in folder: String) -> [[UInt8]] {
        let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        return names.filter { $0.hasSuffix(".dcm") }.compactMap { name in
            FileManager.default.contents(atPath: folder + "/" + name).map { [UInt8]($0) + Array(name.utf8) }
        }
    }
}
