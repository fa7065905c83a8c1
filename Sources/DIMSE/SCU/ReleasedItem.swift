import Access
import Archive
import Catalog
import DICOM
import Release

/// An object out of the archive, de-identified while it is sent.
struct ReleasedItem: SendItem {
    let archive: Archive
    let holding: Holding
    let release: Release
    /// Implicit VR for those who take nothing else; nil as it comes out.
    var rewritingTo: TransferSyntax?

    var sopClassUID: String { holding.sopClassUID }
    /// By which the object is known here; never sent.
    var sopInstanceUID: String { holding.sopInstanceUID }
    var byteCount: UInt64 { holding.byteCount }
    var isByteCountExact: Bool { false }
    var hasPixels: Bool { SOPClass.isImage(holding.sopClassUID) }

    private var released: TransferSyntax {
        Release.transferSyntax(
            of: TransferSyntax(uid: holding.transferSyntaxUID), sopClassUID: holding.sopClassUID)
    }

    var transferSyntaxUID: String { (rewritingTo ?? released).uid }

    /// Empty where there is none: then nothing is sent either, for `forEachPiece` fails likewise.
    var sentInstanceUID: String { (try? release.uid(for: holding.sopInstanceUID)) ?? "" }

    func forEachPiece(through buffer: PieceBuffer, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let object = try archive.open(holding)
        guard let target = rewritingTo else {
            return try release.write(object, in: released, through: buffer, body)
        }
        try withoutActuallyEscaping(body) { body in
            var rewriter = try DatasetRewriter(from: released, to: target) { piece, _ in try body(piece) }
            try release.write(object, in: released, through: buffer) { try rewriter.feed($0) }
            _ = try rewriter.finish()
        }
    }

    func rewritten(in transferSyntaxUID: String) -> (any SendItem)? {
        guard transferSyntaxUID == TransferSyntax.implicitVRLittleEndian.uid, released == .explicitVRLittleEndian else {
            return nil
        }
        var item = self
        item.rewritingTo = .implicitVRLittleEndian
        return item
    }
}

/// An object that cannot go out, because the rule for its release cannot be followed.
struct UnreleasableItem: SendItem {
    let holding: Holding
    let reason: ReleaseError

    var sopClassUID: String { holding.sopClassUID }
    var sopInstanceUID: String { holding.sopInstanceUID }
    var sentInstanceUID: String { "" }
    var transferSyntaxUID: String { TransferSyntax.explicitVRLittleEndian.uid }
    var byteCount: UInt64 { 0 }
    var isByteCountExact: Bool { false }

    func forEachPiece(through buffer: PieceBuffer, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        throw reason
    }
}

/// Makes of what is held what goes to a peer.
struct SendItems: Sendable {
    let archive: Archive
    let releases: Releases

    /// - Parameter rule: how it is de-identified; nil: it is not.
    func item(_ holding: Holding, by rule: ReleaseRule?) -> any SendItem {
        guard let rule else { return StoredItem(archive: archive, holding: holding) }
        do throws(ReleaseError) {
            return ReleasedItem(archive: archive, holding: holding, release: try releases.release(by: rule))
        } catch { return UnreleasableItem(holding: holding, reason: error) }
    }

    func items(_ holdings: [Holding], by rule: ReleaseRule?) -> [any SendItem] {
        holdings.map { item($0, by: rule) }
    }
}
