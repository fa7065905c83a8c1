import Archive
import DICOM
import HTTP
import Synchronization

/// Requests of storage commitment and their results. PS3.18 §13.
///
/// Results are kept in memory: after a restart there are none, and a client asks again. Safe from any thread.
final class CommitmentBoard: Sendable {
    /// References of one request.
    static let referenceLimit = 100_000
    /// Bytes of one request's body.
    static let byteCountLimit = 16 << 20
    /// Requests that are worked on at a time.
    static let workingLimit = 16
    /// Results that are kept; of more the oldest go.
    static let resultLimit = 1000
    /// References up to which the answer waits for the result.
    static let directCount = 64
    /// References that are checked before others get their turn.
    static let stepCount = 16

    struct Reference: Sendable, Equatable {
        var sopClassUID: String
        var sopInstanceUID: String

        var item: Dataset {
            var item = Dataset()
            item.set(.referencedSOPClassUID, .UI, string: sopClassUID)
            item.set(.referencedSOPInstanceUID, .UI, string: sopInstanceUID)
            return item
        }
    }

    enum State: Sendable {
        case working
        case done(Dataset)
    }

    private struct Held {
        var states: [String: State] = [:]
        /// Of those that are done, the oldest first.
        var done: [String] = []
    }

    private let held = Mutex(Held())

    /// The references of a request; nil when it has none, too many, or one that is broken. PS3.18 Annex J.1.
    static func references(of request: Dataset) -> [Reference]? {
        let items = request.items(.referencedSOPSequence)
        guard (1...referenceLimit).contains(items.count) else { return nil }
        var result: [Reference] = []
        result.reserveCapacity(items.count)
        for item in items {
            guard let sopClass = item.string(.referencedSOPClassUID), UIDs.isValid(sopClass),
                let instance = item.string(.referencedSOPInstanceUID), UIDs.isValid(instance)
            else { return nil }
            result.append(Reference(sopClassUID: sopClass, sopInstanceUID: instance))
        }
        return result
    }

    /// - Throws: 409 when the transaction is known already, 503 when too many are worked on.
    func begin(_ transaction: String) throws(Problem) {
        let problem: Problem? = held.withLock { held in
            if held.states[transaction] != nil {
                return Problem(.conflict, "The transaction UID is in use: ask with another.")
            }
            if held.states.count - held.done.count >= Self.workingLimit {
                return Problem(
                    .serviceUnavailable, "\(Self.workingLimit) requests are being worked on: ask later.",
                    headers: [.retryAfter: "10"])
            }
            held.states[transaction] = .working
            return nil
        }
        if let problem { throw problem }
    }

    /// - Parameter result: nil when none was found out; then nothing is known of the transaction.
    func end(_ transaction: String, _ result: Dataset?) {
        held.withLock { held in
            guard let result else {
                held.states[transaction] = nil
                return
            }
            held.states[transaction] = .done(result)
            held.done.append(transaction)
            if held.done.count > Self.resultLimit { held.states[held.done.removeFirst()] = nil }
        }
    }

    func state(of transaction: String) -> State? { held.withLock { $0.states[transaction] } }
}
