import Testing

@testable import Telemetry

/// What a Prometheus server reads, to the letter.
struct ExpositionTests {
    @Test func writesFamiliesByNameAndSeriesInTheOrderTheyWereMade() {
        let registry = Registry()
        registry.gauge("b_open", help: "Open things.").set(-3)
        registry.counter("a_total", help: "Things.", labels: ["verb": "store", "status": "success"]).add(41)
        registry.counter("a_total", help: "Things.", labels: ["verb": "echo", "status": "success"]).add()
        #expect(
            registry.exposition() == """
                # HELP a_total Things.
                # TYPE a_total counter
                a_total{status="success",verb="store"} 41
                a_total{status="success",verb="echo"} 1
                # HELP b_open Open things.
                # TYPE b_open gauge
                b_open -3

                """)
    }

    @Test func isEmptyWithoutInstruments() {
        #expect(Registry().exposition().isEmpty)
    }

    @Test func givesTheSameInstrumentForTheSameNameAndLabels() {
        let registry = Registry()
        let first = registry.counter("a_total", help: "Things.", labels: ["x": "1", "y": "2"])
        let second = registry.counter("a_total", help: "Things.", labels: ["y": "2", "x": "1"])
        let other = registry.counter("a_total", help: "Things.", labels: ["x": "2", "y": "2"])
        #expect(first === second)
        #expect(first !== other)
        first.add(2)
        #expect(second.value == 2 && other.value == 0)
    }

    @Test func escapesBackslashQuoteAndNewlineInLabels() {
        let registry = Registry()
        registry.counter("a_total", help: "Things.", labels: ["peer": "A\\B\"C\nD"]).add()
        #expect(registry.exposition().contains(#"a_total{peer="A\\B\"C\nD"} 1"# + "\n"))
    }

    @Test func addsUpWhatManyThreadsCount() async {
        let registry = Registry()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1000 {
                        registry.counter("a_total", help: "Things.").add()
                        registry.gauge("b", help: "Level.").add(1)
                        registry.gauge("b", help: "Level.").add(-1)
                    }
                }
            }
        }
        #expect(registry.counter("a_total", help: "").value == 8000)
        #expect(registry.gauge("b", help: "").value == 0)
    }
}
