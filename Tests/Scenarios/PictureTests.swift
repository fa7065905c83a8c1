import Foundation
import Testing

/// What `pictures.py` reports.
private struct PictureReport: Decodable {
    var problems: [String]
    var pictures: Int
    var made: Int
    var parts: Int
    var refused: Int
    var worst: Double
}

/// What `drawnpictures.py` reports.
private struct DrawnReport: Decodable {
    var problems: [String]
    var moving: Int
    var drawn: Int
    var converted: Int
}

/// What `movies.py` reports.
private struct MovieReport: Decodable {
    var problems: [String]
    var cines: Int
    var shapes: Int
    var choices: Int
    var failures: Int
}

/// What `annotatedpictures.py` reports.
private struct AnnotatedReport: Decodable {
    var problems: [String]
    var written: Int
    var read: Int
    var refused: Int
}

/// Pictures by the web door, against pydicom and numpy.
@Suite(.scenarioFirst, .serialized, .timeLimit(.minutes(30))) struct PictureTests {
    @Test func showsImagesAsOthersComputeThem() throws {
        let huizhen = try HuizhenProcess(arguments: [])
        let report = try Python.ask(
            "pictures.py", ["\(huizhen.webPort)", Images.phantoms],
            environment: ["HUIZHEN_WEB_TOKEN": huizhen.webToken()], as: PictureReport.self)
        #expect(report.problems == [])
        #expect(report.pictures > 120)
        #expect(report.made > 30)
        #expect(report.parts > 30)
        #expect(report.refused > 90)
        let log = huizhen.logText()
        #expect(!log.contains("2.25."))
        #expect(!log.contains("1.2.826"))
    }

    @Test func movesDrawsOverlaysAndConvertsColors() throws {
        let huizhen = try HuizhenProcess(arguments: [])
        let report = try Python.ask(
            "drawnpictures.py", ["\(huizhen.webPort)", Images.phantoms],
            environment: ["HUIZHEN_WEB_TOKEN": huizhen.webToken()], as: DrawnReport.self)
        #expect(report.problems == [])
        #expect(report.moving >= 9)
        #expect(report.drawn >= 15)
        #expect(report.converted >= 10)
    }

    @Test func makesVideosThatOthersPlay() throws {
        let huizhen = try HuizhenProcess(arguments: [])
        let report = try Python.ask(
            "movies.py", ["\(huizhen.webPort)", Images.phantoms, "\(huizhen.processID)"],
            environment: ["HUIZHEN_WEB_TOKEN": huizhen.webToken()], timeout: 900, as: MovieReport.self)
        #expect(report.problems == [])
        #expect(report.cines >= 18)
        #expect(report.shapes >= 11)
        #expect(report.choices >= 19)
        #expect(report.failures == 6)
        let log = huizhen.logText()
        #expect(!log.contains("2.25.") && !log.contains("1.2.826"))
    }

    @Test func writesIntoPicturesWhoIsShownAndHow() throws {
        let huizhen = try HuizhenProcess(arguments: [])
        let report = try Python.ask(
            "annotatedpictures.py",
            ["\(huizhen.webPort)", Images.phantoms, HuizhenProcess.binary, huizhen.directory],
            environment: ["HUIZHEN_WEB_TOKEN": huizhen.webToken()], as: AnnotatedReport.self)
        #expect(report.problems == [])
        #expect(report.written >= 20)
        #expect(report.read >= 40)
        #expect(report.refused >= 19)
        let log = huizhen.logText()
        #expect(!log.contains("张") && !log.contains("Zhang"))
    }
}
