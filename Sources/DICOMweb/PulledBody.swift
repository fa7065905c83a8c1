import HTTP
import Hummingbird
import NIOCore

/// Something that makes a body piece by piece; blocks, and is asked by one thread at a time.
protocol PieceSource: AnyObject {
    /// The next piece, of about so many bytes; nil at the end.
    func next(upTo byteCount: Int) throws -> ByteBuffer?
}

/// Sends what a source makes: a slow reader costs two small pieces of memory and no thread, a fast one gets large pieces,
/// made one ahead of the connection.
struct PulledBody: Sendable {
    // A source is asked for one piece after another, never two at a time.
    private struct Held: @unchecked Sendable {
        let source: any PieceSource
    }

    private let held: Held
    private let pool: BlockingPool

    init(_ source: any PieceSource, pool: BlockingPool) {
        held = Held(source: source)
        self.pool = pool
    }

    func body(contentLength: Int? = nil) -> ResponseBody {
        let held = held
        let pool = pool
        return ResponseBody(contentLength: contentLength) { writer in
            var pace = Pace()
            var piece = try await pool.run { try held.source.next(upTo: Pace.smallByteCount) }
            while let ready = piece {
                let size = pace.byteCount
                let start = ContinuousClock.now
                if pace.looksAhead {
                    async let following = pool.run { try held.source.next(upTo: size) }
                    try await writer.write(ready)
                    pace.took(ready.readableBytes, in: start.duration(to: .now))
                    piece = try await following
                } else {
                    try await writer.write(ready)
                    pace.took(ready.readableBytes, in: start.duration(to: .now))
                    piece = try await pool.run { try held.source.next(upTo: size) }
                }
            }
            try await writer.finish(nil)
        }
    }
}
