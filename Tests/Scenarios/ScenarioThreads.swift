import Foundation
import Synchronization
import Testing

/// Runs scenarios on threads of their own. They mostly wait for processes, and would keep the few threads that all
/// other tests share from computing.
final class ScenarioThreads: TaskExecutor {
    static let shared = ScenarioThreads(2 * ProcessInfo.processInfo.activeProcessorCount)

    private let waiting = Waiting()
    private let running: Turns

    /// - Parameter count: scenarios that run at a time, each of which can have a thread.
    private init(_ count: Int) {
        running = Turns(count)
        for number in 1...count {
            let thread = Thread { [waiting] in
                while true { waiting.next().runSynchronously(on: self.asUnownedTaskExecutor()) }
            }
            thread.name = "scenario \(number)"
            thread.start()
        }
    }

    func enqueue(_ job: consuming ExecutorJob) { waiting.add(UnownedJob(job)) }

    /// One scenario in its turn: those that began go on before others begin.
    ///
    /// - Parameter goesFirst: before all that wait.
    func run(goesFirst: Bool, _ scenario: @Sendable () async throws -> Void) async throws {
        await running.take(goesFirst: goesFirst)
        defer { running.giveBack() }
        try await withTaskExecutorPreference(self) { try await scenario() }
    }

    /// Jobs for whichever thread is free.
    private final class Waiting: @unchecked Sendable {
        private let condition = NSCondition()
        private var jobs: [UnownedJob] = []

        func add(_ job: UnownedJob) {
            condition.withLock { jobs.append(job) }
            condition.signal()
        }

        func next() -> UnownedJob {
            condition.withLock {
                while jobs.isEmpty { condition.wait() }
                return jobs.removeFirst()
            }
        }
    }

    /// So many at a time, the others in the order in which they came but for those that go first.
    private final class Turns: Sendable {
        private struct State {
            var free: Int
            var waiting: [CheckedContinuation<Void, Never>] = []
        }

        private let state: Mutex<State>

        init(_ count: Int) { state = Mutex(State(free: count)) }

        func take(goesFirst: Bool) async {
            await withCheckedContinuation { continuation in
                let isMine = state.withLock { state in
                    guard state.free == 0 else {
                        state.free -= 1
                        return true
                    }
                    state.waiting.insert(continuation, at: goesFirst ? 0 : state.waiting.count)
                    return false
                }
                if isMine { continuation.resume() }
            }
        }

        func giveBack() {
            let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
                guard !state.waiting.isEmpty else {
                    state.free += 1
                    return nil
                }
                return state.waiting.removeFirst()
            }
            next?.resume()
        }
    }
}

/// For suites whose tests wait for processes.
struct ScenarioTrait: SuiteTrait, TestTrait, TestScoping {
    /// Whether it goes before all that wait: what is long, alone or one after the other, would end when nothing else is left to do.
    var goesFirst: Bool
    var isRecursive: Bool { true }

    /// Each run of a test has its turn, no suite has one.
    func scopeProvider(for test: Test, testCase: Test.Case?) -> Self? { testCase == nil ? nil : self }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await ScenarioThreads.shared.run(goesFirst: goesFirst, function)
    }
}

extension Trait where Self == ScenarioTrait {
    /// The suite's tests run on threads of their own: ``ScenarioThreads``.
    static var scenario: Self { ScenarioTrait(goesFirst: false) }
    /// The same for suites whose tests run one after the other, and for the longest.
    static var scenarioFirst: Self { ScenarioTrait(goesFirst: true) }
}
