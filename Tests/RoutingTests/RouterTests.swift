import Archive
import Catalog
import DICOM
import Foundation
import Keys
import Logging
import Queue
import Synchronization
import Testing

@testable import Routing

/// What is granted, as a test says; nothing at first.
private final class TestGrants: GrantedStudies {
    struct State {
        var version: UInt64 = 1
        var studies: [String: Set<String>] = [:]
        var grantedAt: Int64?
    }

    private let state = Mutex(State())

    func set(_ change: @Sendable (inout State) -> Void) {
        state.withLock { state in
            state.version += 1
            change(&state)
        }
    }

    var version: UInt64 { state.withLock { $0.version } }

    func studies(for route: Route, to destination: String) -> [String: Set<String>] { state.withLock { $0.studies } }

    func grantedAt(_ study: String, for route: Route, to destination: String) -> Int64? {
        state.withLock { $0.grantedAt }
    }
}

/// A router that takes its steps when it is told to.
private final class RouterFixture {
    let directory: String
    let archive: Archive
    let routes: RouteTable
    let queue: JobQueue
    let granted = TestGrants()
    let router: Router

    init() throws {
        directory = FileManager.default.temporaryDirectory.path + "/huizhen-router-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        var settings = Archive.Settings()
        settings.studyQuietTime = .seconds(3600)
        settings.blobs.packByteCount = 1 << 20
        settings.blobs.reserveByteCount = 0
        settings.blobs.preparedLaneCount = 0
        settings.blobs.firstPrewriteByteCount = 0
        settings.blobs.prewriteByteCount = 0
        archive = try Archive(
            directory: directory, masterKey: .file(path: directory + "/keys/master.key"), settings: settings)
        routes = try RouteTable(path: directory + "/routes.sqlite", key: archive.systemKey(purpose: "routes"))
        queue = try JobQueue(path: directory + "/queue.sqlite", key: archive.systemKey(purpose: "queue"))
        router = Router(
            archive: archive, routes: routes, queue: queue, granted: granted, logger: Logger(label: "test"))
    }

    deinit {
        try? queue.close()
        try? routes.close()
        try? archive.close()
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Stores a study of one image, complete.
    func store(_ study: String) throws {
        var image = Dataset()
        image.set(.sopClassUID, .UI, string: "1.2.840.10008.5.1.4.1.1.7")
        image.set(.sopInstanceUID, .UI, string: study + ".1.1")
        image.set(.studyInstanceUID, .UI, string: study)
        image.set(.seriesInstanceUID, .UI, string: study + ".1")
        image.set(.patientID, .LO, string: "1001")
        image.set(.modality, .CS, string: "OT")
        let incoming = try archive.receive(
            from: Sender(peer: "CT1", institution: "North", door: "dimse"), by: archive.arrival(),
            defaultIssuer: "NORTH", transferSyntax: .explicitVRLittleEndian, expectedClass: nil, expectedUID: nil)
        try image.encoded(transferSyntax: .explicitVRLittleEndian).withUnsafeBytes { try incoming.append($0) }
        #expect(try incoming.finish() == .stored)
        // The catalogue has it from here on.
        #expect(try archive.catalog.conflicts().isEmpty)
        #expect(try archive.catalog.completeStudies(quietSince: .max, at: 1) == 1)
    }

    /// Builds the catalogue anew; every study of it is complete before the router is there.
    func rebuild() throws {
        _ = try archive.reindex { _, _ in }
        try archive.catalog.completeStudies(quietSince: .max, at: 2)
    }

    /// Instance numbers that jobs were made of, by job.
    func sent(jobs count: Int) throws -> [[UInt64]] {
        let seen = Seen()
        queue.handle(ForwardWork.kind) { run in
            guard let work = try? JSONDecoder().decode(ForwardWork.self, from: Data(run.payload)) else {
                return .hopeless("")
            }
            seen.note(work.sequences)
            return .done
        }
        queue.start()
        let end = Date(timeIntervalSinceNow: 60)
        while seen.all.count < count, Date() < end { usleep(1000) }
        return seen.all
    }

    /// Has the router do all that there is. Returns how many jobs there are then.
    func run() throws -> Int {
        while try router.step(archive.catalog) {}
        return try queue.list([.waiting], limit: 100).count
    }
}

/// What jobs carried.
private final class Seen: Sendable {
    private let values = Mutex<[[UInt64]]>([])

    var all: [[UInt64]] { values.withLock { $0 } }

    func note(_ sequences: [UInt64]) { values.withLock { $0.append(sequences) } }
}

struct RouterTests {
    @Test func sendsAStudyThatSeveralGrantsCoverTogetherOnceTheLastOfThemIsThere() throws {
        let fixture = try RouterFixture()
        try fixture.routes.add(Route(name: "board", event: .consultation, destinations: ["B"]))
        #expect(try fixture.run() == 0)
        try fixture.store("1.2.1")
        #expect(try fixture.run() == 0)
        // Of what one institution sent of it.
        fixture.granted.set { $0.studies = ["one": ["1.2.1"]] }
        #expect(try fixture.run() == 0)
        // And of all that the other has ever sent, which names no study.
        fixture.granted.set { $0.grantedAt = 1000 }
        #expect(try fixture.run() == 1)
        // Once.
        fixture.granted.set { $0.studies["other"] = ["1.2.2"] }
        #expect(try fixture.run() == 1)
    }

    @Test func sendsOnCompletionWhatCameAfterTheRouteThroughAFeedThatBeginsAnew() throws {
        let fixture = try RouterFixture()
        #expect(try fixture.run() == 0)
        try fixture.store("1.2.1")
        #expect(try fixture.run() == 0)
        try fixture.routes.add(Route(name: "night", event: .completion, destinations: ["B"]))
        #expect(try fixture.run() == 0)
        try fixture.store("1.2.2")
        #expect(try fixture.run() == 1)
        // Stored, and complete in the new catalogue before the router is there.
        try fixture.store("1.2.3")
        try fixture.rebuild()
        #expect(try fixture.run() == 2)
        // And all that is complete anew afterwards.
        try fixture.rebuild()
        #expect(try fixture.run() == 2)
        let held = try fixture.archive.catalog.arrived(inStudy: nil, after: 0, limit: 10).map(\.sequence)
        #expect(try fixture.sent(jobs: 2) == held.suffix(2).map { [$0] })
    }

    @Test func sendsNothingThatWasThereOfAnArchiveThatItMeetsForTheFirstTime() throws {
        let fixture = try RouterFixture()
        try fixture.store("1.2.1")
        try fixture.routes.add(Route(name: "night", event: .completion, destinations: ["B"]))
        #expect(try fixture.run() == 0)
        try fixture.rebuild()
        #expect(try fixture.run() == 0)
        try fixture.store("1.2.2")
        #expect(try fixture.run() == 1)
    }

    @Test func beginsAnewWithARouteThatWasAway() throws {
        let fixture = try RouterFixture()
        let route = Route(name: "night", event: .completion, destinations: ["B"])
        #expect(try fixture.run() == 0)
        try fixture.routes.add(route)
        #expect(try fixture.run() == 0)
        try fixture.routes.remove("night")
        try fixture.store("1.2.1")
        #expect(try fixture.run() == 0)
        try fixture.routes.add(route)
        #expect(try fixture.run() == 0)
        try fixture.rebuild()
        #expect(try fixture.run() == 0)
    }
}
