import HTTP
import Hummingbird
import NIOCore

/// Something that makes a body piece by piece; blocks, and is asked by one thread at a time.
protocol PieceSource: AnyObject {
    /// The next piece, of about so many bytes; nil at the end.
    func next(upTo byteCount: Int) throws -> ByteBuffer?

    /// The next piece where it can be had at once; does not block.
    func ready(upTo byteCount: Int) -> ReadyPiece

    /// Told before the first piece that only a part is wanted; may leave out what comes before it and behind it.
    ///
    /// - Returns: how many bytes of the beginning are left out.
    func narrow(to range: Range<Int>) -> Int
}

/// What a source can say without blocking.
enum ReadyPiece {
    case piece(ByteBuffer)
    case ended
    /// Only `next` tells.
    case unknown
}

extension PieceSource {
    func ready(upTo _: Int) -> ReadyPiece { .unknown }

    func narrow(to _: Range<Int>) -> Int { 0 }
}

/// Sends what a source makes: a slow reader costs two small pieces of memory and no thread, a fast one gets large pieces,
/// made ahead of the connection.
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
            if var part = writer as? any PartWriter {
                part.begin(at: held.source.narrow(to: part.range))
                writer = part
            }
            let run = PieceRun(held.source, pool: pool)
            var pace = Pace()
            while let piece = try await run.next(upTo: pace.byteCount, lead: pace.lead) {
                let start = ContinuousClock.now
                try await writer.write(piece)
                pace.took(piece.readableBytes, in: start.duration(to: .now))
            }
            try await writer.finish(nil)
        }
    }
}
