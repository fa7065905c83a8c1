import Foundation
import Loading

/// The engine alone, on one thread from memory to nowhere: whole CT, and their headers without pixels.
///
/// In this process, through the service's own module.
struct DeidentifyEngineScenario: Scenario {
    let id: RowID

    func neededByteCount(rounds: Int) -> Int {
        let study = Workload.ct(quick: false)
        return study.objectCount * (study.pixelByteCount + 4096)
    }

    func run(in session: Session) throws(BenchError) -> Row {
        let study = try session.study(.ct(quick: session.options.quick))
        var objects: [[UInt8]] = []
        for path in study.paths {
            guard let data = FileManager.default.contents(atPath: path) else {
                throw .system(call: "read", on: "a file of the study", code: EIO)
            }
            objects.append([UInt8](data))
        }
        let headers = objects.map { Array($0[..<DeidentificationMill.headerByteCount(of: $0)]) }
        let headerByteCount = headers.reduce(0) { $0 + $1.count } / max(1, headers.count)
        var lanes: [Lane] = []
        do throws(DeidentificationMill.Failure) {
            let mill = try DeidentificationMill(profile: HuizhenTool.profile)
            for (label, objects) in [(Self.whole, objects), (Self.headers, headers)] {
                lanes.append(
                    Lane(label: label) { (_) throws(BenchError) -> Double in
                        let clock = ContinuousClock()
                        let start = clock.now
                        do throws(DeidentificationMill.Failure) { try mill.run(objects) } catch {
                            throw .failed(process: "the engine", status: 1, lastWords: error.description)
                        }
                        return (clock.now - start).inSeconds / Double(objects.count) * 1e6
                    })
            }
        } catch { throw .failed(process: "the engine", status: 1, lastWords: "\(error)") }
        let results = try interleave(
            lanes, rounds: session.options.rounds, settle: session.settle,
            show: { session.progress.show("\(id.rawValue): \($0)") })
        return Row(
            id: id.rawValue, title: "De-identify \(study.objectCount) CT in memory, one thread: each object",
            unit: "µs",
            figures: results.map(Figure.init), writeAndSync: nil,
            judgements: results.map {
                Judgement(subject: $0.label, unit: "µs", samples: $0.samples.map(\.value), goal: nil)
            },
            notes: [
                "Profile \(HuizhenTool.profile), changes listed for the report. "
                    + Self.rate(results, study, headerByteCount),
                "Headers are the same objects up to Pixel Data, on average \(headerByteCount) bytes.",
            ])
    }

    private static let whole = "whole objects"
    private static let headers = "headers alone"

    private static func rate(_ results: [LaneResult], _ study: TestStudy, _ headerByteCount: Int) -> String {
        func rate(_ label: String, _ byteCount: Int) -> String {
            let samples = results.first { $0.label == label }?.samples.map(\.value) ?? []
            guard !samples.isEmpty else { return "" }
            let seconds = quantile(0.5, of: samples) / 1e6
            return String(
                format: "%@: %.0f objects/s, %.1f MB/s. ", label, 1 / seconds, Double(byteCount) / seconds / 1e6)
        }
        return rate(whole, study.objectByteCount) + rate(headers, headerByteCount)
    }
}
