import Foundation

/// Runs the rows of a session and gathers the report.
public struct Bench {
    private let session: Session

    public init(_ session: Session) {
        self.session = session
    }

    /// Measures every row asked for; a row that cannot be measured says why and the next one goes on.
    ///
    /// - Parameter keep: given the report of the rows so far after each of them, so that a run that is stopped has them.
    public func run<Failure: Error>(keep: (Report) throws(Failure) -> Void) throws(Failure) -> Report {
        let clock = ContinuousClock()
        let start = clock.now
        let startedAt = Date().formatted(.iso8601)
        let options = session.options
        var report = Report(
            startedAt: startedAt, seconds: 0, rounds: options.rounds, quick: options.quick, settles: options.settles,
            seed: options.seed,
            testData: options.series == nil ? "generated" : "CT rows from a real series, the rest generated",
            clients: session.versions.clients, machine: session.machine, contestants: session.identities, rows: [])
        for id in options.rows {
            session.progress.show(id.rawValue)
            do throws(BenchError) {
                report.rows.append(try id.scenario(quick: options.quick).run(in: session))
            } catch {
                report.rows.append(
                    Row(
                        id: id.rawValue, title: id.rawValue, unit: "s", figures: [], writeAndSync: nil,
                        judgements: [
                            Judgement(
                                subject: "the whole row", unit: "ratio", samples: [],
                                goal: Goal(atMost: 0, text: "to be measured"))
                        ],
                        notes: ["Not measured: \(error)"]))
            }
            session.stopAll()
            // Whoever takes part is known once it was started.
            report.contestants = session.identities
            report.seconds = (clock.now - start).inSeconds
            try keep(report)
        }
        session.progress.clear()
        return report
    }
}
