import Foundation
import Testing

/// Links by which somebody without an account looks at one study.
@Suite(.scenario, .timeLimit(.minutes(30))) struct ShareTests {
    @Test func showsAGuestOneStudyAndNothingElse() throws {
        let huizhen = try HuizhenProcess(arguments: ["--set", "access.address-failures=12"])
        let (north, other, south) = ("2.25.101", "2.25.102", "2.25.201")
        for name in ["NORTH", "SOUTH"] { try huizhen.addPeer(name, ["--institution", name, "--issuer", "CITY"]) }
        for (name, study) in [("NORTH", north), ("NORTH", other), ("SOUTH", south)] {
            #expect(try huizhen.storeTiny(as: name, study: study, instance: study + ".1") == 0)
        }
        let report = try Python.ask(
            "shares.py", ["\(huizhen.webPort)", HuizhenProcess.binary, huizhen.directory, north, other, south],
            as: AttackReport.self)
        #expect(report.problems == [])
        #expect(report.secrets.count > 8)
        let recorded = try huizhen.tool(["audit", "search", "--json"]).checked()
        for text in ["share link made", "share link revoked", "wrong secret", "unknown share link", "locked out"] {
            #expect(recorded.contains(text), "\(text) is not on record")
        }
        let log = huizhen.logText()
        for secret in report.secrets { #expect(!log.contains(secret) && !recorded.contains(secret)) }
        // A link outlives a restart; the session that came by it does not.
        huizhen.kill()
        try huizhen.start()
        #expect(try huizhen.tool(["share", "list"]).checked().contains("second opinion"))
    }
}
