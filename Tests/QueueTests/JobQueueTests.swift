import Foundation
import Keys
import Synchronization
import Testing

@testable import Queue

/// A queue in a directory of its own, and what its handlers were asked.
private final class QueueFixture: @unchecked Sendable {
    // `queue` changes in `reopen` only, which no test calls beside other threads.

    let directory: String
    let key: SymmetricKey
    let settings: QueueSettings
    private(set) var queue: JobQueue
    private let seen = Mutex<[String]>([])
    let condition = NSCondition()

    static var quick: QueueSettings {
        var settings = QueueSettings()
        settings.firstRetry = .zero
        settings.longestRetry = .zero
        return settings
    }

    init(_ settings: QueueSettings = quick) throws {
        directory = FileManager.default.temporaryDirectory.path + "/huizhen-queue-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        key = try SymmetricKey.random()
        self.settings = settings
        queue = try JobQueue(path: directory + "/queue.sqlite", key: key, settings: settings)
    }

    deinit {
        try? queue.close()
        try? FileManager.default.removeItem(atPath: directory)
    }

    func reopen() throws {
        try queue.close()
        try open()
    }

    /// After it was closed.
    func open() throws {
        queue = try JobQueue(path: directory + "/queue.sqlite", key: key, settings: settings)
    }

    /// Handles a kind and starts; `body` answers, after the job was noted.
    func start(_ kind: String = "send", _ body: @escaping @Sendable (JobRun) -> JobOutcome) {
        queue.handle(kind) { [self] run in
            let outcome = body(run)
            condition.lock()
            seen.withLock { $0.append(String(decoding: run.payload, as: UTF8.self)) }
            condition.broadcast()
            condition.unlock()
            return outcome
        }
        queue.start()
    }

    var handled: [String] { seen.withLock { $0 } }

    /// Waits until jobs stand as `isSo` wants them, looking whenever a handler has ended.
    func wait(_ isSo: ([Job.State: Int]) -> Bool) throws {
        let end = Date(timeIntervalSinceNow: 30)
        while true {
            let counts = try queue.counts()
            if isSo(counts) { return }
            condition.lock()
            _ = condition.wait(until: Date(timeIntervalSinceNow: 0.02))
            condition.unlock()
            try #require(Date() < end, "still \(counts)")
        }
    }
}

private func job(_ text: String, lane: String = "A", priority: Int = 5, kind: String = "send") -> NewJob {
    NewJob(kind: kind, lane: lane, priority: priority, remaining: 1, payload: Array(text.utf8))
}

struct JobQueueTests {
    @Test func doesWhatWasPutInBeforeAndAfterItStarts() throws {
        let fixture = try QueueFixture()
        try fixture.queue.add([job("first")])
        fixture.start { _ in .done }
        try fixture.queue.add([job("second"), job("third", lane: "B")])
        try fixture.wait { $0[.done] == 3 }
        #expect(fixture.handled.sorted() == ["first", "second", "third"])
    }

    @Test func doesHigherPriorityFirstAndElseInOrder() throws {
        let fixture = try QueueFixture()
        try fixture.queue.add([job("a"), job("b"), job("urgent", priority: 9), job("c"), job("late", priority: 1)])
        fixture.start { _ in .done }
        try fixture.wait { $0[.done] == 5 }
        #expect(fixture.handled == ["urgent", "a", "b", "c", "late"])
    }

    @Test func triesAFailedJobAgainUntilItsBound() throws {
        var settings = QueueFixture.quick
        settings.attemptLimit = 3
        let fixture = try QueueFixture(settings)
        let ids = try fixture.queue.add([job("bad"), job("good")])
        fixture.start { run in run.payload == Array("bad".utf8) ? .failed("0xA900") : .done }
        try fixture.wait { $0[.done] == 1 && $0[.dead] == 1 }
        #expect(fixture.handled.count { $0 == "bad" } == 3)
        let dead = try fixture.queue.list([.dead], limit: 10)
        #expect(dead.map(\.id) == [ids[0]] && dead[0].reason == "0xA900" && dead[0].attempts == 3)
        try fixture.queue.retry(ids[0])
        try fixture.wait { $0[.dead] == 1 && fixture.handled.count { $0 == "bad" } == 6 }
    }

