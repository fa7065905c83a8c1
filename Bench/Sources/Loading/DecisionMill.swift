import Access
import Audit
import Foundation
import Keys

/// Decisions about acts and their records, without the acts: the service's own modules over files of their own.
public final class DecisionMill {
    /// Why an act was not decided and recorded.
    public struct Failure: Error, CustomStringConvertible {
        public var description: String
    }

    /// What somebody does.
    public enum Act: String, CaseIterable, Sendable {
        /// One search.
        case search
        /// One object, or a frame of it.
        case instance
        /// All of a study in one request.
        case study
        /// A study of 400 objects is stored.
        case store
    }

    /// Grants that stand: of the caller, and of all.
    public static let ownGrantCount = 50
    public static let grantCount = 1_000

    private let access: Access
    private let permit: Permit

    /// - Parameter directory: an empty one on the disk that is measured.
    public init(directory: String) throws(Failure) {
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            access = try Access(
                path: directory + "/access.sqlite", key: .random(),
                settings: Access.Settings(
                    aeTitle: "HUIZHEN", institution: "Home", issuer: "HOME", isOpenToUnknownPeers: false),
                audit: AuditLog(
                    directory: directory + "/audit", key: .random(), signer: SigningKey(seed: .random())))
            permit = Permit(
                kind: .peer, aeTitle: "READER", services: Set(Peer.Service.allCases), roles: [.system],
                institution: "Reader", issuer: "HOME",
                address: "127.0.0.1")
            let now = Int64(Date().timeIntervalSince1970 * 1000)
            for number in 0..<Self.grantCount {
                let isOwn = number % (Self.grantCount / Self.ownGrantCount) == 0
                try access.add(
                    Grant(
                        grantee: .institution(isOwn ? "Reader" : "Other \(number % 30)"),
                        verbs: [.search, .read, .retrieve], owner: "Home", studies: ["2.25.1000\(number)"],
                        until: now + 86_400_000, because: "consultation \(number)", madeBy: "bench", madeAt: now),
                    by: .service, door: "bench")
            }
        } catch { throw Failure(description: "\(error)") }
    }

    deinit { try? access.close() }

    /// Decides and records an act so many times on each of some threads, as the doors do.
    public func run(_ act: Act, count: Int, threads: Int) throws(Failure) {
        let failures = Failures()
        let group = DispatchGroup()
        for thread in 0..<threads {
            group.enter()
            Thread.detachNewThread { [self] in
                do {
                    for number in 0..<count { try perform(act, "2.25.\(thread)\(number)") }
                } catch { failures.note("\(error)") }
                group.leave()
            }
        }
        group.wait()
        if let first = failures.first { throw Failure(description: first) }
    }

    private func perform(_ act: Act, _ uid: String) throws {
        func record(_ event: AuditEvent, _ objects: [AuditObject], _ count: UInt64? = nil) throws {
            try access.record([
                AuditEntry(event, by: permit.actor, door: "bench", objects: objects, instanceCount: count)
            ])
        }
        switch act {
        case .search:
            _ = try access.require(.search, by: permit, door: "bench")
            try record(.searched, [AuditObject(.query, "STUDY (0010,0020)=\(uid)")])
        case .instance:
            _ = try access.require(.retrieve, by: permit, door: "bench")
            try record(.accessed, [AuditObject(.study, uid), AuditObject(.instance, uid + ".1")], 1)
        case .study:
            _ = try access.require(.retrieve, by: permit, door: "bench")
            try record(.accessed, [AuditObject(.study, uid)], 400)
        case .store:
            _ = try access.require(.store, by: permit, door: "bench")
            let ledger = StoreLedger(access, permit: permit, door: "bench")
            for _ in 0..<400 {
                try ledger.begin(study: uid, patientID: "P")
                ledger.count(study: uid)
            }
            ledger.end()
        }
    }

    private final class Failures: @unchecked Sendable {
        // Under the lock.
        private let lock = NSLock()
        private var text: String?

        var first: String? { lock.withLock { text } }

        func note(_ failure: String) { lock.withLock { text = text ?? failure } }
    }
}

extension DecisionMill: @unchecked Sendable {
    // `Access` and `Permit` are for any thread; nothing else is held.
}
