import Access

/// One try at a transfer: what pushing and pulling have in common.
protocol TransferRun: Sendable {
    var room: TransferRoom { get }
    var work: TransferWork { get }
    var progress: TransferProgress { get }
    var shouldStop: @Sendable () -> Bool { get }
    /// Told whenever something has come to where it goes; may block.
    var served: @Sendable () -> Void { get }
}

extension TransferRun {
    /// How often everything is asked and offered anew within one try.
    static var roundLimit: Int { 8 }

    /// Begins again where the other side has forgotten what was said, as after its restart.
    func untilKept<Result>(_ body: () throws(TransferError) -> Result) throws(TransferError) -> Result {
        for _ in 0..<Self.roundLimit {
            do throws(TransferError) { return try body() } catch {
                guard case .forgotten = error, !shouldStop() else { throw error }
            }
        }
        throw .forgotten
    }

    /// Has pieces carried over a line of their own while `body` says which; nothing runs any more when it is left.
    func carrying<Result>(
        by client: SiteClient, _ carry: @escaping @Sendable (SiteClient, [Piece]) throws(TransferError) -> Int,
        arrived: @escaping Carrier.Arrived,
        _ body: (SiteClient, Carrier) throws(TransferError) -> Result
    ) throws(TransferError) -> Result {
        progress.restart()
        let served = served
        let carrier = Carrier(
            progress: progress, shouldStop: shouldStop,
            { pieces throws(TransferError) in
                let byteCount = try carry(client, pieces)
                served()
                return byteCount
            }, arrived: arrived)
        carrier.start()
        let stopper = StopWatch(shouldStop) { client.close() }
        defer {
            stopper.end()
            // What is still on its way is there by another way, or not wanted any more.
            client.close()
            carrier.end()
        }
        return try body(client, carrier)
    }
}
