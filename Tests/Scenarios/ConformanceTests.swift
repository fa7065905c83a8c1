import Foundation
import Testing

/// The statement's tables and the code they are made from.
@Suite(.scenario) struct ConformanceTests {
    private let statement = Python.root + "/Docs/CONFORMANCE.md"

    @Test func statesWhatTheCodeDoes() throws {
        let result = try Tool.run(HuizhenProcess.binary, ["conformance", "--check", statement])
        #expect(result.code == 0, "\(result.error)")
    }

    @Test func statesWhatDeidentificationDoes() throws {
        let rules = Python.root + "/Docs/DEIDENTIFICATION.md"
        let result = try Tool.run(HuizhenProcess.binary, ["conformance", "--check", rules])
        #expect(result.code == 0, "\(result.error)")
    }

    @Test func noticesAnAlteredTableAndMakesItAnew() throws {
        let path = TemporaryFolder.make() + "/statement.md"
        let text = try String(contentsOfFile: statement, encoding: .utf8)
        let altered = text.replacingOccurrences(of: "| CT Image Storage |", with: "| PT Image Storage |")
        #expect(altered != text)
        try altered.write(toFile: path, atomically: true, encoding: .utf8)
        #expect(try Tool.run(HuizhenProcess.binary, ["conformance", "--check", path]).code == 3)
        #expect(try Tool.run(HuizhenProcess.binary, ["conformance", "--update", path]).code == 0)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
    }

    @Test func refusesAFileWithoutAPlaceForATable() throws {
        let path = TemporaryFolder.make() + "/statement.md"
        try "# Nothing\n".write(toFile: path, atomically: true, encoding: .utf8)
        let result = try Tool.run(HuizhenProcess.binary, ["conformance", "--update", path])
        #expect(result.code == 1 && result.error.contains("settings"))
    }
}
