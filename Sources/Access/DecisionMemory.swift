import Audit
import Synchronization

/// What was decided of late, as long as it is still what would be decided: about the same caller and act, with nothing
/// changed in between and no time reached at which anything begins or ends. A caller with many grants is asked about at
/// every frame, and to put them together costs more than the frame's record.
///
/// Scopes of credentials are not part of it: they are looked at each time.
final class DecisionMemory: Sendable {
    /// All of a caller and an act on which a decision rests that grants and time do not tell.
    struct Key: Hashable {
        private let verb: Verb
        private let kind: AuditActor.Kind
        private let institution: String
        private let user: String?
        private let isStrong: Bool
        private let roles: Set<Role>
        private let services: Set<Peer.Service>

        init(_ verb: Verb, _ permit: Permit) {
            self.verb = verb
            kind = permit.kind
            institution = permit.institution
            user = permit.user
            isStrong = permit.isStrong
            roles = permit.roles
            services = permit.services
        }

        func hash(into hasher: inout Hasher) {
            hasher.combine(verb)
            hasher.combine(institution)
            hasher.combine(user)
        }
    }

    private struct Entry {
        var decision: Decision
        var used: [String]
        var from: Int64
        var until: Int64
        /// What it counts against the bound.
        var size: Int
        /// When the use of its grants was last handed out to be noted; nil for never.
        var notedAt: Int64?
    }

    private struct State {
        var version: UInt64 = 0
        var entries: [Key: Entry] = [:]
        /// Grants that the entries rest on, and studies and series that these name.
        var size = 0
    }

    /// Grants, studies and series of all entries; what is larger is put together each time.
    static let sizeLimit = 200_000
    static let countLimit = 4_096
    /// Milliseconds after which the use of grants is noted again.
    static let useInterval: Int64 = 60_000

    private let state = Mutex(State())

    /// - Parameters:
    ///   - version: the count of changes, read before anything else.
    ///   - isUse: whether an act follows.
    /// - Returns: also the grants whose use is to be noted now.
    func find(
        _ key: Key, version: UInt64, at now: Int64, isUse: Bool
    ) -> (decision: Decision, used: [String])? {
        state.withLock { state in
            guard state.version == version, let entry = state.entries[key], entry.from <= now, now < entry.until else {
                return nil
            }
            guard isUse, !entry.used.isEmpty, entry.notedAt.map({ now - $0 >= Self.useInterval }) ?? true else {
                return (entry.decision, [])
            }
            state.entries[key]?.notedAt = now
            return (entry.decision, entry.used)
        }
    }

    /// Keeps a decision that was made after the count of changes was read, at `from`, and that time changes at `until`.
    func keep(
        _ decision: Decision, used: [String], for key: Key, version: UInt64, from: Int64, until: Int64, isUse: Bool
    ) {
        let size = 1 + used.count + (decision.reach?.nameCount ?? 0)
        guard size <= Self.sizeLimit / 4 else { return }
        state.withLock { state in
            // Somebody who read the count earlier has nothing for those who read it later.
            guard version >= state.version else { return }
            if version > state.version { state = State(version: version) }
            state.size -= state.entries.removeValue(forKey: key)?.size ?? 0
            if state.size + size > Self.sizeLimit || state.entries.count >= Self.countLimit {
                state = State(version: version)
            }
            state.size += size
            state.entries[key] = Entry(
                decision: decision, used: used, from: from, until: until, size: size, notedAt: isUse ? from : nil)
        }
    }
}

extension Reach {
    /// Studies, series and patients that it names.
    fileprivate var nameCount: Int {
        guard case .limited(let full, let masked) = self else { return 0 }
        return masked.values.reduce(full.nameCount) { $0 + $1.nameCount }
    }
}

extension Extent {
    fileprivate var nameCount: Int {
        studies.values.reduce(institutions.count) { $0 + $1.count }
            + series.values.reduce(0) { $1.values.reduce($0) { $0 + $1.count } }
            + patients.values.reduce(0) { $0 + $1.count }
    }
}
