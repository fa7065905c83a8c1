import Dispatch
import Synchronization

/// Runs the memory-hard function for passwords of people: so many at a time, and the same number of runs whatever is wrong.
///
/// A run takes 32 MiB and about a tenth of a second. Blocks: never on an event loop.
final class PasswordWork: Sendable {
    /// Runs at a time.
    static let parallelLimit = 2

    private let places = DispatchSemaphore(value: parallelLimit)
    private let nobodys: PasswordHash
    private let cost: PasswordHash.Cost
    private let runs = Atomic<Int>(0)

    /// Runs so far.
    var runCount: Int { runs.load(ordering: .relaxed) }

    init(cost: PasswordHash.Cost = .standard) throws(AccessError) {
        self.cost = cost
        nobodys = try PasswordHash.nobodys(cost: cost)
    }

    /// Whether it is the password; one run, also for nobody's.
    func matches(_ password: [UInt8], _ hash: PasswordHash?) -> Bool {
        let found = run { (hash ?? nobodys).matches(password) }
        return found && hash != nil
    }

    func hash(_ password: [UInt8]) throws(AccessError) -> PasswordHash {
        let result = run { () -> Result<PasswordHash, AccessError> in
            do throws(AccessError) { return .success(try PasswordHash(password, cost: cost)) } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private func run<T>(_ body: () -> T) -> T {
        places.wait()
        defer { places.signal() }
        runs.add(1, ordering: .relaxed)
        return body()
    }
}
