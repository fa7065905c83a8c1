import Synchronization
import Telemetry

/// What is measured of transfers, by site.
final class TransferMetrics: Sendable {
    private let registry: Registry
    /// Sites of which there was something to be told since the start.
    private let sitesSeen = Mutex<Set<String>>([])

    init(_ registry: Registry) { self.registry = registry }

    func carried(_ site: String, _ direction: TransferRecord.Direction, _ byteCount: Int) {
        registry.counter(
            "huizhen_transfer_bytes", help: "Bytes of chunks on the line.",
            labels: ["site": site, "direction": direction.rawValue]
        ).add(UInt64(byteCount))
    }

    func resent(_ site: String, _ byteCount: Int) {
        registry.counter(
            "huizhen_transfer_resent_bytes", help: "Bytes of chunks that went or came more than once.",
            labels: ["site": site]
        ).add(UInt64(byteCount))
    }

    /// How many have not ended, by site and phase; of what is not named there are none any more.
    func standing(_ counts: [String: [TransferPhase: Int]]) {
        let sites = sitesSeen.withLock { seen in
            seen.formUnion(counts.keys)
            return seen
        }
        for site in sites {
            for phase in TransferPhase.allCases where !phase.isEnd {
                registry.gauge(
                    "huizhen_transfers", help: "Transfers that have not ended, by site and phase.",
                    labels: ["site": site, "phase": phase.rawValue]
                ).set(Int64(counts[site]?[phase] ?? 0))
            }
        }
    }

    func completed(_ site: String, _ direction: TransferRecord.Direction) {
        registry.counter(
            "huizhen_transfers_completed", help: "Transfers that came to their end.",
            labels: ["site": site, "direction": direction.rawValue]
        ).add()
    }

    func failed(_ site: String) {
        registry.counter(
            "huizhen_transfer_failures", help: "Tries of transfers that failed.", labels: ["site": site]
        ).add()
    }
}
