/// The study keys used lately, unwrapped; bounded.
///
/// Two generations instead of an ordered list: when the young one is full it becomes the old one, whose keys are
/// forgotten unless they are used again. Every step costs the same however many keys there are.
struct KeyCache {
    /// How many unwrapped keys are kept at most.
    static let keyLimit = 4096

    private var young: [KeyID: SymmetricKey] = [:]
    private var old: [KeyID: SymmetricKey] = [:]

    var count: Int { young.count + old.count }

    mutating func key(_ id: KeyID) -> SymmetricKey? {
        if let key = young[id] { return key }
        guard let key = old.removeValue(forKey: id) else { return nil }
        insert(key, for: id)
        return key
    }

    mutating func insert(_ key: SymmetricKey, for id: KeyID) {
        if young.count >= Self.keyLimit / 2 {
            old = young
            young = [:]
        }
        young[id] = key
    }

    mutating func remove(_ id: KeyID) {
        young[id] = nil
        old[id] = nil
    }
}
