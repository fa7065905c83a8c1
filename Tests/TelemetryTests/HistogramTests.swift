import Testing

@testable import Telemetry

struct HistogramTests {
    private struct Failed: Error {}

    /// Cumulative counts by upper bound, as they are exposed.
    private func buckets(_ registry: Registry) -> [String: Int] {
        var result: [String: Int] = [:]
        for line in registry.exposition().split(separator: "\n") where line.hasPrefix("t_bucket{le=") {
            let parts = line.split(separator: "\"")
            result[String(parts[1])] = Int(parts[2].dropFirst(2))
        }
        return result
    }

    @Test func countsAValueAtABoundInThatBucketAndOnePastItInTheNext() {
        let registry = Registry()
        let histogram = registry.histogram("t", help: "Time.")
        histogram.observe(.microseconds(100))
        histogram.observe(.nanoseconds(100_001))
        let found = buckets(registry)
        #expect(found["0.0001"] == 1)
        #expect(found["0.00025"] == 2)
        #expect(found["60.0"] == 2)
        #expect(found["+Inf"] == 2)
    }

    @Test func countsWhatIsLongerThanTheLastBoundOnlyInTheUnboundedBucket() {
        let registry = Registry()
        let histogram = registry.histogram("t", help: "Time.")
        histogram.observe(.seconds(60))
        histogram.observe(.milliseconds(60_001))
        histogram.observe(.seconds(86_400))
        let found = buckets(registry)
        #expect(found["30.0"] == 0)
        #expect(found["60.0"] == 1)
        #expect(found["+Inf"] == 3)
    }

    @Test func hasGrowingBoundsFromAHundredMicrosecondsToAMinute() {
        #expect(Histogram.bounds == Histogram.bounds.sorted())
        #expect(Set(Histogram.bounds).count == Histogram.bounds.count)
        #expect(Histogram.bounds.first == 0.0001 && Histogram.bounds.last == 60)
    }

    @Test func writesBucketsSumAndCountWithTheirLabels() {
        let registry = Registry()
        let histogram = registry.histogram("t_seconds", help: "Time.", labels: ["verb": "find"])
        histogram.observe(.milliseconds(250))
        histogram.observe(.milliseconds(500))
        let lines = registry.exposition().split(separator: "\n").map(String.init)
        #expect(lines.first == "# HELP t_seconds Time.")
        #expect(lines[1] == "# TYPE t_seconds histogram")
        #expect(lines.contains("t_seconds_bucket{verb=\"find\",le=\"0.25\"} 1"))
        #expect(lines.contains("t_seconds_bucket{verb=\"find\",le=\"0.5\"} 2"))
        #expect(lines.contains("t_seconds_bucket{verb=\"find\",le=\"+Inf\"} 2"))
        #expect(lines.suffix(2) == ["t_seconds_sum{verb=\"find\"} 0.75", "t_seconds_count{verb=\"find\"} 2"])
        #expect(lines.count == 2 + Histogram.bounds.count + 1 + 2)
    }

    @Test func observesABodyThatThrowsToo() {
        let registry = Registry()
        let histogram = registry.histogram("t", help: "Time.")
        #expect(histogram.time { 7 } == 7)
        #expect(throws: Failed.self) { try histogram.time { throw Failed() } }
        #expect(buckets(registry)["+Inf"] == 2)
    }
}
