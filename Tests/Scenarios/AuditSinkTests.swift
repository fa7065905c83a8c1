import Foundation
import Testing

/// The record of acts on its way to a syslog server of Debian's.
@Suite(.scenario, .timeLimit(.minutes(30))) struct AuditSinkTests {
    private func settings(_ target: String, _ more: [String: String] = [:]) -> [String] {
        let values = [
            "audit.syslog.sinks": target, "audit.syslog.authorities": Certificates.path("ca.pem"),
            "audit.syslog.certificate": Certificates.path("client.pem"),
            "audit.syslog.key": Certificates.path("client.key"),
        ].merging(more) { $1 }
        return ["--open-to-unknown-peers"] + values.flatMap { ["--set", "\($0.key)=\($0.value)"] }
    }

    /// The number of the last record, without making one.
    private func count(_ huizhen: HuizhenProcess) throws -> Int {
        let metrics = try Tool.run("/usr/bin/curl", ["-s", "http://127.0.0.1:\(huizhen.httpPort)/metrics"]).output
        let line = metrics.split(separator: "\n").first { $0.hasPrefix("huizhen_audit_records ") }
        return line.flatMap { Int($0.split(separator: " ")[1]) } ?? 0
    }

    @Test func sendsEveryRecordAndAnchorOverTLS() throws {
        let rsyslog = try Rsyslog(isSecure: true)
        let huizhen = try HuizhenProcess(arguments: settings("tls://127.0.0.1:\(rsyslog.port)"))
        #expect(try huizhen.storeTiny(study: "2.25.5", instance: "2.25.51", patient: "王P1") == 0)
        #expect(try huizhen.studies() == ["2.25.5"])
        let anchor = try huizhen.tool(["audit", "anchor"]).checked()
        let last = try count(huizhen)
        #expect(rsyslog.waitFor(last))
        #expect(Set(rsyslog.records).isSuperset(of: Set(1...last)))
        for _ in 0..<100 where !rsyslog.text.contains(anchor) { usleep(100_000) }
        #expect(rsyslog.text.contains(anchor))
        // What the server wrote is what proves the log later.
        let verified = try huizhen.tool(["audit", "verify", "--anchor", rsyslog.outputPath])
        #expect(verified.code == 0, "\(verified.output) \(verified.error)")
        #expect(verified.output.contains("kept elsewhere agree"))
        let messages = rsyslog.text.split(separator: "\n").compactMap { line in
            line.range(of: "<AuditMessage>").map { String(line[$0.lowerBound...]) + "\n" }
        }
        let path = TemporaryFolder.make() + "/messages"
        try Data(messages.joined().utf8).write(to: URL(fileURLWithPath: path))
        struct Answer: Decodable {
            var count: Int
            var wrong: [String]
        }
        let answer = try Python.ask("auditforms.py", ["dicom", path], as: Answer.self)
        #expect(answer.count >= last)
        #expect(answer.wrong == [])
        #expect(huizhen.stop() == 0)
    }

    @Test func losesNothingWhenServerAndServiceAreKilled() throws {
        let rsyslog = try Rsyslog(isSecure: true)
        let huizhen = try HuizhenProcess(arguments: settings("tls://127.0.0.1:\(rsyslog.port)"))
        for round in 0..<3 {
            for number in 0..<5 { #expect(try huizhen.studies(patient: "R\(round)N\(number)") == []) }
            rsyslog.kill()
            for number in 5..<10 { #expect(try huizhen.studies(patient: "R\(round)N\(number)") == []) }
            if round == 1 {
                huizhen.kill()
                try rsyslog.start()
                try huizhen.start()
            } else {
                try rsyslog.start()
            }
        }
        let last = try count(huizhen)
        #expect(rsyslog.waitFor(last))
        let records = rsyslog.records
        #expect(Set(records).isSuperset(of: Set(1...last)))
        #expect(huizhen.logs("an audit sink is away"))
        #expect(huizhen.logs("an audit sink is connected"))
        // A second start sends what comes after, not everything again.
        #expect(huizhen.stop() == 0)
        let before = rsyslog.records.count
        try huizhen.start()
        let end = try count(huizhen)
        #expect(rsyslog.waitFor(end))
        #expect(rsyslog.records.count - before <= end - last + 2)
    }

    @Test func sendsNothingToAServerThatNobodyVouchesFor() throws {
        let rsyslog = try Rsyslog(isSecure: true)
        let huizhen = try HuizhenProcess(
            arguments: settings(
                "tls://127.0.0.1:\(rsyslog.port)",
                ["audit.syslog.authorities": Certificates.path("other.pem")]))
        #expect(huizhen.logs("TLS refused"))
        #expect(try huizhen.studies() == [])
        #expect(rsyslog.records == [])
        #expect(huizhen.stop() == 0)
    }

    @Test func sendsOverPlainTCPOnThisMachineAlone() throws {
        let rsyslog = try Rsyslog(isSecure: false)
        let huizhen = try HuizhenProcess(arguments: settings("tcp://127.0.0.1:\(rsyslog.port)"))
        let last = try count(huizhen)
        #expect(rsyslog.waitFor(last))
        #expect(huizhen.stop() == 0)
        let refused = try Tool.run(
            HuizhenProcess.binary,
            ["serve", "--data", TemporaryFolder.make(), "--set", "audit.syslog.sinks=tcp://10.0.0.1:601"], timeout: 30)
        #expect(refused.code != 0)
        #expect(refused.error.contains("unencrypted"))
    }
}
