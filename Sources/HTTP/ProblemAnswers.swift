import Hummingbird
import Logging

/// Makes a problem document of every error that leaves a handler, those of the router included.
public struct ProblemAnswers<Context: RequestContext>: RouterMiddleware {
    /// Makes a problem of an error that is none of HTTP; nil leaves it an internal one.
    private let problem: @Sendable (any Error) -> Problem?
    private let logger: Logger

    public init(logger: Logger, problem: @escaping @Sendable (any Error) -> Problem?) {
        self.logger = logger
        self.problem = problem
    }

    public func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as Problem {
            return error.response
        } catch let error as HTTPError {
            return Problem(error.status, Self.detail(error.status)).response
        } catch {
            if let problem = problem(error) {
                if problem.status.kind == .serverError {
                    logger.error("web request failed", metadata: ["reason": "\(error)"])
                }
                return problem.response
            }
            logger.error("web request failed", metadata: ["reason": "\(type(of: error))"])
            return Problem(.internalServerError, "Something went wrong here; the service's log says more.").response
        }
    }

    private static func detail(_ status: HTTPResponse.Status) -> String {
        switch status {
        case .notFound: "There is no such resource."
        case .methodNotAllowed: "The resource does not take this method."
        case .contentTooLarge: "The body is larger than is taken here."
        default: "The request cannot be answered."
        }
    }
}
