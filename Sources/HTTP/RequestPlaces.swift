import Hummingbird
import Synchronization

/// Counts the requests under way, of each key apart, so that nobody takes every place.
public final class RequestPlaces<Key: Hashable & Sendable>: Sendable {
    private let counts = Mutex<[Key: Int]>([:])

    /// Free again with the value, also when the answer is never sent.
    public final class Place: Sendable {
        private let places: RequestPlaces
        private let key: Key

        fileprivate init(_ places: RequestPlaces, _ key: Key) {
            self.places = places
            self.key = key
        }

        deinit { places.free(key) }
    }

    public init() {}

    /// A place for one more request of a key; nil while `limit` of its requests are under way.
    public func take(_ key: Key, of limit: Int) -> Place? {
        let isFree = counts.withLock { counts in
            guard counts[key, default: 0] < limit else { return false }
            counts[key, default: 0] += 1
            return true
        }
        return isFree ? Place(self, key) : nil
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
