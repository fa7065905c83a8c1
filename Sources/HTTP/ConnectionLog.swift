import Logging

/// What the server library says, with single connections as details: whoever ends one in the middle of its TLS handshake, as a
/// line that is cut or a scanner does, is no error of the service. Nor is it one that a server is told to end which has
/// ended.
struct ConnectionLog: LogHandler {
    /// The library's words for whatever goes wrong with connections, and how what it says begins where none can be taken any more.
    private static let words: Logger.Message = "Server channel error"
    private static let oursBegins = "accept"
    private static let endings = [
        "Server shutdown error: Already closed", "Waiting on child channel: CancellationError()",
    ]

    private var base: any LogHandler

    init(_ base: any LogHandler) { self.base = base }

    var logLevel: Logger.Level {
        get { base.logLevel }
        set { base.logLevel = newValue }
    }

    var metadata: Logger.Metadata {
        get { base.metadata }
        set { base.metadata = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { base[metadataKey: key] }
        set { base[metadataKey: key] = newValue }
    }

    func log(event: LogEvent) {
        var event = event
        if event.message == Self.words, event.metadata?["error"]?.description.hasPrefix(Self.oursBegins) != true {
            event.level = .debug
        }
        if Self.endings.contains(event.message.description) { event.level = .debug }
        guard event.level >= logLevel else { return }
        base.log(event: event)
    }
}
