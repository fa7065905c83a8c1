import Foundation
import Testing

@testable import Benchmarking

private func trace(_ label: String, seconds: Double, bins: Int) -> Trace {
    var traffic = Traffic()
    traffic.there = [Int](repeating: 1_250_000, count: bins)
    traffic.back = [Int](repeating: 1000, count: bins)
    traffic.lost = 3
    return Trace(label: label, seconds: seconds, traffic: traffic, kind: .clean)
}

@Test func rowsOverLongLinesRunOnlyWhenTheyAreNamed() throws {
    #expect(try !RowID.matching([]).contains(.wideClean))
    #expect(try RowID.matching(["wan-1gbit"]) == [.wideFast])
    #expect(try RowID.matching(["wan"]).allSatisfy(\.isNamedOnly))
}

@Test func aCommandAtTheEndOfALineIsRunInItsNetwork() {
    var command = Command(
        name: "echo", executable: "/bin/echo", arguments: ["a", "b"], workingDirectory: "/", log: "/dev/null")
    #expect(command.launched == ["/bin/echo", "a", "b"])
    command = command.inside(NetworkNamespace(name: "there"))
    #expect(command.launched.dropFirst() == ["netns", "exec", "there", "/bin/echo", "a", "b"])
}

@Test func aLineIsToldInTheUnitsItsProgramTakes() {
    #expect(
        LineKind.lossy.arguments(seed: 7)
            == ["rate=100000000", "delay=50000", "loss=5000", "queue=100000", "seed=7"])
    #expect(LineKind.lossy.words == "100 Mbit/s, 100 ms, 0.500 % loss")
}

@Test func aTraceEndsWithItsMeasurementAndCountsAllThatPassed() {
    let trace = trace("bare", seconds: 0.45, bins: 20)
    #expect(trace.megabitsPerSecond == [Double](repeating: 100, count: 6))
    #expect(trace.byteCountThere == 25_000_000)
    #expect(trace.lostPacketCount == 3)
}

@Test func throughputIsDrawnForEachContestantAgainstTheCapacity() {
    let svg = ThroughputPlot(traces: [trace("Huizhen", seconds: 2, bins: 20), trace("a<b", seconds: 30, bins: 300)]).svg
    #expect(svg.components(separatedBy: "<polygon").count == 3)
    #expect(svg.components(separatedBy: "class=\"capacity\"").count == 3)
    #expect(svg.contains("a&lt;b"))
    #expect(ThroughputPlot(traces: []).svg.isEmpty)
}

@Test func aProgramIsSpokenToThroughItsPipes() throws {
    var toChild: [Int32] = [-1, -1]
    var fromChild: [Int32] = [-1, -1]
    #expect(pipe(&toChild) == 0 && pipe(&fromChild) == 0)
    let command = Command(
        name: "head", executable: "/usr/bin/head", arguments: ["-c", "3"], workingDirectory: "/", log: "/dev/null")
    let child = try Child.start(command, pipes: (toChild[0], fromChild[1]))
    #expect(write(toChild[1], "abcdef", 6) == 6)
    try child.wait(atMost: .seconds(10))
    var bytes = [UInt8](repeating: 0, count: 8)
    #expect(read(fromChild[0], &bytes, 8) == 3)
    #expect(bytes.prefix(3) == [97, 98, 99])
    (toChild + fromChild).forEach { _ = close($0) }
}
