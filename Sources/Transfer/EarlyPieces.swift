import Keys

/// What a push sends while it makes its first offer: of a study that never went to the site nearly everything is lacking there, and
/// so the first pieces go a round trip earlier. Safe from any thread.
final class EarlyPieces: @unchecked Sendable {  // what several threads use is behind the condition
    /// Bytes of the first chunks of all connections.
    static let byteCountLimit =
        Carrier.firstThreadCount * Carrier.firstChunkByteCounts.reduce(0, +)
        / Carrier.firstChunkByteCounts.count

    private enum Offer {
        case pending
        case answered
        case ended
    }

    private let condition = ConditionLock()
    private var offer: Offer
    /// Only the thread that offers uses them.
    private var pieces: Set<Piece> = []

    /// - Parameter isWanted: whether anything goes early.
    init(isWanted: Bool) { offer = isWanted ? .pending : .answered }

    /// Whether nothing was answered yet.
    var isPending: Bool {
        condition.lock()
        defer { condition.unlock() }
        return offer == .pending
    }

    /// The pieces that go before the answer, of what is offered first; none where nothing goes early.
    func begin(_ offers: [Transfer.Offer]) -> [Piece] {
        guard isPending else { return [] }
        var result: [Piece] = []
        var byteCount = 0
        for offer in offers where byteCount < Self.byteCountLimit {
            let all = Piece.pieces(object: offer.number, byteCount: offer.byteCount)
            result += all
            byteCount += all.byteCount
        }
        pieces = Set(result)
        return result
    }

    /// The offer was answered.
    ///
    /// - Parameter lacking: the pieces that are lacking.
    /// - Returns: which of them are still to be sent, and what went for nothing.
    func answered(_ lacking: [Piece]) -> (rest: [Piece], needless: Set<Piece>) {
        let needless = pieces.subtracting(lacking)
        let rest = lacking.filter { !pieces.contains($0) }
        pieces = []
        end(.answered)
        return (rest, needless)
    }

    /// There will be no answer any more, if there was none.
    func end() { end(.ended) }

    private func end(_ state: Offer) {
        condition.lock()
        if offer == .pending { offer = state }
        condition.wakeAll()
        condition.unlock()
    }

    /// Waits for the answer.
    ///
    /// - Returns: whether there is one.
    func wait() -> Bool {
        condition.lock()
        defer { condition.unlock() }
        while offer == .pending { condition.wait() }
        return offer == .answered
    }
}
