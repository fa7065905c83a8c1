import Hummingbird
import Synchronization

/// Refuses a request when too many are under way, or when its address is longer than is taken.
struct RequestLimits<Context: RequestContext>: RouterMiddleware {
    let bounds: RequestBounds
    let places: RequestPlaces

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard request.uri.string.utf8.count <= bounds.targetByteCount else {
            throw Problem(.uriTooLong, "Path and query have more than \(bounds.targetByteCount) bytes.")
        }
        guard let place = places.take(of: bounds.requestLimit) else {
            throw Problem(
                .serviceUnavailable, "Too many requests are under way: try again soon.", headers: [.retryAfter: "1"])
        }
        defer { withExtendedLifetime(place) {} }
        return try await next(request, context).keeping(place)
    }
}

/// Counts the requests under way, on all ports together.
final class RequestPlaces: Sendable {
    private let count = Atomic<Int>(0)

    /// Free again with the value, also when the answer is never sent.
    final class Place: Sendable {
        private let places: RequestPlaces

        fileprivate init(_ places: RequestPlaces) { self.places = places }

        deinit { places.count.subtract(1, ordering: .relaxed) }
    }

    func take(of limit: Int) -> Place? {
        guard count.add(1, ordering: .relaxed).newValue <= limit else {
            count.subtract(1, ordering: .relaxed)
            return nil
        }
        return Place(self)
    }
}
