import Foundation
import Testing

/// One answer of the service as `hostile.py` saw it.
struct Answer: Decodable {
    var status: Int?
    var ended: String?
    var detail: [Int]?
    var bytes: [Int]?
    var echo: Int?
    var same: Bool?
    var found: [Int]?
    var statuses: [Int]?
    var rejected: Int?
    var seconds: Double?
}

@Suite(.scenario, .timeLimit(.minutes(30))) struct HostilePeerTests {
    /// What every hostile peer sends and no log may show.
    static let canaries = ["Canary", "Zwitscher", "KANARI4711", "2.25.4711471147114711"]

    /// Runs one scenario, then sees that the service lives, is not bloated, and told nobody's name.
    private func face(
        _ scenario: String, count: Int = 50, settings: [String] = [], growth: Int = 128 << 20
    ) throws -> [Answer] {
        try meet(scenario, count: count, settings: settings + ["log.level=debug"], growth: growth).answers
    }

    private func meet(
        _ scenario: String, count: Int, settings: [String], growth: Int = 128 << 20
    ) throws -> (answers: [Answer], log: String) {
        var arguments = ["--open-to-unknown-peers"]
        for setting in settings { arguments += ["--set", setting] }
        let huizhen = try HuizhenProcess(arguments: arguments)
        let before = huizhen.residentByteCount
        let answers = try Python.ask(
            "hostile.py", [scenario, "--port", "\(huizhen.port)", "--count", "\(count)"], as: [Answer].self)
        #expect(try Tool.dcmtk("echoscu", ["-aec", "HUIZHEN", "127.0.0.1", "\(huizhen.port)"]).code == 0)
        #expect(huizhen.peakResidentByteCount - before < growth, "resident memory grew too much")
        let process = huizhen.processID
        #expect(huizhen.stop() == 0)
        #expect(process > 0)
        let log = huizhen.logText()
        for canary in Self.canaries { #expect(!log.contains(canary), "the log tells \(canary)") }
        #expect(!log.contains("2.25."), "the log tells a UID")
        return (answers, log)
    }

    /// What the operator reads of each kind of bad input without having asked for more.
    struct Line: CustomTestStringConvertible {
        var scenario: String
        var message: String
        var count = 50
        var settings: [String] = []
        var testDescription: String { "\(scenario): \(message)" }
    }

    static let lines = [
        Line(scenario: "truncated_request", message: "connection without association"),
        Line(scenario: "wrong_lengths", message: "connection without association"),
        Line(scenario: "huge_pdu", message: "connection without association"),
        Line(scenario: "huge_pdu", message: "association ended early"),
        Line(scenario: "pdv_lengths", message: "association ended early"),
        Line(scenario: "garbage", message: "connection without association"),
        Line(scenario: "garbage", message: "association ended early"),
        Line(scenario: "unknown_context", message: "association ended early"),
        Line(scenario: "wrong_command", message: "association ended early"),
        Line(scenario: "nested", message: "store refused"),
        Line(scenario: "wrong_syntax", message: "store refused"),
        Line(scenario: "bomb", message: "store refused", count: 256),
        Line(scenario: "vanish", message: "association ended early"),
        Line(
            scenario: "slow", message: "connection without association", settings: ["dimse.artim=2", "dimse.pdu=2"]),
        Line(scenario: "slow", message: "association ended early", settings: ["dimse.artim=2", "dimse.pdu=2"]),
        Line(
            scenario: "limit", message: "association limit reached", count: 5, settings: ["dimse.associations=5"]),
        Line(
            scenario: "connection_limit", message: "connection limit reached", count: 10,
            settings: ["dimse.connections-per-address=10"]),
        Line(scenario: "big_identifier", message: "association ended early"),
    ]

    @Test(arguments: lines) func tellsTheOperatorOfBadInput(_ line: Line) throws {
        let log = try meet(line.scenario, count: line.count, settings: line.settings).log
        #expect(log.contains(line.message), "\(log.suffix(4000))")
    }

    /// Four hundred refusals of one address are two lines: the first, and how many followed.
    @Test func foldsTheLinesOfWhoKnocksWithoutEnd() throws {
        let log = try meet("crowd", count: 912, settings: []).log
        let lines = log.split(separator: "\n").filter { $0.contains("connection limit reached") }
        #expect((1...4).contains(lines.count), "\(lines.count) lines")
        #expect(lines.contains { $0.contains("more within a minute") })
    }

    @Test func survivesTruncatedRequests() throws {
        for answer in try face("truncated_request") { #expect(answer.ended != "silence") }
    }

    @Test func survivesItemsWithWrongLengths() throws {
        for answer in try face("wrong_lengths") { #expect(answer.ended != "silence") }
    }

    @Test func abortsPDUsOfFourGigabytes() throws {
        let answers = try face("huge_pdu")
        for answer in answers { #expect(answer.ended != "silence") }
        #expect(answers.last?.ended == "aborted" || answers.last?.ended == "closed")
    }

    @Test func abortsPDVsThatLeaveTheirPDU() throws {
        for answer in try face("pdv_lengths") { #expect(answer.ended == "aborted" || answer.ended == "closed") }
    }

    @Test func abortsGarbage() throws {
        for answer in try face("garbage") { #expect(answer.ended != nil && answer.ended != "silence") }
    }

    @Test func abortsMessagesOnContextsThatWereNotAccepted() throws {
        for answer in try face("unknown_context") { #expect(answer.ended == "aborted", "\(answer)") }
    }

    @Test func answersOrAbortsCommandsThatBelongNowhere() throws {
        let answers = try face("wrong_command")
        for answer in answers { #expect(answer.ended == "aborted" || (answer.status ?? 0) != 0, "\(answer)") }
    }

    @Test func refusesAHundredThousandNestedItemsAndLives() throws {
        let answers = try face("nested")
        #expect(answers.map(\.status) == [0, 0xC000, 0xC000])
        #expect(answers.map(\.echo) == [0, 0, 0])
    }

    @Test func believesTheDataSetWhenTheCommandContradictsIt() throws {
        let answers = try face("contradicting")
        #expect(answers.first?.status == 0)
        #expect(answers.first?.found == [1, 0])
    }

    @Test func refusesDataSetsInAnotherSyntaxThanAnnouncedOrKeepsThemAsSent() throws {
        let answers = try face("wrong_syntax")
        for (number, answer) in answers.enumerated() {
            let status = answer.status ?? -1
            #expect([0, 0xA900, 0xC000].contains(status), "case \(number): \(answer)")
            #expect(answer.echo == 0, "case \(number): \(answer)")
            if status == 0 { #expect(answer.same == true, "case \(number): not as sent") }
        }
    }

    @Test func believesNoClaimOfSizeThatIsNotThere() throws {
        let answers = try face("bomb", count: isSoak ? 5000 : 256)
        #expect(answers.count == 4)
        for answer in answers { #expect([0, 0xA900, 0xC000].contains(answer.status ?? -1), "\(answer)") }
    }

    @Test func showsNothingOfAnObjectWhosePeerVanished() throws {
        #expect(try face("vanish").first?.found == [0, 0, 0])
    }

    @Test func endsPeersThatSendAByteASecond() throws {
        let answers = try face("slow", settings: ["dimse.artim=2", "dimse.pdu=2"])
        for answer in answers { #expect(answer.ended == "ended", "\(answer)") }
    }

    @Test func worksForOthersBesideAThousandConnectionsOfOneAddress() throws {
        let answer = try face("crowd", count: 1000).first
        #expect(answer?.statuses?.allSatisfy { $0 == 0 } == true)
        // 512 of one address are kept by default.
        #expect(answer?.rejected == 488)
    }

    @Test func worksForOthersBesideSilentPeers() throws {
        let answer = try face("silent", count: 40).first
        #expect(answer?.statuses?.allSatisfy { $0 == 0 } == true)
    }

    @Test func rejectsOneAssociationBeyondTheLimitAsTransient() throws {
        let answer = try face("limit", count: 5, settings: ["dimse.associations=5"]).first
        #expect(answer?.detail == [2, 3, 2])
        #expect(answer?.status == 0)
    }

    @Test func rejectsOneConnectionBeyondTheLimitOfAnAddress() throws {
        let answer = try face("connection_limit", count: 10, settings: ["dimse.connections-per-address=10"]).first
        #expect(answer?.bytes == [3, 0, 0, 0, 0, 4, 0, 2, 3, 2])
        #expect(answer?.status == 0)
    }

    @Test func boundsIdentifiersAndCommands() throws {
        let answers = try face("big_identifier")
        #expect(answers.count == 4)
        #expect(answers[0].status == 0 || answers[0].status == 0xA900)
        for answer in answers.dropFirst(1) where answer.status == nil {
            #expect(answer.ended == "aborted", "\(answer)")
        }
        #expect(answers[1].status != 0)
        #expect(answers[3].ended == "aborted")
    }
}
