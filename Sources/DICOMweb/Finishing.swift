import Archive
import Dispatch
import Synchronization

/// Ends objects beside the reading of the next ones, so that a sync of the disk is not waited for between two objects.
final class Finishing: Sendable {
    /// Objects that are being ended at a time; the next one waits.
    static let countLimit = 4

    struct Outcome {
        let result: Result<StoreOutcome, ArchiveError>
        let identity: InstanceIdentity?
    }

    private let queue = DispatchQueue(label: "stow.finish", attributes: .concurrent)
    private let room = DispatchSemaphore(value: countLimit)
    private let group = DispatchGroup()
    private let outcomes = Mutex<[Int: Outcome]>([:])
    private let underWay = Mutex<Set<String>>([])

    /// Begins to end an object, which nobody else may use any more; waits while there are too many.
    ///
    /// - Parameter uid: SOP Instance UID as its file says it: of two with the same the first stays the first.
    func finish(_ incoming: Incoming, uid: String, as index: Int) {
        if !underWay.withLock({ $0.insert(uid).inserted }) {
            group.wait()
            underWay.withLock { _ = $0.insert(uid) }
        }
        room.wait()
        group.enter()
        // Handed over: used by that thread alone until it is done.
        nonisolated(unsafe) let incoming = incoming
        queue.async { [self] in
            let result: Result<StoreOutcome, ArchiveError>
            do throws(ArchiveError) { result = .success(try incoming.finish()) } catch { result = .failure(error) }
            let outcome = Outcome(result: result, identity: incoming.identity)
            outcomes.withLock { $0[index] = outcome }
            underWay.withLock { _ = $0.remove(uid) }
            room.signal()
            group.leave()
        }
    }

    /// Waits until every object has ended; what became of each. Blocks.
    func wait() -> [Int: Outcome] {
        group.wait()
        return outcomes.withLock { $0 }
    }
}
