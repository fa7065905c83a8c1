import HTTP
import Hummingbird
import Telemetry

/// The instruments of the web door.
struct WebMetrics: Sendable {
    private let registry: Registry

    init(_ registry: Registry) { self.registry = registry }

    func duration(method: String, status: Int) -> Histogram {
        registry.histogram(
            "huizhen_web_duration_seconds", help: "Time from a web request to the head of its answer.",
            labels: ["method": method, "status": String(status)])
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
