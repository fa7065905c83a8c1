import Archive
import DICOM
import HTTP
import Hummingbird
import NIOCore

/// Frames of one instance. PS3.18 §10.4.1.1.6.
struct FrameAnswer: Sendable {
    /// Frames of one answer.
    static let frameLimit = 100_000

    let archive: Archive
    let pool: BlockingPool

    /// Blocks.
    ///
    /// - Parameter list: nil for every frame.
    func response(
        _ instance: ShownInstance, frames list: String?, accepting ranges: [MediaRange]
    ) throws -> Response {
        let stored = instance.content.transferSyntax
        let ranges = ranges.isEmpty ? [MediaRange("*", "*")] : ranges
        var isCoded = true
        for range in ranges {
            guard let choice = FrameMediaType.choice(range, stored: stored) else { continue }
            do {
                let reader = try FrameReader(instance.content, in: choice.syntax, archive: archive)
                let numbers =
                    try list.map { try Self.numbers($0, frameCount: reader.frameCount) }
                    ?? Array(1...reader.frameCount)
                if !choice.isMultipart, numbers.count > 1 {
                    isCoded = false
                    continue
                }
                let tag = instance.tag(archive, form: "\(reader.transferSyntax.uid) \(numbers)")
                return try response(reader, numbers, isMultipart: choice.isMultipart, tag: tag)
            } catch ArchiveError.notTranscodable {
                // Another media range may be had.
            }
        }
        throw Problem(
            .notAcceptable,
            isCoded
                ? "Frames are to be had as multipart/related of the media type of their transfer syntax, one also as it "
                    + "is; transfer-syntax=* is the one they are stored in."
                : "Several frames go only as multipart/related.",
            available: FrameMediaType.available((try? instance.content.transferSyntaxes()) ?? [stored]))
    }

    private func response(_ reader: FrameReader, _ numbers: [Int], isMultipart: Bool, tag: String?) throws -> Response {
        let type = FrameMediaType.type(of: reader.transferSyntax).essence
        let part = "\(type); transfer-syntax=\(reader.transferSyntax.uid)"
        guard isMultipart else {
            let bytes = try reader.frame((numbers.first ?? 1) - 1)
            return Response(
                status: .ok, headers: ShownInstance.fields(part, tag: tag),
                body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
        }
        let boundary = Boundary()
        // The boundary is another every time.
        let headers = ShownInstance.fields(boundary.contentType(of: type), tag: tag.map { "W/" + $0 })
        if numbers.count == 1, let number = numbers.first,
            let only = try StoredFrame.piece(reader, number - 1, head: boundary.head(part), tail: boundary.end())
        {
            return Response(status: .ok, headers: headers, body: .init(byteBuffer: only))
        }
        let parts = FrameParts(reader, numbers: numbers, type: part, boundary: boundary)
        if numbers.count == 1, let only = try parts.next(upTo: ObjectParts.pieceByteCount) {
            return Response(status: .ok, headers: headers, body: .init(byteBuffer: only))
        }
        return Response(status: .ok, headers: headers, body: PulledBody(parts, pool: pool).body())
    }

    /// Reads `1,3,5-8`, counted from 1.
    ///
    /// - Throws: 400 for what is no list, 404 for a frame that is not there.
    static func numbers(_ list: String, frameCount: Int) throws -> [Int] {
        var result: [Int] = []
        for part in list.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1], first > 0,
                last >= first
            else { throw Problem(.badRequest, "Frames are numbers from 1, parted by commas, or ranges such as 2-5.") }
            guard last <= frameCount else { throw Problem(.notFound, "The instance has fewer frames than that.") }
            guard result.count + last - first < frameLimit else {
                throw Problem(.badRequest, "One answer has at most \(frameLimit) frames.")
            }
            result += first...last
        }
        return result
    }
}

/// Frames as parts of a multipart body.
private final class FrameParts: PieceSource {
    private let frames: FrameRun
    private let numbers: [Int]
    private let type: String
    private let boundary: Boundary
    private var index = 0

    init(_ reader: FrameReader, numbers: [Int], type: String, boundary: Boundary) {
        frames = FrameRun(lead: min(reader.lead, numbers.count)) { index in
            index < numbers.count ? try reader.begin(numbers[index] - 1) : nil
        }
        self.numbers = numbers
        self.type = type
        self.boundary = boundary
    }

    func next(upTo byteCount: Int) throws -> ByteBuffer? {
        guard index < numbers.count else { return nil }
        var piece = ByteBuffer()
        while index < numbers.count, piece.readableBytes < byteCount {
            piece.writeString(boundary.head(type, isFirst: index == 0))
            piece.writeBytes(try frames.take() ?? [])
            index += 1
        }
        if index == numbers.count { piece.writeString(boundary.end()) }
        return piece
    }
}
