import Access
import Foundation
import Logging
import Synchronization

/// The log's lines about connections that came to nothing, folded by address, kind and reason: the operator sees at the
/// default level that somebody knocks, and who knocks cannot fill the log.
final class RefusalLines: Sendable {
    private struct Kind: Hashable {
        var address: String
        var message: String
        var reason: String
    }

    private let logger: Logger
    private let fold = Mutex(MinuteFold<Kind, Void>())

    init(_ logger: Logger) { self.logger = logger }

    /// - Parameters:
    ///   - message: one of few.
    ///   - reason: one of few; never what the other side wrote.
    func note(_ message: String, from address: String, reason: String? = nil, now: Date = Date()) {
        let kind = Kind(address: address, message: message, reason: reason ?? "")
        write(fold.withLock { $0.note(kind, (), now: now) })
    }

    /// Writes what is counted and not written.
    func flush() { write(fold.withLock { $0.flush() }) }

    private func write(_ lines: [MinuteFold<Kind, Void>.Told]) {
        for line in lines {
            var metadata: Logger.Metadata = ["address": "\(line.kind.address)"]
            if !line.kind.reason.isEmpty { metadata["reason"] = "\(line.kind.reason)" }
            if let further = line.further { metadata["further"] = "\(further) more within a minute" }
            logger.notice("\(line.kind.message)", metadata: metadata)
        }
    }
}
