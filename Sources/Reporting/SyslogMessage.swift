import Audit
import Foundation
import Glibc

/// Audit messages as RFC 5424 has them, framed by their length (RFC 5425 §4.3, RFC 6587 §3.4.1). PS3.15 §A.6.
struct SyslogMessage {
    /// Objects of one message: a record of more is told in several.
    static let objectLimit = 16
    /// Bytes of the reason in a message, so that it stays within what receivers take.
    static let reasonLimit = 1024

    let source: AuditSource
    private let head: String

    init(source: AuditSource) {
        self.source = source
        let host = String(
            source.host.unicodeScalars.filter { ("!"..."~").contains($0) }.prefix(255).map(Character.init))
        head = "\(host.isEmpty ? "-" : host) huizhen \(getpid())"
    }

    /// The frames of one record.
    func frames(_ record: AuditRecord) -> [UInt8] {
        var bytes: [UInt8] = []
        for part in Self.parts(record) {
            // Security and authorization messages; notice, warning, error, critical.
            let severity = [5, 4, 3, 2][Int(part.entry.outcome.rawValue) / 4]
            append(
                "<\(10 * 8 + severity)>1 \(part.timeText) \(head) DICOM+RFC3881 \(Self.sequence(part.sequence)) \u{FEFF}"
                    + DICOMAuditMessage.xml(part, from: source), to: &bytes)
        }
        return bytes
    }

    /// The frame of an anchor: its line as it is, so that `audit verify --anchor` reads what the receiver wrote.
    func frame(_ anchor: AuditAnchor) -> [UInt8] {
        var bytes: [UInt8] = []
        append(
            "<85>1 \(AuditTime.text(anchor.time)) \(head) audit-anchor \(Self.sequence(anchor.count)) \(anchor.line)",
            to: &bytes)
        return bytes
    }

    private func append(_ message: String, to bytes: inout [UInt8]) {
        let content = Array(message.utf8)
        bytes += Array("\(content.count) ".utf8)
        bytes += content
    }

    /// RFC 5424 §7.3.1: from 1 to 2147483647, then from 1 again.
    private static func sequence(_ number: UInt64) -> String {
        "[meta sequenceId=\"\(number == 0 ? 1 : (number - 1) % 2_147_483_647 + 1)\"]"
    }

    static func parts(_ record: AuditRecord) -> [AuditRecord] {
        var record = record
        if record.entry.reason.utf8.count > reasonLimit {
            record.entry.reason = String(record.entry.reason.prefix(reasonLimit / 4)) + "…"
        }
        let objects = record.entry.objects
        guard objects.count > objectLimit else { return [record] }
        return stride(from: 0, to: objects.count, by: objectLimit).map { start in
            var part = record
            part.entry.objects = Array(objects[start..<min(start + objectLimit, objects.count)])
            // Counted once.
            if start > 0 { part.entry.instanceCount = nil }
            return part
        }
    }
}
