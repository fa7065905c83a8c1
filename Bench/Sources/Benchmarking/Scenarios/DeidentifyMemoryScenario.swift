import Foundation

/// One file of many coded frames, 5 GB, and how much memory its de-identification takes.
struct DeidentifyMemoryScenario: Scenario {
    static let goal = Goal(atMost: 128, text: "≤ 128 MB")
    private static let wholeByteCount = 5 << 30
    private static let quickByteCount = 256 << 20

    let id: RowID
    let quick: Bool

    private var byteCount: Int { quick ? Self.quickByteCount : Self.wholeByteCount }

    func neededByteCount(rounds: Int) -> Int { 2 * byteCount }

    func run(in session: Session) throws(BenchError) -> Row {
        let folder = session.options.directory + "/deidentify-memory"
        try Files.makeFolder(folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        session.progress.show("\(id.rawValue): writing \(byteCount >> 20) MiB")
        let file = folder + "/large.dcm"
        let frameCount = try writeFile(file, session)
        let tool = try HuizhenTool(session, data: folder + "/data")
        try tool.makeProject()
        session.progress.show("\(id.rawValue): de-identifying")
        session.settle()
        // Of the profile that leaves pictures of this class as they are.
        let child = try Child.start(tool.deidentify([file], into: folder + "/output", profile: "consultation"))
        let watch = MemoryWatch(pid: child.pid)
        let clock = ContinuousClock()
        let start = clock.now
        var result = LaneResult(label: Contestant.huizhen.label)
        do throws(BenchError) { try child.wait(atMost: WorkBound.largeStore) } catch { result.failure = error }
        let seconds = (clock.now - start).inSeconds
        let (before, growth) = watch.finish()
        result.samples = [Sample(round: 0, value: Double(before + growth) / 1e6)]
        return Row(
            id: id.rawValue, title: "Memory to de-identify one file of \(byteCount >> 20) MiB", unit: "MB",
            figures: [Figure(result)], writeAndSync: nil,
            judgements: [
                Judgement(
                    subject: "memory of Huizhen", unit: "MB", samples: result.samples.map(\.value), goal: Self.goal,
                    disqualified: result.failure != nil)
            ],
            notes: [
                "\(frameCount) frames of JPEG-LS, each looked through; all resident memory of the command, which took "
                    + "\(Figures.text(seconds)) s to read, check and write the file."
            ])
    }

    /// Writes a multi-frame object of one frame over and over.
    ///
    /// - Returns: its frames.
    private func writeFile(_ path: String, _ session: Session) throws(BenchError) -> Int {
        let study = try session.study(.ct(quick: true))
        let compressed = path + ".frame"
        try session.clients.compressJPEGLS(study.paths[0], to: compressed)
        guard let data = FileManager.default.contents(atPath: compressed), let item = LargeObject.firstFrame(of: data)
        else { throw .incomplete(work: "frames to repeat", expected: 1, found: 0) }
        try? FileManager.default.removeItem(atPath: compressed)
        let frameCount = byteCount / item.count
        let object = LargeObject(
            identity: StudyIdentity(seed: session.options.seed, name: "large-file", generation: 0),
            frameCount: frameCount)
        try Files.write(Data(object.header), to: path)
        guard let file = FileHandle(forWritingAtPath: path) else { throw .system(call: "open", on: path, code: errno) }
        let piece = (0..<64).reduce(into: Data()) { data, _ in data += item }
        do {
            try file.seekToEnd()
            for start in stride(from: 0, to: frameCount, by: 64) {
                try file.write(contentsOf: piece.prefix(min(64, frameCount - start) * item.count))
            }
            try file.write(contentsOf: Data(LargeObject.sequenceDelimiter))
            try file.close()
        } catch { throw .system(call: "write", on: path, code: errno) }
        return frameCount
    }
}
