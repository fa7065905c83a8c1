import Foundation
import Synchronization

/// One record on its way into the catalogue. The store that brought it waits for the outcome while its bytes go to
/// the disk, and then confirms or revokes.
public final class Ticket: Sendable {
    enum Durability { case pending, confirmed, revoked }

    private struct State {
        var durability = Durability.pending
        var outcome: Result<Admission.Outcome, CatalogError>?
    }

    let record: InstanceRecord
    let pack: UInt32
    let byteOffset: UInt64
    let studyKey: [UInt8]
    /// Whether it was stored before this start; nobody is told of it.
    let isReplayed: Bool
    private let state = Mutex(State())
    private let answered = DispatchSemaphore(value: 0)

    init(_ record: InstanceRecord, pack: UInt32, byteOffset: UInt64, studyKey: [UInt8], isReplayed: Bool) {
        self.record = record
        self.pack = pack
        self.byteOffset = byteOffset
        self.studyKey = studyKey
        self.isReplayed = isReplayed
    }

    var durability: Durability { state.withLock(\.durability) }

    func set(_ durability: Durability) { state.withLock { $0.durability = durability } }

    /// Gives the outcome; a later call, after a batch was applied again, changes nothing.
    func answer(_ outcome: Result<Admission.Outcome, CatalogError>) {
        let first = state.withLock { state in
            defer { if state.outcome == nil { state.outcome = outcome } }
            return state.outcome == nil
        }
        if first { answered.signal() }
    }

    func wait() throws(CatalogError) -> Admission.Outcome {
        answered.wait()
        return try (state.withLock(\.outcome) ?? .failure(.closed)).get()
    }
}
