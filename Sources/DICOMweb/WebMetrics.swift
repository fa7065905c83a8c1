import HTTP
import Hummingbird
import Synchronization
import Telemetry

/// The instruments of the web door.
final class WebMetrics: Sendable {
    private struct Key: Hashable {
        let method: String
        let status: Int
    }

    private let registry: Registry
    // The registry makes a text of the labels to find an instrument, which is much for every request.
    private let durations = Mutex<[Key: Histogram]>([:])

    init(_ registry: Registry) { self.registry = registry }

    func duration(method: String, status: Int) -> Histogram {
        durations.withLock { durations in
            let key = Key(method: method, status: status)
            if let held = durations[key] { return held }
            let made = registry.histogram(
                "huizhen_web_duration_seconds", help: "Time from a web request to the head of its answer.",
                labels: ["method": method, "status": String(status)])
            durations[key] = made
            return made
        }
    }
}

/// Measures every request; only methods that exist are a label.
struct WebTimes: RouterMiddleware {
    typealias Context = WebContext

    private static let methods: Set<String> = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]

    let metrics: WebMetrics

    func handle(
        _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        let response = try await next(request, context)
        let method = request.method.rawValue
        metrics.duration(method: Self.methods.contains(method) ? method : "other", status: response.status.code)
            .observe(start.duration(to: .now))
        return response
    }
}
