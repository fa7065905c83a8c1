import Foundation
import Loading
import Synchronization

/// Every data key under a new master key while objects are stored, asked for and fetched.
struct KeyRotationScenario: Scenario {
    let id: RowID
    let quick: Bool

    /// Associations that store at a time, before the rotation.
    static let fillingCount = 8
    /// Associations that store at a time, during the rotation.
    static let storingCount = 2
    static let pixelByteCount = 2048
    static let goal = Goal(atMost: 10, text: "< 10 s, none failed")

    var studyCount: Int { quick ? 2_000 : 100_000 }

    func neededByteCount(rounds: Int) -> Int { studyCount * 32_768 }

    /// What was done while keys were turned over, and whose turn is next.
    private final class Load: Sendable {
        struct Counts {
            var stores = 0
            var queries = 0
            var retrievals = 0
            var next = 0
        }
        private let counts: Mutex<Counts>

        init(next: Int) { counts = Mutex(Counts(next: next)) }

        var now: Counts { counts.withLock { $0 } }
        func add(_ count: (inout Counts) -> Void) { counts.withLock { count(&$0) } }
        func next() -> Int {
            counts.withLock { counts in
                counts.next += 1
                return counts.next - 1
            }
        }
    }

    func run(in session: Session) throws(BenchError) -> Row {
        guard session.options.huizhen != nil else {
            throw .badOption("the row measures Huizhen alone: leave --peers-only out")
        }
        let server = try session.start(.huizhen)
        let maker = StudyMaker(seed: session.options.seed)
        try fill(server, maker, session)
        var samples: [Sample] = []
        let load = Load(next: studyCount)
        for round in 0..<session.options.rounds {
            session.progress.show("\(id.rawValue): round \(round + 1)/\(session.options.rounds)")
            session.settle()
            let seconds = try rotating(server, maker, load, session)
            samples.append(Sample(round: round, value: seconds))
        }
        let counts = load.now
        var result = LaneResult(label: Contestant.huizhen.label)
        result.samples = samples
        return Row(
            id: id.rawValue, title: "Turn over the keys of \(studyCount) studies under load", unit: "s",
            figures: [Figure(result)], writeAndSync: nil,
            judgements: [
                Judgement(
                    subject: "huizhen keys rotate", unit: "s", samples: samples.map(\.value), goal: Self.goal)
            ],
            notes: [
                "Each study was stored by C-STORE and has a key of its own. Meanwhile \(Self.storingCount) associations "
                    + "stored, one queried and getscu fetched study after study: \(counts.stores) stores, \(counts.queries) "
                    + "queries and \(counts.retrievals) retrievals, none of which failed: one that fails ends the row."
            ])
    }

    private func fill(_ server: Server, _ maker: StudyMaker, _ session: Session) throws(BenchError) {
        let turns = Load(next: 0)
        let (work, progress) = (Crew(), session.progress)
        for _ in 0..<Self.fillingCount {
            work.add { () throws(BenchError) in
                let association = try RawAssociation(server: server, for: .store)
                while !work.isOver {
                    let index = turns.next()
                    guard index < studyCount else { return }
                    if index.isMultiple(of: 1000) {
                        progress.show("\(id.rawValue): storing, \(index) of \(studyCount) studies")
                    }
                    let object = maker.object(index, number: 0, pixelByteCount: Self.pixelByteCount)
                    try association.store(object.dataset, instance: object.instance)
                }
            }
        }
        try work.wait()
    }

    /// Turns the keys over once; returns how long the command took.
    private func rotating(
        _ server: Server, _ maker: StudyMaker, _ load: Load, _ session: Session
    ) throws(BenchError) -> Double {
        let (work, clients) = (Crew(), session.clients)
        let before = load.now.retrievals
        for _ in 0..<Self.storingCount {
            work.add { () throws(BenchError) in
                let association = try RawAssociation(server: server, for: .store)
                while !work.isOver {
                    let index = load.next()
                    let object = maker.object(index, number: 0, pixelByteCount: Self.pixelByteCount)
                    try association.store(object.dataset, instance: object.instance)
                    load.add { $0.stores += 1 }
                }
            }
        }
        work.add { () throws(BenchError) in
            let association = try RawAssociation(server: server)
            var turn = 0
            while !work.isOver {
                guard try association.matchCount(ScaleQueries.patientID.identifier(turn)) > 0 else {
                    throw .incomplete(work: "studies found by patient id", expected: 1, found: 0)
                }
                turn += 1
                load.add { $0.queries += 1 }
            }
        }
        let folder = server.folder + "/got"
        try Files.empty(folder)
        work.add { () throws(BenchError) in
            var turn = before
            while !work.isOver {
                let study = maker.studyInstanceUID(turn * 7919 % studyCount)
                _ = try clients.get(study: study, from: server, into: folder, atMost: .seconds(30))
                turn += 1
                load.add { $0.retrievals += 1 }
            }
            let found = (try? FileManager.default.contentsOfDirectory(atPath: folder).count) ?? 0
            guard found == turn - before else {
                throw .incomplete(work: "objects fetched", expected: turn - before, found: found)
            }
        }
        let command = Command(
            name: "huizhen keys rotate", executable: session.options.huizhen ?? "",
            arguments: ["keys", "rotate", "--data", server.folder + "/data"], workingDirectory: server.folder,
            log: server.folder + "/rotate.log")
        var seconds = 0.0
        var failure: BenchError?
        do throws(BenchError) { seconds = try command.run(atMost: .seconds(120)) } catch { failure = error }
        work.end()
        try work.wait()
        if let failure { throw failure }
        return seconds
    }
}
