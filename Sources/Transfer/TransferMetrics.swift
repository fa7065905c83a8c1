import Telemetry

/// What is measured of transfers, by site.
final class TransferMetrics: Sendable {
    private let registry: Registry

    init(_ registry: Registry) { self.registry = registry }

    func sent(to site: String, _ byteCount: Int) { bytes(site, .sending).add(UInt64(byteCount)) }
    func received(from site: String, _ byteCount: Int) { bytes(site, .receiving).add(UInt64(byteCount)) }

    func resent(_ site: String, _ byteCount: UInt64) {
        registry.counter(
            "huizhen_transfer_resent_bytes", help: "Bytes of chunks that were sent more than once.",
            labels: ["site": site]
        ).add(byteCount)
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

    private func bytes(_ site: String, _ direction: TransferRecord.Direction) -> Counter {
        registry.counter(
            "huizhen_transfer_bytes", help: "Bytes of chunks on the line.",
            labels: ["site": site, "direction": direction.rawValue])
    }
}
