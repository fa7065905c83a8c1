import Audit
import Foundation
import Testing

/// What `webhostile.py` reports.
private struct HostileReport: Decodable {
    var problems: [String]
    var cases: Int
    /// Resident bytes that the service gained.
    var growth: Int
    var served: Int
}

/// Clients of the web door that break the rules of HTTP, or take everything there is.
@Suite(.scenario, .timeLimit(.minutes(30))) struct WebHostileTests {
    private func ask(
        _ huizhen: HuizhenProcess, _ mode: String, _ count: Int? = nil, otherTokens: [String] = []
    ) throws -> HostileReport {
        try Python.ask(
            "webhostile.py",
            [mode, "\(huizhen.webPort)", "\(huizhen.processID)"] + (count.map { ["\($0)"] } ?? []),
            environment: [
                "HUIZHEN_WEB_TOKEN": huizhen.webToken(), "HUIZHEN_OTHER_TOKENS": otherTokens.joined(separator: " "),
            ], as: HostileReport.self)
    }

    @Test func answersBrokenRequestsWithProblemsAndNeverTwice() throws {
        // Who waits for the rest of a request that never comes need not wait long here.
        let huizhen = try HuizhenProcess(arguments: ["--set", "web.idle=3", "--set", "web.body-idle=3"])
        let report = try ask(huizhen, "requests")
        #expect(report.problems == [])
        #expect(report.cases > 70)
        #expect(try huizhen.status()["instances"] as? Int == 0)
    }

    @Test func boundsBodiesByTimeAndSizeAndRequestsByNumber() throws {
        let huizhen = try HuizhenProcess(
            arguments: [
                "web.body-limit=33554432", "web.body-idle=1", "web.idle=2", "web.requests=4",
            ].flatMap { ["--set", $0] })
        let report = try ask(huizhen, "limits", huizhen.webTLSPort)
        #expect(report.problems == [])
    }

    @Test func leavesPlacesToOthersThanTheCallerWhoTookItsShare() throws {
        let huizhen = try HuizhenProcess(
            arguments: ["web.requests=8", "web.requests-per-caller=4"].flatMap { ["--set", $0] })
        let report = try ask(
            huizhen, "share", otherTokens: [try huizhen.webToken(), try huizhen.clientToken(of: "SOUTH")])
        #expect(report.problems == [])
        #expect(report.cases == 3)
    }

    @Test func answersAndCountsWhatIsStoredOfBodiesThatBreakOff() throws {
        let huizhen = try HuizhenProcess(
            arguments: ["web.body-limit=33554432", "web.body-idle=1"].flatMap { ["--set", $0] })
        let report = try Python.ask(
            "webhostile.py",
            ["broken", "\(huizhen.webPort)", "\(huizhen.processID)", Python.root + "/TestImages/phantoms"],
            environment: ["HUIZHEN_WEB_TOKEN": huizhen.webToken()], as: HostileReport.self)
        #expect(report.problems == [])
        #expect(report.cases == 5)
        #expect(try huizhen.status()["instances"] as? Int == report.served)
        // The last request ends some time after its client left.
        var stored: UInt64 = 0
        for _ in 0..<600 {
            let records = try huizhen.tool(["audit", "search", "--json", "--event", "stored"]).checked()
            stored = try records.split(separator: "\n").reduce(0) {
                let record = try JSONDecoder().decode(AuditRecord.self, from: Data($1.utf8))
                return $0 + (record.entry.instanceCount ?? 0)
            }
            if stored >= UInt64(report.served) { break }
            usleep(50_000)
        }
        #expect(stored == UInt64(report.served))
    }

    @Test func keepsLittleForClientsThatReadSlowly() throws {
        let huizhen = try HuizhenProcess(arguments: [])
        let report = try ask(huizhen, "slow", 64)
        #expect(report.problems == [])
        #expect(report.growth < 24 << 20)
    }

    @Test func servesBesideThousandsOfConnections() throws {
        let huizhen = try HuizhenProcess(arguments: [])
        let report = try ask(huizhen, "many", 2000)
        #expect(report.problems == [])
        #expect(report.served == 2000)
        #expect(report.growth < 64 << 20)
    }
}
