import Hummingbird
import Synchronization

/// Counts the requests under way of each who asks, so that nobody takes every place.
public final class RequestShares<Key: Hashable & Sendable>: Sendable {
    private let counts = Mutex<[Key: Int]>([:])
    private let limit: Int

    /// Free again with the value, also when the answer is never sent.
    public final class Place: Sendable {
        private let shares: RequestShares
        private let key: Key

        fileprivate init(_ shares: RequestShares, _ key: Key) {
            self.shares = shares
            self.key = key
        }

        deinit { shares.free(key) }
    }

    /// - Parameter limit: requests of one under way at a time, those whose answer is still being sent among them.
    public init(limit: Int) { self.limit = limit }

    /// - Throws: 429 while as many are under way as one may have.
    public func take(_ key: Key) throws(Problem) -> Place {
        let isFree = counts.withLock { counts in
            guard counts[key, default: 0] < limit else { return false }
            counts[key, default: 0] += 1
            return true
        }
        guard isFree else {
            throw Problem(
                .tooManyRequests, "\(limit) of your requests are under way: wait for their answers.",
                headers: [.retryAfter: "1"])
        }
        return Place(self, key)
    }

    private func free(_ key: Key) {
        counts.withLock { counts in
            let left = counts[key, default: 1] - 1
            counts[key] = left > 0 ? left : nil
        }
    }
}

extension Response {
    /// Larger answers keep their place until they are sent.
    private static var smallByteCount: Int { 64 << 10 }

    /// The response, which holds a place until it is sent.
    public func keeping(_ place: some AnyObject & Sendable) -> Response {
        if let count = body.contentLength, count <= Self.smallByteCount { return self }
        var result = self
        result.body = ResponseBody(contentLength: body.contentLength) { [body] writer in
            try await body.write(writer)
            withExtendedLifetime(place) {}
        }
        return result
    }
}
