import Audit
import Foundation
import Keys

/// A log of acts such as years of a hospital leave, one record a frame, as the service writes them.
public final class AuditFiller {
    /// Why there is none.
    public struct Failure: Error, CustomStringConvertible {
        public var description: String

        public init(description: String) { self.description = description }
    }

    public let log: AuditLog
    public let count: Int
    private let seed: UInt64

    /// Writes the records and their indexes; the last segment has none, as with the running service.
    ///
    /// - Parameter progress: records done, every hundred thousand.
    public init(
        _ directory: String, count: Int, seed: UInt64, progress: (Int) -> Void = { _ in }
    ) throws(Failure) {
        self.count = count
        self.seed = seed
        do {
            log = try AuditLog(directory: directory, key: .random(), signer: SigningKey(seed: .random()))
            // Six years.
            let step = 6.0 * 365 * 86_400 / Double(count)
            for number in 0..<count {
                try log.append([entry(number)], at: Date(timeIntervalSince1970: 1_600_000_000 + Double(number) * step))
                if (number + 1).isMultiple(of: 100_000) { progress(number + 1) }
            }
            _ = try log.anchor()
            try log.makeIndexes()
        } catch { throw Failure(description: "\(error)") }
    }

    /// The study that record was about, and no other.
    public func study(_ number: Int) -> String {
        "1.2.840.113619.2.\(seed % 1000).3596.1712.\(1_000_000_000 + number * 7)"
    }

    private func entry(_ number: Int) -> AuditEntry {
        let actor = AuditActor(
            kind: .peer, name: "CT\(number % 40)", institution: "Hospital \(number % 12)",
            address: "10.1.\(number % 12).\(number % 250)")
        return AuditEntry(
            .accessed, by: actor, door: number % 3 == 0 ? "dicomweb" : "dimse",
            objects: [AuditObject(.study, study(number)), AuditObject(.patient, "P\(number % 300_000)")],
            instanceCount: UInt64(number % 900))
    }

    /// Milliseconds in which the record about a study was found, or nil where it was not.
    public func find(_ number: Int) throws(Failure) -> Double? {
        var query = AuditQuery(limit: 10)
        query.object = study(number)
        let start = ContinuousClock.now
        var found: [UInt64] = []
        do {
            try log.search(query) {
                found.append($0.sequence)
                return true
            }
        } catch { throw Failure(description: "\(error)") }
        let (seconds, attoseconds) = start.duration(to: .now).components
        return found == [UInt64(number + 1)] ? Double(seconds) * 1000 + Double(attoseconds) / 1e15 : nil
    }

    /// Seconds in which all of it was verified; nil where something was found wrong.
    public func verify() throws(Failure) -> Double? {
        let start = ContinuousClock.now
        let verification: AuditVerification
        do { verification = try log.verify() } catch { throw Failure(description: "\(error)") }
        let (seconds, attoseconds) = start.duration(to: .now).components
        guard verification.isIntact, verification.recordCount == UInt64(count) else { return nil }
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}
