import Synchronization

/// Places for requests, few of them for one site. Who finds none waits for his turn; what he sends waits on the line meanwhile.
final class SitePlaces: Sendable {
    private struct State {
        var taken: [String: Int] = [:]
        var waiting: [(site: String, place: CheckedContinuation<Void, Never>)] = []
    }

    /// Free again with the value, also when the answer is never sent.
    final class Place: Sendable {
        private let places: SitePlaces
        private let site: String

        fileprivate init(_ places: SitePlaces, _ site: String) { (self.places, self.site) = (places, site) }

        deinit { places.giveBack(site) }
    }

    private let limit: Int
    private let limitOfSite: Int
    private let state = Mutex(State())

    init(limit: Int, limitOfSite: Int) { (self.limit, self.limitOfSite) = (limit, limitOfSite) }

    var waitingCount: Int { state.withLock { $0.waiting.count } }

    func take(for site: String) async -> Place {
        await withCheckedContinuation { place in
            let isFree = state.withLock { state in
                if hasRoom(state, for: site) {
                    state.taken[site, default: 0] += 1
                    return true
                }
                state.waiting.append((site, place))
                return false
            }
            if isFree { place.resume() }
        }
        return Place(self, site)
    }

    private func hasRoom(_ state: State, for site: String) -> Bool {
        state.taken[site, default: 0] < limitOfSite && state.taken.values.reduce(0, +) < limit
    }

    private func giveBack(_ site: String) {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.taken[site] = state.taken[site].flatMap { $0 > 1 ? $0 - 1 : nil }
            guard let index = state.waiting.firstIndex(where: { hasRoom(state, for: $0.site) }) else { return nil }
            let next = state.waiting.remove(at: index)
            state.taken[next.site, default: 0] += 1
            return next.place
        }
        next?.resume()
    }
}

extension Dictionary where Key == TransferID {
    /// What is given up for another: of the site that has most, the one that was quiet longest.
    ///
    /// - Parameter facts: whose it is, and when it was used.
    func leastWanted(_ facts: (Value) -> (site: String, usedAt: ContinuousClock.Instant)) -> Key {
        let all = map { (key: $0.key, facts: facts($0.value)) }
        let counts = all.reduce(into: [String: Int]()) { $0[$1.facts.site, default: 0] += 1 }
        let order = { (one: (key: Key, facts: (site: String, usedAt: ContinuousClock.Instant))) in
            (-(counts[one.facts.site] ?? 0), one.facts.usedAt)
        }
        return all.min { order($0) < order($1) }?.key ?? all[0].key
    }
}