    @Test func givesUpWhatCannotSucceedAtOnce() throws {
        let fixture = try QueueFixture()
        try fixture.queue.add([job("x"), job("y", kind: "unheard")])
        fixture.start { _ in .hopeless("gone") }
        try fixture.wait { $0[.dead] == 2 }
        #expect(fixture.handled == ["x"])
    }

    @Test func keepsALaneInOrderWhileItIsUnavailableAndServesOthers() throws {
        let fixture = try QueueFixture()
        let isUp = Atomic<Bool>(false)
        try fixture.queue.add([job("1"), job("2"), job("other", lane: "B")])
        fixture.start { run in
            run.job.lane == "A" && !isUp.load(ordering: .acquiring) ? .unavailable("connection refused") : .done
        }
        try fixture.wait { counts in
            let waiting = (try? fixture.queue.list([.waiting], limit: 10)) ?? []
            return counts[.done] == 1 && waiting.contains { $0.reason == "connection refused" }
        }
        #expect(fixture.handled.contains("other") && !fixture.handled.contains("2"))
        isUp.store(true, ordering: .releasing)
        try fixture.wait { $0[.done] == 3 }
        #expect(fixture.handled.suffix(2) == ["1", "2"])
    }

    @Test func losesPatienceWithALaneThatStaysUnavailable() throws {
        var settings = QueueFixture.quick
        settings.patience = .seconds(-1)
        let fixture = try QueueFixture(settings)
        try fixture.queue.add([job("1"), job("2")])
        fixture.start { _ in .unavailable("no route") }
        try fixture.wait { $0[.dead] == 2 }
        #expect(try fixture.queue.list([.dead], limit: 10).allSatisfy { $0.reason == "no route" })
    }

    /// A queue in whose file a job has lain for ten days, which is more than `patience`.
    private func fixtureWithAnOldJob() throws -> QueueFixture {
        let fixture = try QueueFixture()
        try fixture.queue.close()
        let table = try JobTable(path: fixture.directory + "/queue.sqlite", key: fixture.key)
        let tenDaysAgo = Int64(Date().timeIntervalSince1970 * 1000) - 10 * 86_400_000
        _ = try table.add([job("old"), job("old too")], marks: [:], at: tenDaysAgo, settings: fixture.settings)
        try table.close()
        try fixture.open()
        return fixture
    }

    @Test func doesNotCountTheAgeOfAJobAsTimeWithoutAnAnswer() throws {
        let fixture = try fixtureWithAnOldJob()
        let tries = Atomic<Int>(0)
        fixture.start { _ in
            tries.wrappingAdd(1, ordering: .relaxed).newValue == 1 ? .unavailable("the line was cut") : .done
        }
        try fixture.wait { $0[.done] == 2 }
        #expect(try fixture.queue.counts()[.dead] == 0)
        #expect(fixture.handled == ["old", "old", "old too"])
    }

    @Test func countsHowLongALaneWasUnavailableUntilAnythingIsAchieved() throws {
        let directory = FileManager.default.temporaryDirectory.path + "/huizhen-queue-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let table = try JobTable(path: directory + "/queue.sqlite", key: SymmetricKey.random())
        let settings = QueueSettings()
        let patience: Int64 = 1000
        let ids = try table.add([job("1"), job("2")], marks: [:], at: 0, settings: settings)
        let first = try #require(try table.job(ids[0]))
        func dead() throws -> [Int64] { try table.jobs(in: [.dead], limit: 10).map(\.id) }
        func fail(at time: Int64) throws { try table.noteUnavailable(first, patience: patience, reason: "x", at: time) }
        // Each way in which the time begins anew: at the bound nothing is dead, and it would be one past it.
        let ways: [(Int64) throws -> Void] = [
            { _ in },
            { try table.keep(first, payload: [1], remaining: 1, at: $0) },
            { _ in try table.isServed(first.lane) },
            { _ in
                try table.setPaused(first.lane, true)
                try table.setPaused(first.lane, false)
            },
            { time in
                for id in ids {
                    try table.set(
                        id, state: .waiting, attempts: 0, dueAt: time, reason: "", at: time, endedLimit: 10)
                }
            },
        ]
        var now: Int64 = 10_000_000
        for way in ways {
            try way(now)
            try fail(at: now)
            now += patience
            try fail(at: now)
            #expect(try dead().isEmpty)
        }
        // Time in which nothing ran is none.
        now += 50 * patience
        try table.begin(at: now)
        try fail(at: now)
        #expect(try dead().isEmpty)
        // What is put in meanwhile, and what is to wait for its own time, has its own.
        let young = try table.add([job("3")], marks: [:], at: now, settings: settings)
        let later = NewJob(kind: "send", lane: "A", remaining: 1, delay: .seconds(9000), keepsDelay: true, payload: [])
        let waits = try table.add([later], marks: [:], at: now, settings: settings)
        try fail(at: now + 1)
        #expect(try dead() == Array(ids.reversed()))
        try fail(at: now + 1 + patience)
        #expect(try dead() == Array(ids.reversed()))
        try fail(at: now + 2 + patience)
        #expect(try dead() == young + Array(ids.reversed()))
        #expect(try table.jobs(in: [.waiting], limit: 10).map(\.id) == waits)
        try table.close()
    }

