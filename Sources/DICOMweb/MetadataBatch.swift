import Dispatch
import Synchronization

/// Makes several things at a time, in their order: as many as turn out to be small.
struct MetadataBatch {
    /// Made at a time at most.
    static let countLimit = 64
    /// Bytes of one batch beyond which the next one is smaller.
    static let byteCountGoal = 512 << 10

    private var count = 1

    /// Makes the next ones, no more than `room`; blocks.
    ///
    /// - Parameter byteCount: of one that was made.
    /// - Throws: what the first one that failed threw.
    mutating func make<Made: Sendable>(
        _ room: Int, byteCount: (Made) -> Int, _ make: @Sendable (Int) throws -> Made
    ) throws -> [Made] {
        let wanted = min(count, room)
        guard wanted > 1 else {
            count = 2
            return [try make(0)]
        }
        let made = Mutex<[Result<Made, any Error>?]>(Array(repeating: nil, count: wanted))
        DispatchQueue.concurrentPerform(iterations: wanted) { index in
            let result = Result { try make(index) }
            made.withLock { $0[index] = result }
        }
        let all = try made.withLock { try $0.compactMap { try $0?.get() } }
        let total = all.reduce(0) { $0 + byteCount($1) }
        count = total > Self.byteCountGoal ? max(1, count / 2) : min(Self.countLimit, count * 2)
        return all
    }
}
