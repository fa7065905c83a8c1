import Foundation
import Testing

/// C-CANCEL while others store and retrieve. PS3.7 §9.3.2.3.
@Suite(.scenario, .timeLimit(.minutes(30))) struct CancelTests {
    private static let matchCount = 160
    /// What may still come once a cancellation can be read: matches of 60,000 bytes that lie in the buffers of the
    /// connection already, Linux's 4 MiB to send and a small one to receive, and the one that is being sent.
    private static let findLimit = 80
    /// Of each of two associations the object that was opened ahead.
    private static let moveLimit = 2
    private static let getLimit = 0

    private struct Part: Decodable {
        var status: Int
        var later: Int
        var remaining: Int?
        var confirmed: Bool?
    }

    private struct Load: Decodable {
        var stored: Int
        var got: Int
        var bad: Int
    }

    private struct Report: Decodable {
        var find: Part
        var move: Part
        var get: Part
        var load: Load
    }

    @Test func cancelsFindMoveAndGetWhileOthersStoreAndRetrieve() throws {
        let huizhen = try HuizhenProcess()
        let report = try Python.ask(
            "cancelling.py",
            ["--port", "\(huizhen.port)", "--tool", HuizhenProcess.binary, "--data", huizhen.directory],
            as: Report.self)
        for part in [report.find, report.move, report.get] { #expect(part.status == 0xFE00) }
        #expect(report.find.later <= Self.findLimit)
        #expect(report.move.confirmed == true)
        #expect(report.move.later <= Self.moveLimit)
        #expect(report.move.remaining ?? 0 >= Self.matchCount - 3 - 2 * Self.moveLimit)
        #expect(report.get.later <= Self.getLimit)
        #expect(report.get.remaining == Self.matchCount - 3)
        #expect(report.load.stored > 0 && report.load.got > 0 && report.load.bad == 0)
    }
}
