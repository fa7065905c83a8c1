import Foundation
import Glibc
import Loading

/// What deciding about an act and recording it costs, without the act: processor time of all threads for each.
///
/// In this process, through the service's own modules, on the disk of the run.
struct DecisionScenario: Scenario {
    let id: RowID
    let quick: Bool

    func neededByteCount(rounds: Int) -> Int { rounds * (256 << 20) }

    func run(in session: Session) throws(BenchError) -> Row {
        let directory = session.options.directory + "/decisions"
        let mill: DecisionMill
        do throws(DecisionMill.Failure) { mill = try DecisionMill(directory: directory) } catch {
            throw .failed(process: "the decisions", status: 1, lastWords: error.description)
        }
        let works: [(label: String, act: DecisionMill.Act, count: Int, threads: Int)] = [
            ("a search", .search, 20_000, 1), ("a search, of 16 threads", .search, 1_250, 16),
            ("a frame", .instance, 20_000, 1), ("a frame, of 16 threads", .instance, 1_250, 16),
            ("a study", .study, 20_000, 1), ("400 objects stored", .store, 200, 1),
        ]
        let lanes = works.map { work in
            Lane(label: work.label) { (_) throws(BenchError) -> Double in
                let count = quick ? max(1, work.count / 20) : work.count
                let start = Self.processorTime
                do throws(DecisionMill.Failure) { try mill.run(work.act, count: count, threads: work.threads) } catch {
                    throw .failed(process: "the decisions", status: 1, lastWords: error.description)
                }
                return (Self.processorTime - start) / Double(count * work.threads) * 1e6
            }
        }
        let results = try interleave(
            lanes, rounds: session.options.rounds, settle: session.settle,
            show: { session.progress.show("\(id.rawValue): \($0)") })
        return Row(
            id: id.rawValue, title: "Decide about an act and record it: processor time of each", unit: "µs",
            figures: results.map(Figure.init), writeAndSync: nil,
            judgements: results.map {
                Judgement(subject: $0.label, unit: "µs", samples: $0.samples.map(\.value), goal: nil)
            },
            notes: [
                "\(DecisionMill.grantCount) grants stand, \(DecisionMill.ownGrantCount) of them for who asks; "
                    + "the record is encoded, sealed, chained and written, that of a store also synced.",
                "Of user and kernel, all threads of the process; the acts themselves are not done.",
            ])
    }

    /// Seconds of this process, all its threads.
    private static var processorTime: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