    @Test func saysWhereJobsHaveDiedOnceThatIsWrittenDown() throws {
        let fixture = try QueueFixture()
        let told = Mutex<[String]>([])
        fixture.queue.whenDead { [queue = fixture.queue] lane in
            let state = (try? queue.lastJob(in: lane))??.state
            told.withLock { $0.append("\(lane) \(state?.rawValue ?? "?")") }
        }
        try fixture.queue.add([job("good", lane: "A 1"), job("bad", lane: "B 1"), job("worse", lane: "B 2")])
        fixture.start { $0.job.lane == "A 1" ? .done : .hopeless("gone") }
        try fixture.wait { $0[.done] == 1 && told.withLock { $0.count } == 2 }
        #expect(told.withLock { $0.sorted() } == ["B 1 dead", "B 2 dead"])
        #expect(
            try fixture.queue.standing() == [.init(destination: "B", state: .dead, isPaused: false, count: 2)])
    }

    @Test func countsWhatStandsByDestination() throws {
        let fixture = try QueueFixture()
        let began = DispatchSemaphore(value: 0)
        try fixture.queue.setPaused(lane: "A 2", true)
        try fixture.queue.add([job("1", lane: "A 1"), job("2", lane: "A 1"), job("3", lane: "A 2")])
        fixture.start { run in
            began.signal()
            while !run.shouldStop { usleep(1000) }
            return .interrupted
        }
        began.wait()
        let standing = try fixture.queue.standing()
        #expect(standing.allSatisfy { $0.destination == "A" })
        #expect(standing.first { $0.state == .running }?.count == 1)
        #expect(standing.filter { $0.state == .waiting && !$0.isPaused }.map(\.count) == [1])
        #expect(standing.filter { $0.state == .waiting && $0.isPaused }.map(\.count) == [1])
    }

    @Test func leavesAsItIsWhatEndedWhileItRan() throws {
        let fixture = try QueueFixture()
        let id = try #require(try fixture.queue.add([job("reported"), job("next")]).first)
        // By other means, as a report of storage commitment that its requester heard meanwhile.
        fixture.start { [queue = fixture.queue] run in
            guard run.job.id == id else { return .done }
            try? queue.complete(id)
            return .failed("too late")
        }
        try fixture.wait { $0[.done] == 2 }
        #expect(fixture.handled == ["reported", "next"])
    }

    @Test func givesUpWhatIsNotWhatWasPutInAndServesTheRest() throws {
        let fixture = try QueueFixture()
        let told = Mutex<[String]>([])
        let id = try #require(try fixture.queue.add([job("damaged"), job("next")]).first)
        try fixture.queue.close()
        let table = try JobTable(path: fixture.directory + "/queue.sqlite", key: fixture.key)
        // What it carried goes with its end, and it is no end.
        for state in [Job.State.done, .waiting] {
            try table.set(id, state: state, attempts: 0, dueAt: 0, reason: "", at: 1, endedLimit: 10)
        }
        try table.close()
        try fixture.open()
        fixture.queue.whenDead { lane in told.withLock { $0.append(lane) } }
        fixture.start { _ in .done }
        try fixture.wait { $0[.done] == 1 && told.withLock { $0.count } == 1 }
        #expect(fixture.handled == ["next"] && told.withLock { $0 } == ["A"])
        #expect(try fixture.queue.list([.dead], limit: 2).map(\.id) == [id])
    }

    @Test func findsItsJobsAfterARestartAlsoTheOneThatRan() throws {
        let fixture = try QueueFixture()
        try fixture.queue.add([job("1"), job("2")], marks: ["feed": [7]])
        let began = DispatchSemaphore(value: 0)
        fixture.start { run in
            began.signal()
            while !run.shouldStop { usleep(1000) }
            return .interrupted
        }
        began.wait()
        #expect(try fixture.queue.list([.running], limit: 10).count == 1)
        try fixture.reopen()
        #expect(try fixture.queue.counts()[.waiting] == 2)
        #expect(try fixture.queue.mark("feed") == [7] && fixture.queue.mark("other") == nil)
        fixture.start { _ in .done }
        try fixture.wait { $0[.done] == 2 }
    }

    @Test func beginsALaterTryWhereTheLastOneWas() throws {
        var settings = QueueFixture.quick
        settings.attemptLimit = 2
        let fixture = try QueueFixture(settings)
        try fixture.queue.add([job("4")])
        fixture.start { run in
            let left = Int(String(decoding: run.payload, as: UTF8.self)) ?? 0
            guard left > 0 else { return .done }
            do { try run.save(payload: Array("\(left - 1)".utf8), remaining: left - 1) } catch { return .hopeless("") }
            return .failed("one at a time")
        }
        try fixture.wait { $0[.done] == 1 }
        #expect(fixture.handled == ["4", "3", "2", "1", "0"])
    }

    @Test func servesTheMostUrgentLaneFirstAndNoDestinationAlone() throws {
        var settings = QueueFixture.quick
        settings.laneLimit = 2
        let fixture = try QueueFixture(settings)
        try fixture.queue.add([
            job("a1", lane: "A 1"), job("a2", lane: "A 2"), job("a3", lane: "A 3"), job("b", lane: "B 1"),
            job("urgent", lane: "C 1", priority: 9),
        ])
        fixture.start { run in
            // The first one holds its place until the others are through.
            if run.payload == Array("a1".utf8) { while fixture.handled.count < 4 { usleep(1000) } }
            return .done
        }
        try fixture.wait { $0[.done] == 5 }
        #expect(fixture.handled == ["urgent", "b", "a2", "a3", "a1"])
    }

    @Test func givesWayToWhatIsMoreUrgent() throws {
        var settings = QueueFixture.quick
        settings.laneLimit = 1
        settings.givesWay = true
        let fixture = try QueueFixture(settings)
        try fixture.queue.add([job("slow", lane: "A 1", priority: 5)])
        let began = DispatchSemaphore(value: 0)
        fixture.start { run in
            guard run.payload == Array("slow".utf8), !fixture.handled.contains("urgent") else { return .done }
            began.signal()
            while !run.shouldStop { usleep(1000) }
            return .interrupted
        }
        began.wait()
        // As urgent is not urgent enough.
        try fixture.queue.add([job("equal", lane: "A 2", priority: 5)])
        try fixture.queue.add([job("urgent", lane: "B 1", priority: 6)])
        try fixture.wait { $0[.done] == 3 }
        #expect(fixture.handled.prefix(2) == ["slow", "urgent"])
    }

    @Test func keepsADelayThatWasAskedForThroughARestart() throws {
        let fixture = try QueueFixture()
        func later(_ text: String, lane: String, _ keepsDelay: Bool) -> NewJob {
            NewJob(
                kind: "send", lane: lane, remaining: 1, delay: .seconds(3600), keepsDelay: keepsDelay,
                payload: Array(text.utf8))
        }
        let ids = try fixture.queue.add([later("kept", lane: "A", true), later("ended", lane: "B", false)])
        fixture.start { _ in .done }
        try fixture.wait { $0[.done] == 1 }
        #expect(fixture.handled == ["ended"])
        try fixture.reopen()
        fixture.start { _ in .done }
        #expect(try fixture.queue.counts()[.waiting] == 1)
        try fixture.queue.retry(ids[0])
        try fixture.wait { $0[.done] == 2 }
    }

    @Test func pausesAndResumesALane() throws {
        let fixture = try QueueFixture()
        try fixture.queue.setPaused(lane: "A", true)
        try fixture.queue.add([job("1"), job("2", lane: "B")])
        fixture.start { _ in .done }
        try fixture.wait { $0[.done] == 1 }
        #expect(fixture.handled == ["2"])
        #expect(try fixture.queue.pausedLanes() == ["A"])
        try fixture.queue.setPaused(lane: "A", false)
        try fixture.wait { $0[.done] == 2 }
    }

    @Test func cancelsAWaitingARunningAndADeadJob() throws {
        let fixture = try QueueFixture()
        let ids = try fixture.queue.add([job("runs"), job("waits"), job("dies", lane: "B")])
        let began = DispatchSemaphore(value: 0)
        fixture.start { run in
            if run.job.lane == "B" { return .hopeless("") }
            began.signal()
            while !run.shouldStop { usleep(1000) }
            return .interrupted
        }
        began.wait()
        try fixture.wait { $0[.dead] == 1 }
        for id in [ids[1], ids[2], ids[0]] { try fixture.queue.cancel(id) }
        try fixture.wait { $0[.cancelled] == 3 }
        #expect(throws: QueueError.notPossible(ids[0], .cancelled)) { try fixture.queue.cancel(ids[0]) }
        #expect(throws: QueueError.unknownJob(99)) { try fixture.queue.retry(99) }
    }

    @Test func refusesOneJobPastItsBoundsAndKeepsNoneOfThatCall() throws {
        var settings = QueueFixture.quick
        settings.jobLimit = 2
        settings.payloadLimit = 4
        let fixture = try QueueFixture(settings)
        #expect(throws: QueueError.full(limit: 2)) { try fixture.queue.add([job("1"), job("2"), job("3")]) }
        #expect(throws: QueueError.tooLarge(limit: 4)) { try fixture.queue.add([job("12345")]) }
        #expect(try fixture.queue.counts()[.waiting] == 0)
        try fixture.queue.add([job("1234"), job("2")])
        #expect(try fixture.queue.counts()[.waiting] == 2)
    }

    @Test func keepsOnlySoManyEndedJobs() throws {
        var settings = QueueFixture.quick
        settings.endedLimit = 3
        let fixture = try QueueFixture(settings)
        try fixture.queue.add((1...8).map { job("\($0)") })
        fixture.start { _ in .done }
        try fixture.wait { $0[.waiting] == 0 && $0[.running] == 0 && $0[.done] == 3 }
        #expect(try fixture.queue.list([.done], limit: 10).map(\.id) == [8, 7, 6])
    }

    @Test func writesNothingOfAJobInClearAndOpensNoneThatWasAltered() throws {
        let fixture = try QueueFixture()
        try fixture.queue.add([job("WANG^XIAODONG")])
        try fixture.queue.close()
        let file = fixture.directory + "/queue.sqlite"
        let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: file)))
        #expect(bytes.firstRange(of: Array("WANG".utf8)) == nil)
        let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let seal = try PayloadSeal(fixture.key)
        var sealed = try seal.seal([1, 2, 3], for: "send")
        #expect(try seal.open(sealed, of: "send") == [1, 2, 3])
        #expect(throws: KeyError.refused) { try seal.open(sealed, of: "other") }
        sealed[14] ^= 1
        #expect(throws: KeyError.refused) { try seal.open(sealed, of: "send") }
        #expect(throws: KeyError.refused) { try seal.open(Array(sealed.prefix(10)), of: "send") }
    }

    @Test(arguments: [(1, 5.0), (2, 10), (3, 20), (8, 640), (9, 900), (40, 900)])
    func waitsLongerAfterEachFailureUpToItsBound(_ failures: Int, _ seconds: Double) {
        let settings = QueueSettings()
        #expect(settings.delay(after: failures) == .seconds(seconds))
        for _ in 0..<50 {
            let jittered = Double(settings.jitteredMilliseconds(after: failures))
            #expect(jittered >= seconds * 799 && jittered <= seconds * 1201)
        }
    }
}
