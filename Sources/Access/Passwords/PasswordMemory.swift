import COpenSSL
import Synchronization

/// Remembers, for as long as the process runs, which password was right last, so that a peer that opens many
/// associations pays for scrypt once; a wrong one always pays, and keeps nobody waiting whose password is remembered.
final class PasswordMemory: Sendable {
    private struct State {
        var tags: [String: [UInt8]] = [:]
        /// Guesses that wait or run, by peer.
        var guesses: [String: Int] = [:]
    }

    /// Guesses of one peer that may wait: as many as it has associations with us at most. A further one is wrong unseen, so that
    /// who guesses in one peer's name keeps the others waiting for seconds at most.
    static let guessLimit = 16

    private let state = Mutex(State())
    /// Held while scrypt runs: guesses queue up instead of taking 32 MiB each.
    private let work = Mutex(())
    private let key: [UInt8]
    private let isRight: @Sendable ([UInt8], PasswordHash) -> Bool

    /// - Parameter isRight: what is costly; another one in tests.
    init(isRight: @escaping @Sendable ([UInt8], PasswordHash) -> Bool = { $1.matches($0) }) {
        self.isRight = isRight
        var key = [UInt8](repeating: 0, count: 32)
        // Without randomness nothing is remembered, see `tag`.
        self.key = RAND_bytes(&key, Int32(key.count)) == 1 ? key : []
    }

    /// Whether this is the password; blocks while others are tried, unless it is the one that was right last.
    func matches(_ password: [UInt8], _ hash: PasswordHash, peer: String) -> Bool {
        let tag = tag(password, of: hash)
        if isRemembered(tag, peer) { return true }
        let mayGuess = state.withLock { state in
            guard state.guesses[peer, default: 0] < Self.guessLimit else { return false }
            state.guesses[peer, default: 0] += 1
            return true
        }
        guard mayGuess else { return false }
        defer {
            state.withLock { state in
                let left = (state.guesses[peer] ?? 1) - 1
                state.guesses[peer] = left > 0 ? left : nil
            }
        }
        return work.withLock { _ in
            // Another association of the peer may have said it meanwhile.
            if isRemembered(tag, peer) { return true }
            guard isRight(password, hash) else { return false }
            state.withLock { $0.tags[peer] = tag }
            return true
        }
    }

    func forget(peer: String) { state.withLock { _ = $0.tags.removeValue(forKey: peer) } }

    private func isRemembered(_ tag: [UInt8]?, _ peer: String) -> Bool {
        guard let tag, let held = state.withLock({ $0.tags[peer] }) else { return false }
        return PasswordHash.areEqual(tag, held)
    }

    /// Of both: what was right for a peer's former password is not for its next.
    private func tag(_ password: [UInt8], of hash: PasswordHash) -> [UInt8]? {
        guard !key.isEmpty else { return nil }
        let text = hash.bytes + password
        var result = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        guard HMAC(EVP_sha256(), key, Int32(key.count), text, text.count, &result, &count) != nil else { return nil }
        return Array(result.prefix(Int(count)))
    }
}
