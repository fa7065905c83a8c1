import Telemetry

/// The instruments of the DIMSE door.
public final class DIMSEMetrics: Sendable {
    private let registry: Registry
    let connections: Gauge
    let associations: Gauge
    let associationsAccepted: Counter
    let associationsAborted: Counter
    let plainAssociations: Counter
    let tlsAssociations: Counter
    let bytesReceived: Counter
    let bytesSent: Counter

    public init(_ registry: Registry) {
        self.registry = registry
        connections = registry.gauge("huizhen_dimse_connections", help: "Open connections, accepted or not.")
        associations = registry.gauge("huizhen_dimse_associations", help: "Accepted associations that are open.")
        associationsAccepted = registry.counter(
            "huizhen_dimse_associations_accepted_total", help: "Associations accepted.")
        associationsAborted = registry.counter(
            "huizhen_dimse_associations_aborted_total", help: "Associations that ended other than by release.")
        plainAssociations = registry.counter(
            "huizhen_dimse_plain_network_associations_total",
            help: "Unencrypted associations from or to an address that is not loopback.")
        tlsAssociations = registry.counter(
            "huizhen_dimse_tls_associations_total", help: "Associations accepted over TLS.")
        bytesReceived = registry.counter("huizhen_dimse_received_bytes_total", help: "Bytes of objects received.")
        bytesSent = registry.counter("huizhen_dimse_sent_bytes_total", help: "Bytes of objects sent.")
        for verb in ["echo", "store", "find", "move", "get"] { _ = duration(verb: verb, status: .success) }
    }

    func duration(verb: String, status: Status) -> Histogram {
        registry.histogram(
            "huizhen_dimse_duration_seconds", help: "Time from a request to its last response.",
            labels: ["verb": verb, "status": status.label])
    }

    func rejected(_ reason: String) {
        registry.counter(
            "huizhen_dimse_associations_rejected_total", help: "Associations and connections refused.",
            labels: ["reason": reason]
        ).add()
    }
}
