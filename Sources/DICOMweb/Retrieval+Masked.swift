import Access
import Archive
import Audit
import Catalog
import DICOM
import HTTP
import Hummingbird
import NIOCore
import Release

extension Retrieval {
    /// What was granted masked, as objects that were de-identified for it; nil where nothing of the kind was named.
    ///
    /// - Throws: 413 for more than the limit; 406 where none can be de-identified for certain.
    func maskedResponse(_ releases: Releases, _ choice: TransferSyntaxChoice, wantsFile: Bool) throws -> Response? {
        guard path.study != nil, let (masking, holdings) = try masked(limit: limit + 1),
            let rule = caller.access.releaseRule(for: masking)
        else { return nil }
        try checkLimit(holdings)
        guard !wantsFile || holdings.count == 1 else {
            throw Problem(.notAcceptable, "Several objects go only as multipart/related.")
        }
        try caller.note(
            .accessed, AuditObject.objects(of: holdings), instanceCount: holdings.count, reason: rule.words)
        let boundary = wantsFile ? nil : Boundary()
        let parts = ReleasedParts(
            archive: archive, holdings: holdings, choice: choice, boundary: boundary,
            release: try releases.release(by: rule))
        try parts.begin()
        return Response(
            status: .ok,
            headers: [
                .contentType: boundary?.contentType(of: "application/dicom") ?? "application/dicom",
                .cacheControl: "private, no-store",
            ], body: PulledBody(parts, pool: pool).body())
    }
}

/// De-identified objects as parts of a multipart body, or one as a file. Those that cannot be made so are left out.
private final class ReleasedParts: PieceSource {
    private let archive: Archive
    private var holdings: ArraySlice<Holding>
    private let choice: TransferSyntaxChoice
    private let boundary: Boundary?
    private let release: Release
    private let buffer = PieceBuffer()
    private var current: (object: ReleasedInstance, offset: UInt64)?
    private var isFirst = true
    private var isEnded = false

    init(
        archive: Archive, holdings: [Holding], choice: TransferSyntaxChoice, boundary: Boundary?, release: Release
    ) {
        self.archive = archive
        self.holdings = holdings[...]
        self.choice = choice
        self.boundary = boundary
        self.release = release
    }

    /// Makes the first object, so that it is known before the answer begins whether there is any.
    func begin() throws {
        current = try makeNext().map { ($0, 0) }
        guard current != nil else {
            throw Problem(
                .notAcceptable, "None of the objects can be de-identified for certain, or had in the transfer syntax.")
        }
    }

    private func makeNext() throws -> ReleasedInstance? {
        while let holding = holdings.popFirst() {
            do {
                let made = try release.released(try archive.open(holding), through: buffer)
                let isTaken =
                    choice.named.isEmpty || choice.named.contains { $0.uid == made.transferSyntax.uid }
                if isTaken { return made }
            } catch ReleaseError.quarantined {
                // The others are of use without it.
            } catch ArchiveError.notFound {
                // Removed meanwhile.
            }
        }
        return nil
    }

    func next(upTo byteCount: Int) throws -> ByteBuffer? {
        guard !isEnded else { return nil }
        var piece = ByteBuffer()
        while piece.readableBytes < byteCount {
            if current == nil { current = try makeNext().map { ($0, 0) } }
            guard let (object, offset) = current else {
                isEnded = true
                if let boundary { piece.writeString(boundary.end()) }
                break
            }
            if offset == 0 {
                if let boundary {
                    let type = "application/dicom; transfer-syntax=\(object.transferSyntax.uid)"
                    piece.writeString(boundary.head(type, isFirst: isFirst))
                }
                isFirst = false
                piece.writeBytes(object.fileMeta)
            }
            let count = min(object.byteCount - offset, UInt64(max(byteCount - piece.readableBytes, 1)))
            try object.read(offset: offset, byteCount: count) { piece.writeBytes($0) }
            let end = offset + count
            current = end < object.byteCount ? (object, end) : nil
        }
        return piece.readableBytes > 0 ? piece : nil
    }
}
