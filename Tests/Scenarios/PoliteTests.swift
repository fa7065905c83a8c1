import Foundation
import Testing

/// pynetdicom, a peer that keeps the rules.
@Suite(.scenario, .timeLimit(.minutes(30))) struct PoliteTests {
    private func ask<Report: Decodable>(
        _ scenario: String, _ huizhen: HuizhenProcess, count: Int = 8, as type: Report.Type
    ) throws -> Report {
        try Python.ask(
            "polite.py",
            [
                scenario, "--port", "\(huizhen.port)", "--tool", HuizhenProcess.binary, "--data", huizhen.directory,
                "--count", "\(count)",
            ], as: type)
    }

    @Test func findsAtEveryLevelOfBothModels() throws {
        struct Report: Decodable {
            var stored: [Int]
            var levels: [String: [Int]]
            var keys: [String: Int]
        }
        let report = try ask("find_levels", HuizhenProcess(), as: Report.self)
        #expect(report.stored == Array(repeating: 0, count: 32))
        #expect(report.levels.count == 21)
        let expected = ["PATIENT": 2, "STUDY": 2, "SERIES": 2, "IMAGE": 4]
        for (name, result) in report.levels {
            let level = String(name.split(separator: " ")[1])
            #expect(result == [expected[level] ?? -1, 0], "\(name)")
        }
        let keys = [
            "universal": 4, "wildcard": 2, "question mark": 4, "case": 2, "list of UID": 2, "range": 4, "open range": 0,
            "modality": 4, "no modality": 0, "accession": 2, "nothing": 0, "series": 2, "instances": 8, "modalities": 2,
        ]
        #expect(report.keys == keys)
    }

    @Test func endsAFindBeyondItsLimitWithOutOfResources() throws {
        let huizhen = try HuizhenProcess(arguments: ["--open-to-unknown-peers", "--set", "dimse.find-limit=8"])
        // Eight are allowed; of thirty-two eight are sent, then 0xA700.
        #expect(try ask("find_limit", huizhen, as: [[Int]].self) == [[8, 0], [8, 0xA700]])
    }

    @Test func honoursCancelOfFindMoveAndGet() throws {
        struct Report: Decodable {
            var find: [Int]
            var move: [Int]
            var moveLeft: [Int]
            var get: [Int]
            var received: Int
        }
        let report = try ask("cancel", HuizhenProcess(), as: Report.self)
        // A find's matches may all be on their way when the cancellation comes.
        #expect([0, 0xFE00].contains(report.find.first ?? -1))
        #expect(report.move.first == 0xFE00)
        #expect(report.get.first == 0xFE00)
        #expect(report.moveLeft.last ?? 0 > 0)
        #expect(report.received < 64)
        for status in [report.find, report.move, report.get] {
            #expect(status.last == 0, "no echo after a cancellation")
        }
    }

    @Test func getsEverythingInTheSyntaxesItProposed() throws {
        struct Part: Decodable {
            var received: [String]
            var status: Int
            var failed: [String]
            var completed: Int
            var failures: Int
        }
        let report = try ask("get", HuizhenProcess(), as: [String: Part].self)
        #expect(report["both"]?.received == ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.70"])
        #expect(report["both"]?.status == 0)
        #expect(report["both"]?.completed == 2)
        // What is stored in a syntax that was not proposed is written anew.
        #expect(report["one"]?.received == ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1"])
        #expect(report["one"]?.status == 0)
        #expect(report["one"]?.failed == [])
        #expect(report["one"]?.completed == 2)
    }

    @Test func storesFromManyAssociationsAtOnce() throws {
        struct Report: Decodable {
            var statuses: [Int]
            var found: Int
        }
        let report = try ask("parallel", HuizhenProcess(), as: Report.self)
        #expect(report.statuses == Array(repeating: 0, count: 80))
        #expect(report.found == 80)
    }

    @Test func storesEveryStorageSOPClass() throws {
        struct Report: Decodable {
            var known: Int
            var refused: [String]
            var failed: [String]
        }
        let report = try ask("every_class", HuizhenProcess(), as: Report.self)
        #expect(report.known > 170)
        #expect(report.refused.isEmpty, "\(report.refused)")
        #expect(report.failed.isEmpty, "\(report.failed)")
    }

    @Test func takesUnknownSOPClassesOnlyWhenTheSettingSaysSo() throws {
        struct Report: Decodable {
            var accepted: Bool
            var status: Int
        }
        #expect(try !ask("unknown_class", HuizhenProcess(), as: Report.self).accepted)
        let open = try HuizhenProcess(arguments: ["--open-to-unknown-peers", "--set", "dimse.unknown-sop-classes=true"])
        let report = try ask("unknown_class", open, as: Report.self)
        #expect(report.accepted)
        #expect(report.status == 0)
    }

    @Test func keepsObjectsOfEveryTransferSyntaxThatHoldsItsPixels() throws {
        struct Report: Decodable {
            var known: Int
            var refused: [String]
            /// Stored with another status than success, by transfer syntax.
            var failed: [String: Int]
            var kept: Int
            var getStatus: Int
            /// Not given back in the same syntax with the same bytes.
            var different: [String]
        }
        let report = try ask("every_syntax", HuizhenProcess(), as: Report.self)
        #expect(report.known > 50)
        // JPIP: the data set holds a link to the pixels, so storing it would keep no image.
        let referenced = [
            "1.2.840.10008.1.2.4.204", "1.2.840.10008.1.2.4.205", "1.2.840.10008.1.2.4.94", "1.2.840.10008.1.2.4.95",
        ]
        #expect(report.refused == referenced)
        #expect(report.failed.isEmpty, "\(report.failed)")
        #expect(report.kept == report.known - referenced.count)
        #expect(report.getStatus == 0)
        #expect(report.different.isEmpty, "\(report.different)")
    }
}
