import Foundation
import Testing

@testable import Benchmarking

private func row() -> Row {
    var ours = LaneResult(label: Contestant.huizhen.label)
    ours.samples = [Sample(round: 0, value: 0.2), Sample(round: 1, value: 0.3)]
    var peer = LaneResult(label: Contestant.orthancTuned.label)
    peer.samples = [Sample(round: 0, value: 1), Sample(round: 1, value: 1.2)]
    var broken = LaneResult(label: Contestant.dcmqrscpTuned.label)
    broken.failure = .timedOut(process: "movescu", seconds: 120)
    let results = [ours, peer, broken]
    return Row(
        id: "move-ct", title: "C-MOVE <of> \"CT\"", unit: "s", figures: results.map(Figure.init), writeAndSync: nil,
        judgements: results.judge([.ratio(to: .orthancTuned, 1, 2), .information(on: .dcmqrscpTuned)]),
        notes: ["a & b"])
}

private func report() throws -> Report {
    let folder = FileManager.default.temporaryDirectory.path
    let fileSystem = try FileSystem(under: "/proc")
    return Report(
        startedAt: "2024-02-29T10:00:00Z", seconds: 12, rounds: 2, quick: true, settles: true, seed: 1,
        testData: "generated", clients: "storescu", machine: try Machine(folder: folder, fileSystem: fileSystem),
        contestants: [Identity(name: "Huizhen", version: "1", options: "-", storage: "synced")], rows: [row()])
}

@Test func thePageNeedsNothingElseAndEscapesWhatItShows() throws {
    let text = HTMLPage(try report()).text
    #expect(text.contains("C-MOVE &lt;of&gt; &quot;CT&quot;"))
    #expect(text.contains("a &amp; b"))
    #expect(text.contains("<svg"))
    for outside in ["<script", "http://", "https://", "src="] { #expect(!text.contains(outside)) }
}

@Test func aFailureIsNamedInTableAndPage() throws {
    let report = try report()
    #expect(TextTable(report).text.contains("move-ct – dcmqrscp, tuned: movescu had not finished after 120 s"))
    #expect(HTMLPage(report).text.contains("failed: see below"))
}

@Test func theTableShowsRatioGoalAndVerdict() throws {
    let text = TextTable(try report()).text
    #expect(text.contains("0.225 [0.200–0.250]"))
    #expect(text.contains("≤ 1/2"))
    #expect(text.contains("met"))
    #expect(text.contains("not to be judged"))
}

@Test func figuresReadBackFromJSONAreTheSame() throws {
    let report = try report()
    let path = FileManager.default.temporaryDirectory.path + "/bench-\(UUID().uuidString).json"
    defer { unlink(path) }
    try report.writeJSON(to: path)
    let back = try JSONDecoder().decode(Report.self, from: Data(contentsOf: URL(filePath: path)))
    #expect(back.rows == report.rows)
    #expect(back.contestants == report.contestants)
}

@Test func numbersKeepThreeDigits() {
    #expect(Figures.text(123.4) == "123")
    #expect(Figures.text(22.61) == "22.6")
    #expect(Figures.text(1.234) == "1.23")
    #expect(Figures.text(0.1234) == "0.123")
    #expect(Figures.text(0.01234) == "0.0123")
}

@Test func aWideSpreadIsPlottedOnALogarithmicAxisWithinItsEdges() {
    let scale = Scale(least: 0.1, most: 100, logarithmic: true, from: 10, to: 40)
    #expect(scale.place(0.1) == 10)
    #expect(abs(scale.place(100) - 40) < 1e-9)
    #expect(abs(scale.place(1) - 20) < 1e-9)
    #expect(scale.ticks == [0.1, 1, 10, 100])
}
