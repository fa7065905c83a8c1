import Catalog
import Keys
import Synchronization

/// Which key a study's objects are wrapped with. One for a study of one patient from one institution: what another
/// institution sent under the same UID has a key of its own.
final class StudyKeys: Sendable {
    struct Name: Hashable {
        var study: String
        var patientKey: String
        var issuer: String
        var institution: String

        init(_ record: InstanceRecord) {
            study = record.studyInstanceUID
            patientKey = record.patientKey
            issuer = record.issuer
            institution = record.sender.institution
        }
    }

    /// A key and, while it is new, what has to be awaited before an object under it may be acknowledged.
    struct Entry: Sendable {
        var id: KeyID
        var durable: SyncTicket?
    }

    /// Studies whose keys are remembered.
    static let rememberedCount = 4096

    private struct State {
        var known: [Name: Entry] = [:]
        /// Stores under way with a key.
        var uses: [KeyID: Int] = [:]
    }

    private let store: KeyStore
    private let state = Mutex(State())

    init(store: KeyStore) { self.store = store }

    /// The study's key, made if this is its first object; follow with `release`.
    func take(for record: InstanceRecord, in catalog: Catalog) throws(ArchiveError) -> Entry {
        let name = Name(record)
        return try state.withLock { state throws(ArchiveError) in
            var found = state.known[name]
            if found.map({ store.isDestroyed($0.id) }) ?? true {
                if state.known.count >= Self.rememberedCount { state.known.removeAll() }
                found = try find(record, in: catalog)
                state.known[name] = found
            }
            guard let found else { throw .closed }
            state.uses[found.id, default: 0] += 1
            return found
        }
    }

    /// The store under this key is done.
    func release(_ entry: Entry) {
        state.withLock { state in
            let left = state.uses[entry.id, default: 1] - 1
            state.uses[entry.id] = left > 0 ? left : nil
        }
    }

    /// Destroys a key unless a store is under way with it or an instance still needs it.
    ///
    /// - Parameter isNeeded: nil where that cannot be said yet.
    /// - Returns: whether it is decided, one way or the other.
    func destroy(_ id: KeyID, unless isNeeded: () throws(ArchiveError) -> Bool?) throws(ArchiveError) -> Bool {
        try state.withLock { state throws(ArchiveError) in
            guard state.uses[id] == nil, let isNeeded = try isNeeded() else { return false }
            if isNeeded { return true }
            do throws(KeyError) { try store.destroy(id) } catch { throw .keys(error) }
            return true
        }
    }

    private func find(_ record: InstanceRecord, in catalog: Catalog) throws(ArchiveError) -> Entry {
        do throws(CatalogError) {
            if let bytes = try catalog.studyKey(of: record), let id = KeyID(bytes: bytes), !store.isDestroyed(id) {
                return Entry(id: id, durable: nil)
            }
        } catch { throw ArchiveError(error) }
        do throws(KeyError) {
            let (id, ticket) = try store.createStudyKey()
            return Entry(id: id, durable: ticket)
        } catch { throw .keys(error) }
    }
}
