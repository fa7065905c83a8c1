import Archive
import DICOM
import Foundation
import HTTP
import Keys
import Testing

@testable import DICOMweb

/// Storage commitment over the web. PS3.18 §13.
@Suite final class CommitmentBoardTests {
    private let directory: String
    private let key: SymmetricKey
    private var board: CommitmentBoard
    private let result = CommitmentResult(
        references: [
            CommitmentBoard.Reference(sopClassUID: "1.2", sopInstanceUID: "1.3"),
            CommitmentBoard.Reference(sopClassUID: "1.2", sopInstanceUID: "1.4"),
            CommitmentBoard.Reference(sopClassUID: "1.2", sopInstanceUID: "1.5"),
        ], outcomes: [.here, .failed(.noSuchObjectInstance), .elsewhere(aeTitle: "NORTH 2")])

    init() throws {
        directory = FileManager.default.temporaryDirectory.path + "/huizhen-board-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        key = try SymmetricKey.random()
        board = try CommitmentBoard(path: directory + "/c.sqlite", key: key)
    }

    deinit {
        try? board.close()
        try? FileManager.default.removeItem(atPath: directory)
    }

    private func restart() throws {
        try board.close()
        board = try CommitmentBoard(path: directory + "/c.sqlite", key: key)
    }

    private func work(_ name: String) -> CommitmentBoard.Unfinished {
        CommitmentBoard.Unfinished(transaction: name, institution: "North", references: result.references)
    }

    @Test func takesATransactionOnce() throws {
        try board.begin("1")
        #expect(throws: Problem.self) { try board.begin("1") }
        try board.end("1", institution: "North", result)
        #expect(throws: Problem.self) { try board.begin("1") }
        try restart()
        #expect(throws: Problem.self) { try board.begin("1") }
    }

    @Test func keepsResultsThroughARestart() throws {
        try board.begin("1")
        #expect(try board.state(of: "1") == .working)
        try board.end("1", institution: "North", result)
        #expect(try board.state(of: "1") == .done(result))
        try restart()
        #expect(try board.state(of: "1") == .done(result))
        #expect(try board.takeUnfinished().isEmpty)
        let model = result.dataset
        let committed = model.items(.referencedSOPSequence)
        #expect(committed.map { $0.string(.referencedSOPInstanceUID) } == ["1.3", "1.5"])
        #expect(committed.map { $0.string(.retrieveAETitle) } == [nil, "NORTH 2"])
        #expect(model.items(.failedSOPSequence).map { $0.int(.failureReason) } == [0x0112])
    }

    @Test func worksAgainOnWhatWasAcceptedBeforeARestart() throws {
        try board.begin("1", accepted: work("1"))
        try board.begin("2")
        try restart()
        #expect(try board.state(of: "1") == .working)
        #expect(try board.state(of: "2") == nil)
        let unfinished = try board.takeUnfinished()
        #expect(unfinished.map(\.transaction) == ["1"])
        #expect(unfinished.first?.institution == "North")
        #expect(unfinished.first?.references == result.references)
        try board.end("1", institution: "North", result)
        #expect(try board.state(of: "1") == .done(result))
        #expect(try board.takeUnfinished().isEmpty)
    }

    @Test func forgetsWhatWasNotFoundOut() throws {
        try board.begin("1")
        board.giveUp("1")
        #expect(try board.state(of: "1") == nil)
        #expect(throws: Never.self) { try board.begin("1") }
    }

    @Test func worksOnSoManyAtATime() throws {
        for number in 0..<CommitmentBoard.workingLimit { try board.begin("\(number)") }
        #expect(throws: Problem.self) { try board.begin("more") }
        board.giveUp("0")
        #expect(throws: Never.self) { try board.begin("more") }
    }

    @Test func keepsTheNewestResults() throws {
        for number in 0...CommitmentBoard.resultLimit {
            try board.begin("\(number)")
            try board.end("\(number)", institution: "North", result)
        }
        #expect(try board.state(of: "0") == nil)
        #expect(try board.state(of: "1") != nil)
        #expect(try board.state(of: "\(CommitmentBoard.resultLimit)") != nil)
    }

    @Test func letsNobodyReadTheFileWithoutItsKey() throws {
        try board.begin("1.2.3.4.5")
        try board.end("1.2.3.4.5", institution: "North", result)
        try board.close()
        for name in try FileManager.default.contentsOfDirectory(atPath: directory) {
            let bytes = FileManager.default.contents(atPath: directory + "/" + name) ?? Data()
            #expect(bytes.range(of: Data("1.2.3.4.5".utf8)) == nil, "\(name)")
        }
    }

    @Test func readsAsManyReferencesAsItMay() {
        func request(_ count: Int) -> Dataset {
            let reference = CommitmentBoard.Reference(sopClassUID: "1.2", sopInstanceUID: "1.3")
            var request = Dataset()
            request.set(.referencedSOPSequence, items: [Dataset](repeating: reference.item, count: count))
            return request
        }
        #expect(CommitmentBoard.references(of: request(0)) == nil)
        #expect(
            CommitmentBoard.references(of: request(CommitmentBoard.referenceLimit))?.count
                == CommitmentBoard.referenceLimit)
        #expect(CommitmentBoard.references(of: request(CommitmentBoard.referenceLimit + 1)) == nil)
        var broken = request(1)
        var item = Dataset()
        item.set(.referencedSOPClassUID, .UI, string: "1.2")
        broken.set(.referencedSOPSequence, items: [item])
        #expect(CommitmentBoard.references(of: broken) == nil)
    }
}
