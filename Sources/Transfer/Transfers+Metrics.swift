import Queue

extension Transfers {
    /// Puts how many transfers have not ended, by site and phase, into the metrics.
    public func measure() throws {
        var counts: [String: [TransferPhase: Int]] = [:]
        for group in try queue.standing() {
            let phase: TransferPhase =
                switch group.state {
                case .dead: .givenUp
                case .running: .underWay
                default: group.isPaused ? .paused : .waiting
                }
            counts[group.destination, default: [:]][phase, default: 0] += group.count
        }
        // What the other side drives is under way while it is heard of.
        let since = ContinuousClock.now - Self.silence
        let heard = (arrivals.heard(since: since) + sources.heard(since: since)).reduce(into: [String: Int]()) {
            $0[$1, default: 0] += 1
        }
        for (site, count) in try room.table.openOfOthers() {
            let underWay = min(count, heard[site] ?? 0)
            counts[site, default: [:]][.underWay, default: 0] += underWay
            counts[site, default: [:]][.quiet, default: 0] += count - underWay
        }
        metrics.standing(counts)
    }
}
