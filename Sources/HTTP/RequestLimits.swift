import Hummingbird

/// Refuses a request when too many are under way, or when its address is longer than is taken.
struct RequestLimits<Context: RequestContext>: RouterMiddleware {
    let bounds: RequestBounds
    let places: RequestPlaces<AllRequests>

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard request.uri.string.utf8.count <= bounds.targetByteCount else {
            throw Problem(.uriTooLong, "Path and query have more than \(bounds.targetByteCount) bytes.")
        }
        guard let place = places.take(AllRequests(), of: bounds.requestLimit) else {
            throw Problem(
                .serviceUnavailable, "Too many requests are under way: try again soon.", headers: [.retryAfter: "1"])
        }
        defer { withExtendedLifetime(place) {} }
        return try await next(request, context).keeping(place)
    }
}

/// The requests of everybody, on all ports together.
struct AllRequests: Hashable, Sendable {}
