import Synchronization

/// How large the pieces of an answer are: small ones until the client has shown that it takes them, so that one that
/// reads slowly costs little memory.
///
/// Large pieces of all answers together are bounded: who takes much and then stops cannot have more than the budget.
struct Pace {
    static let smallByteCount = 64 << 10
    static let largeByteCount = 256 << 10
    /// Bytes taken for each byte of a piece: what the system's buffers swallow at once says nothing of the client.
    static let patience = 16
    /// A piece that takes longer makes the next ones small.
    private static let slow = Duration.seconds(1)
    /// Pieces that are kept ready for a client that takes much.
    private static let largeLead = 4
    /// Pieces of one answer in memory at a time: two being sent, waiting for the connection, ready, being made.
    static let pieceCount = 4 + largeLead

    private let budget: Budget
    private var takenByteCount = 0
    private var lease: Lease?
    /// Of the next piece.
    private(set) var byteCount = smallByteCount

    init(budget: Budget = .shared) { self.budget = budget }

    /// Pieces that are made while another one is sent.
    var lead: Int { byteCount > Self.smallByteCount ? Self.largeLead : 0 }

    /// The client has taken a piece.
    mutating func took(_ count: Int, in time: Duration) {
        guard time < Self.slow else {
            (takenByteCount, byteCount, lease) = (0, Self.smallByteCount, nil)
            return
        }
        takenByteCount += count
        let next = byteCount * 2
        guard next <= Self.largeByteCount, takenByteCount >= next * Self.patience,
            let larger = budget.lease(next * Self.pieceCount, insteadOf: lease)
        else { return }
        (lease, byteCount) = (larger, next)
    }

    /// Memory for large pieces.
    final class Budget: Sendable {
        static let shared = Budget(byteCount: 24 << 20)

        private let free: Atomic<Int>

        init(byteCount: Int) { free = Atomic(byteCount) }

        /// Bytes that nobody holds.
        var freeByteCount: Int { free.load(ordering: .relaxed) }

        /// The bytes, or nil when there are not so many; what is held counts as free.
        func lease(_ byteCount: Int, insteadOf held: Lease?) -> Lease? {
            let more = byteCount - (held?.byteCount ?? 0)
            guard free.subtract(more, ordering: .relaxed).newValue >= 0 else {
                give(more)
                return nil
            }
            held?.handOver()
            return Lease(byteCount, of: self)
        }

        fileprivate func give(_ byteCount: Int) { free.add(byteCount, ordering: .relaxed) }
    }

    /// Given back with the value.
    final class Lease: Sendable {
        let byteCount: Int
        private let budget: Budget
        private let isHandedOver = Atomic<Bool>(false)

        fileprivate init(_ byteCount: Int, of budget: Budget) {
            self.byteCount = byteCount
            self.budget = budget
        }

        fileprivate func handOver() { isHandedOver.store(true, ordering: .relaxed) }

        deinit {
            if !isHandedOver.load(ordering: .relaxed) { budget.give(byteCount) }
        }
    }
}
