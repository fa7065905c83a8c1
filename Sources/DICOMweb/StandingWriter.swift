import Access
import HTTP
import HTTPTypes
import Hummingbird
import NIOCore

/// Ends an answer under way when who asked for it is no longer let in: a token that was revoked, a session that ended.
struct StandingWriter: ResponseBodyWriter {
    struct Ended: Error {}

    /// Answers up to this size go whole.
    static let smallByteCount = 64 << 10

    private var writer: any ResponseBodyWriter
    private let stands: @Sendable () -> Bool

    /// A writer that asks before each piece; it wants as much of the body as `writer` does.
    static func watching(
        _ writer: any ResponseBodyWriter, _ stands: @escaping @Sendable () -> Bool
    ) -> any ResponseBodyWriter {
        guard let part = writer as? any PartWriter else { return StandingWriter(writer: writer, stands: stands) }
        return StandingPartWriter(writer: part, stands: stands)
    }

    mutating func write(_ buffer: ByteBuffer) async throws {
        guard stands() else { throw Ended() }
        try await writer.write(buffer)
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws { try await writer.finish(trailingHeaders) }
}

private struct StandingPartWriter: PartWriter {
    var writer: any PartWriter
    let stands: @Sendable () -> Bool

    var range: Range<Int> { writer.range }

    mutating func begin(at position: Int) { writer.begin(at: position) }

    mutating func write(_ buffer: ByteBuffer) async throws {
        guard stands() else { throw StandingWriter.Ended() }
        try await writer.write(buffer)
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws { try await writer.finish(trailingHeaders) }
}

extension CallerCertificate {
    public init(_ certificate: ClientCertificate) {
        self.init(
            fingerprint: certificate.fingerprint, isTrusted: certificate.isTrusted, names: certificate.names)
    }
}
