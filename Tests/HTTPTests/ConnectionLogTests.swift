import Logging
import Synchronization
import Testing

@testable import HTTP

/// Which of the server library's words reach the operator.
struct ConnectionLogTests {
    private final class Heard: Sendable {
        let levels = Mutex<[Logger.Level]>([])
    }

    private struct Recorder: LogHandler {
        let heard: Heard
        var logLevel: Logger.Level
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { heard.levels.withLock { $0.append(event.level) } }
    }

    private func levels(_ message: Logger.Message, _ error: String, at level: Logger.Level) -> [Logger.Level] {
        let heard = Heard()
        let logger = Logger(label: "test") { _ in ConnectionLog(Recorder(heard: heard, logLevel: level)) }
        logger.error(message, metadata: ["error": "\(error)"])
        return heard.levels.withLock { $0 }
    }

    @Test func takesAnEndedHandshakeForADetail() {
        #expect(levels("Server channel error", "uncleanShutdown", at: .info) == [])
        #expect(levels("Server channel error", "uncleanShutdown", at: .debug) == [.debug])
        #expect(levels("Server channel error", "read(descriptor:pointer:size:): reset (errno: 104)", at: .info) == [])
    }

    @Test func saysWhereNoneCanBeTaken() {
        #expect(levels("Server channel error", "accept: Too many open files (errno: 24)", at: .info) == [.error])
        #expect(levels("Server shutdown error", "uncleanShutdown", at: .info) == [.error])
    }
}
