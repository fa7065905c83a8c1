import ArgumentParser
import Benchmarking
import Foundation

@main
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Run the same work through the same clients against Huizhen and its peers, and print ratios.",
        discussion: """
            Peers are DCMTK's storescp and dcmqrscp and Orthanc, from Debian; missing ones are installed when run as \
            root. Rows: \(RowID.allCases.map(\.rawValue).joined(separator: ", ")).
            """)

    @Option(help: "Rows to run, separated by commas; the beginning of a name is enough.")
    var only: String?

    @Option(help: "Rounds of each row, \(Options.roundRange.lowerBound) to \(Options.roundRange.upperBound).")
    var rounds: Int?

    @Flag(help: "Small workloads and two rounds: to see that everything runs, not to judge.")
    var quick = false

    @Option(help: "Directory for servers and test data, on a disk; removed at the end. Default: results/run-<time>.")
    var directory: String?

    @Flag(help: "Keep the directory.")
    var keep = false

    @Option(help: "The built service.")
    var huizhen: String = Place.package + "/../.build/release/huizhen"

    @Flag(help: "Measure the peers alone.")
    var peersOnly = false

    @Flag(help: "Measure Huizhen alone; goals against a peer stay open.")
    var alone = false

    @Option(help: "Folder with a real CT series (Explicit VR Little Endian) to build the CT rows from.")
    var series: String?

    @Option(help: "Seed of the generated test data.")
    var seed: UInt64 = 20_240_229

    @Flag(help: "Measure without first bringing the machine to rest.")
    var noSettle = false

    @Option(help: "Folder that keeps the filled catalogues of the row scale for the next run: filling takes minutes.")
    var catalogues: String?

    @Option(help: "Where the figures go.")
    var json: String = Place.results + "/report.json"

    @Option(help: "Where the page goes.")
    var html: String = Place.results + "/report.html"

    func run() throws {
        let stamp = Date().formatted(.iso8601).replacing(":", with: "")
        let directory = Place.absolute(directory ?? "\(Place.results)/run-\(stamp)")
        guard !FileManager.default.fileExists(atPath: directory) else {
            throw ValidationError("The directory exists: name one that does not, it is removed at the end.")
        }
        let names = only?.split(separator: ",").map(String.init) ?? []
        let options = try Options(
            rows: RowID.matching(names), rounds: rounds ?? (quick ? 2 : 5), quick: quick, directory: directory,
            keep: keep, huizhen: peersOnly ? nil : Place.absolute(huizhen), seed: seed,
            series: series.map(Place.absolute), settles: !noSettle, isAlone: alone,
            catalogues: catalogues.map(Place.absolute))
        try FileManager.default.createDirectory(atPath: Place.results, withIntermediateDirectories: true)
        let interruption = Interruption(removing: keep ? nil : directory)
        defer { interruption.end() }
        let report: Report
        do {
            let session = try Session(options, progress: Progress())
            report = try Bench(session).run { try $0.writeJSON(to: Place.absolute(json)) }
            session.close()
        } catch {
            if !keep { try? FileManager.default.removeItem(atPath: directory) }
            throw error
        }
        try report.writeHTML(to: Place.absolute(html))
        print(TextTable(report).text, terminator: "")
        print("figures: \(json)\npage: \(html)")
    }
}

/// Where things lie by default.
enum Place {
    /// The benchmark's package: this file is in its Sources/bench.
    static let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path()
    static let results = (package.hasSuffix("/") ? String(package.dropLast()) : package) + "/results"

    static func absolute(_ path: String) -> String {
        URL(filePath: path).standardizedFileURL.path(percentEncoded: false)
    }
}
