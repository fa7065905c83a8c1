import Foundation
import Testing

/// What `matrix.py` reports.
private struct MatrixReport: Decodable {
    var problems: [String]
    var problemCount: Int
    /// Outcomes that were compared with the tables.
    var checks: Int
    /// Refusals that were given, each of which is on the record.
    var refusals: Int
}

/// Who may do what, from tables written by hand, through every door of the real service.
@Suite(.scenario, .timeLimit(.minutes(30))) struct MatrixTests {
    @Test func decidesAsTheTablesSayAtEveryDoorAndRecordsEveryRefusal() throws {
        let folder = TemporaryFolder.make()
        chmod(folder, 0o755)
        let socket = folder + "/sftp.socket"
        let huizhen = try HuizhenProcess(
            arguments: [
                "--set", "access.address-failures=100", "--set", "alert.refusals=0", "--set", "sftp.socket=\(socket)",
                "--set", "sftp.key-account=\(NSUserName())",
            ])
        let tables = Python.root + "/Tests/Scenarios/"
        let report = try Python.ask(
            "matrix.py",
            [
                "\(huizhen.port)", "\(huizhen.webPort)", HuizhenProcess.binary, huizhen.directory, socket,
                tables + "access-matrix.tsv", tables + "access-acts.tsv",
            ], as: MatrixReport.self)
        #expect(report.problems == [])
        #expect(report.problemCount == 0)
        #expect(report.checks > 1000 && report.refusals > 400)
        let log = huizhen.logText()
        for secret in ["2.25.1001", "2.25.2001", "unconscious"] { #expect(!log.contains(secret)) }
    }
}
