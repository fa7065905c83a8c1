import Telemetry

/// The instruments of the file channel.
final class FileMetrics: Sendable {
    let sessions: Counter
    let refusals: Counter
    let stored: Counter
    let notStored: Counter
    let bytesReceived: Counter
    let bytesSent: Counter

    init(_ registry: Registry) {
        sessions = registry.counter("huizhen_sftp_sessions_total", help: "Connections of the file channel let in.")
        refusals = registry.counter("huizhen_sftp_refusals_total", help: "Connections of the file channel refused.")
        stored = registry.counter(
            "huizhen_sftp_files_total", help: "Files put.", labels: ["outcome": "stored"])
        notStored = registry.counter(
            "huizhen_sftp_files_total", help: "Files put.", labels: ["outcome": "not stored"])
        bytesReceived = registry.counter("huizhen_sftp_received_bytes_total", help: "Bytes of files that came in.")
        bytesSent = registry.counter("huizhen_sftp_sent_bytes_total", help: "Bytes of files that went out.")
    }
}
