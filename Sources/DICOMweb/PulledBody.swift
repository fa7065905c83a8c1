import HTTP
import Hummingbird
import NIOCore

/// Something that makes a body piece by piece; blocks, and is asked by one thread at a time.
protocol PieceSource: AnyObject {
    /// The next piece; nil at the end.
    func next() throws -> ByteBuffer?
}

/// Sends what a source makes, one piece ahead of the connection: a slow reader costs two pieces of memory and no thread.
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
            var piece = try await pool.run { try held.source.next() }
            while let ready = piece {
                async let following = pool.run { try held.source.next() }
                try await writer.write(ready)
                piece = try await following
            }
            try await writer.finish(nil)
        }
    }
}
