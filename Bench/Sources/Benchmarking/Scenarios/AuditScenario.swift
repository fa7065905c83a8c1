import Foundation
import Loading

/// The record of acts at six years' size: proving all of it, and finding one record by a study.
///
/// In this process, through the service's own module.
struct AuditScenario: Scenario {
    let id: RowID
    let quick: Bool

    static let verifyGoal = Goal(atMost: 60, text: "≤ 60 s")
    static let findGoal = Goal(atMost: 100, text: "p99 ≤ 100 ms")
    /// On the disk, with its index.
    static let recordByteCount = 420

    var recordCount: Int { quick ? 200_000 : 10_000_000 }
    var findCount: Int { quick ? 100 : 500 }

    func neededByteCount(rounds: Int) -> Int { recordCount * Self.recordByteCount }

    func run(in session: Session) throws(BenchError) -> Row {
        let folder = session.options.directory + "/audit-log"
        try? FileManager.default.removeItem(atPath: folder)
        try Files.makeFolder(folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        do throws(AuditFiller.Failure) {
            let filler = try AuditFiller(folder + "/audit", count: recordCount, seed: session.options.seed) { done in
                session.progress.show("\(id.rawValue): filling, \(done) of \(recordCount) records")
            }
            return try measure(filler, session)
        } catch { throw .failed(process: "the record of acts", status: 1, lastWords: "\(error)") }
    }

    private func measure(_ filler: AuditFiller, _ session: Session) throws(AuditFiller.Failure) -> Row {
        var verify = LaneResult(label: "verify all")
        var find: [Double] = []
        var everyFind: [Double] = []
        for round in 0..<session.options.rounds {
            session.progress.show("\(id.rawValue): round \(round + 1)/\(session.options.rounds)")
            session.settle()
            guard let seconds = try filler.verify() else {
                throw AuditFiller.Failure(description: "something was found wrong")
            }
            verify.samples.append(Sample(round: round, value: seconds))
            var samples: [Double] = []
            for turn in 0..<findCount {
                // From all over the log, the end included.
                let number = turn == 0 ? filler.count - 1 : (turn * 7_919 + round * 104_729) * 1_299_709 % filler.count
                guard let milliseconds = try filler.find(number) else {
                    throw AuditFiller.Failure(description: "a record was not found")
                }
                samples.append(milliseconds)
            }
            find.append(quantile(0.99, of: samples))
            everyFind += samples
        }
        return Row(
            id: id.rawValue, title: "Prove the record of \(recordCount) acts", unit: "s", figures: [Figure(verify)],
            writeAndSync: nil,
            judgements: [
                Judgement(
                    subject: "verify", unit: "s", samples: verify.samples.map(\.value), goal: Self.verifyGoal),
                Judgement(subject: "find one record: p99", unit: "ms", samples: find, goal: Self.findGoal),
            ],
            notes: [
                "One record a frame, as the service writes them. Each round reads everything again on all cores, then finds "
                    + "\(findCount) records by the study they are about: median "
                    + "\(String(format: "%.1f", quantile(0.5, of: everyFind))) ms."
            ])
    }
}
