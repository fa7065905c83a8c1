import Foundation
import Keys
import Testing

@testable import Catalog
@testable import Routing

private func arrived(
    _ sequence: UInt64 = 1, from: String = "CT1", modality: String = "CT", study: String = "Thorax nativ",
    series: String = "", station: String = "ROOM 1"
) -> Arrived {
    Arrived(
        sequence: sequence, callingAETitle: from, modality: modality, studyDescription: study,
        seriesDescription: series, stationName: station)
}

struct RouteTests {
    @Test func matchesEverythingUnlessItIsNarrowed() {
        #expect(Route(name: "r", event: .arrival, destinations: ["PACS"]).matches(arrived()))
    }

    @Test(arguments: [
        (Route(name: "r", event: .arrival, callingAETitles: ["CT1", "CT2"], destinations: ["P"]), true),
        (Route(name: "r", event: .arrival, callingAETitles: ["CT2"], destinations: ["P"]), false),
        (Route(name: "r", event: .arrival, modalities: ["CT", "MR"], destinations: ["P"]), true),
        (Route(name: "r", event: .arrival, modalities: ["MR"], destinations: ["P"]), false),
        (Route(name: "r", event: .arrival, description: "thorax*", destinations: ["P"]), true),
        (Route(name: "r", event: .arrival, description: "thorax", destinations: ["P"]), false),
        (Route(name: "r", event: .arrival, station: "ROOM ?", destinations: ["P"]), true),
        (Route(name: "r", event: .arrival, station: "ROOM ??", destinations: ["P"]), false),
        (
            Route(
                name: "r", event: .arrival, callingAETitles: ["CT1"], modalities: ["MR"], description: "*",
                destinations: ["P"]), false
        ),
    ])
    func holdsEveryConditionAtOnce(_ route: Route, _ isMatch: Bool) {
        #expect(route.matches(arrived()) == isMatch)
    }

    @Test func looksAtTheSeriesDescriptionToo() {
        let route = Route(name: "r", event: .arrival, description: "*肺*", destinations: ["P"])
        #expect(route.matches(arrived(series: "平扫肺窗")) && !route.matches(arrived(series: "骨窗")))
    }

    @Test func saysWhatIsWrongWithARoute() {
        let long = String(repeating: "r", count: 65)
        let faulty = [
            Route(name: "", event: .arrival, destinations: ["P"]),
            Route(name: long, event: .arrival, destinations: ["P"]),
            Route(name: "r", event: .arrival, destinations: []),
            Route(name: "r", event: .arrival, destinations: (0...32).map { "P\($0)" }),
            Route(name: "r", event: .arrival, destinations: ["SEVENTEEN LETTERS"]),
            Route(name: "r", event: .arrival, callingAETitles: ["A\\B"], destinations: ["P"]),
            Route(name: "r", event: .arrival, destinations: ["P"], priority: 10),
        ]
        for route in faulty { #expect(route.fault != nil) }
        let whole = Route(
            name: String(long.dropLast()), event: .completion, destinations: (0..<32).map { "P\($0)" }, priority: 9)
        #expect(whole.fault == nil)
    }
}

struct RoutePlanTests {
    @Test func makesOneJobForEachWayAndSendsNothingBack() throws {
        var plan = RoutePlan(routes: [
            Route(name: "a", event: .arrival, modalities: ["CT"], destinations: ["PACS", "CT1"]),
            Route(name: "b", event: .arrival, destinations: ["PACS"], priority: 8),
            Route(name: "c", event: .completion, destinations: ["PACS"]),
        ])
        plan.arrived(arrived(1))
        plan.arrived(arrived(2, from: "MR1", modality: "MR"))
        plan.arrived(arrived(3))
        let jobs = try plan.jobs(instanceLimit: 100)
        let works = try jobs.map { try JSONDecoder().decode(ForwardWork.self, from: Data($0.payload)) }
        #expect(
            works == [
                ForwardWork(route: "a", destination: "PACS", sequences: [1, 3]),
                ForwardWork(route: "b", destination: "PACS", sequences: [1, 2, 3]),
            ])
        #expect(
            jobs.map(\.lane) == ["PACS", "PACS"] && jobs.map(\.remaining) == [2, 3] && jobs.map(\.priority) == [5, 8])
    }

    @Test func cutsManyInstancesIntoJobsOfItsBound() throws {
        var plan = RoutePlan(routes: [Route(name: "a", event: .arrival, destinations: ["PACS"])])
        for sequence in 1...7 { plan.arrived(arrived(UInt64(sequence))) }
        #expect(try plan.jobs(instanceLimit: 3).map(\.remaining) == [3, 3, 1])
    }

    @Test func keepsItsPositionAsBytes() {
        let position = RoutePosition(catalogue: -5, change: 1 << 40, sequence: .max)
        #expect(RoutePosition(position.bytes) == position)
        #expect(RoutePosition(Array(position.bytes.dropLast())) == nil)
    }

    @Test func keepsRoutesAcrossARestart() throws {
        let directory = FileManager.default.temporaryDirectory.path + "/huizhen-routes-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let key = try SymmetricKey.random()
        var table = try RouteTable(path: directory + "/routes.sqlite", key: key)
        let route = Route(name: "夜间", event: .completion, description: "*胸*", destinations: ["PACS"])
        try table.add(route)
        try table.add(Route(name: "other", event: .arrival, destinations: ["PACS"]))
        try table.remove("other")
        #expect(throws: RouteTable.Failure.unknownRoute("other")) { try table.remove("other") }
        try table.close()
        table = try RouteTable(path: directory + "/routes.sqlite", key: key)
        #expect(table.list() == [route])
        try table.close()
    }
}
