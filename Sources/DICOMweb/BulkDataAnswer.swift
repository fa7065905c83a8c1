import Archive
import DICOM
import HTTP
import Hummingbird
import NIOCore

/// One long value of an instance. PS3.18 §10.4.1.1.5.
struct BulkDataAnswer: Sendable {
    /// Tags and item numbers of a path.
    static let depthLimit = 32

    let archive: Archive
    let pool: BlockingPool

    /// Blocks.
    ///
    /// - Parameter path: tags and item numbers from 0 in turn, as metadata names them: `00880200/0/7FE00010`.
    func response(_ instance: ShownInstance, path: [Substring], accepting ranges: [MediaRange]) throws -> Response {
        guard path.count <= Self.depthLimit, path.count % 2 == 1 else { throw ArchiveError.notFound }
        let syntax = instance.content.transferSyntax
        if path == ["7FE00010"], syntax.isEncapsulated {
            return try FrameAnswer(archive: archive, pool: pool).response(instance, frames: nil, accepting: ranges)
        }
        guard ranges.isEmpty || ranges.contains(where: Self.takesBytes) else {
            throw Problem(
                .notAcceptable, "The value is to be had as application/octet-stream.",
                available: [
                    "application/octet-stream", "multipart/related; type=\"application/octet-stream\"",
                ])
        }
        let isMultipart = ranges.first { Self.takesBytes($0) }.map { $0.type == "multipart" } ?? false
        let (source, byteCount) = try value(of: instance.content, path: path)
        let type = "application/octet-stream"
        let tag = instance.tag(archive, form: path.joined(separator: "/"))
        guard isMultipart else {
            return Response(
                status: .ok, headers: ShownInstance.fields(type, tag: tag),
                body: PulledBody(source, pool: pool).body(contentLength: Int(byteCount)))
        }
        let boundary = Boundary()
        let framed = FramedPart(source, type: type, boundary: boundary)
        return Response(
            status: .ok,
            headers: ShownInstance.fields(boundary.contentType(of: type), tag: tag.map { "W/" + $0 }),
            body: PulledBody(framed, pool: pool).body())
    }

    private func value(
        of instance: InstanceContent, path: [Substring]
    ) throws(ArchiveError) -> (any PieceSource, byteCount: UInt64) {
        let (source, isDeflated) = (instance.source, instance.transferSyntax.isDeflated)
        if path == ["7FE00010"], !isDeflated, let range = instance.nativePixelData {
            return (StoredRange(source, range), UInt64(range.count))
        }
        var dataset = try instance.header()
        for index in stride(from: 0, to: path.count - 1, by: 2) {
            guard let tag = Tag(hex: path[index].utf8), let item = Int(path[index + 1]),
                dataset.items(tag).indices.contains(item)
            else { throw .notFound }
            dataset = dataset.items(tag)[item]
        }
        guard let tag = Tag(hex: path[path.count - 1].utf8), let element = dataset[tag] else { throw .notFound }
        switch element.value {
        case .bytes(let bytes): return (HeldBytes(bytes), UInt64(bytes.count))
        case .bulk(let offset, let length) where !isDeflated && offset + length <= source.byteCount:
            return (StoredRange(source, offset..<(offset + length)), length)
        default: throw .notFound
        }
    }

    private static func takesBytes(_ range: MediaRange) -> Bool {
        if range.takes("application", "octet-stream") { return true }
        return range.essence == "multipart/related"
            && (range["type"].flatMap { MediaRange($0) }?.takes("application", "octet-stream") ?? true)
    }
}

private final class HeldBytes: PieceSource {
    private var bytes: ByteBuffer

    init(_ bytes: [UInt8]) { self.bytes = ByteBuffer(bytes: bytes) }

    func next(upTo byteCount: Int) throws -> ByteBuffer? {
        bytes.readableBytes > 0 ? bytes.readSlice(length: min(byteCount, bytes.readableBytes)) : nil
    }
}

/// One part between its boundaries.
private final class FramedPart: PieceSource {
    private let source: any PieceSource
    private let boundary: Boundary
    private var head: String?
    private var isEnded = false

    init(_ source: any PieceSource, type: String, boundary: Boundary) {
        self.source = source
        self.boundary = boundary
        head = boundary.head(type)
    }

    func next(upTo byteCount: Int) throws -> ByteBuffer? {
        if let head {
            self.head = nil
            return ByteBuffer(string: head)
        }
        if let piece = try source.next(upTo: byteCount) { return piece }
        if isEnded { return nil }
        isEnded = true
        return ByteBuffer(string: boundary.end())
    }
}
