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
    /// In which it comes out.
    let released: TransferSyntax
    /// For those who do not take it so; nil as it comes out.
    var rewritingTo: TransferSyntax?

    var sopClassUID: String { holding.sopClassUID }
    /// By which the object is known here; never sent.
    var sopInstanceUID: String { holding.sopInstanceUID }
    var byteCount: UInt64 { holding.byteCount }
    var isByteCountExact: Bool { false }
    var hasPixels: Bool { SOPClass.isImage(holding.sopClassUID) }

    var transferSyntaxUID: String { (rewritingTo ?? released).uid }

    /// Empty where there is none: then nothing is sent either, for `forEachPiece` fails likewise.
    var sentInstanceUID: String { (try? release.uid(for: holding.sopInstanceUID)) ?? "" }

    func forEachPiece(through buffer: PieceBuffer, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let object = try archive.open(holding)
        if let target = rewritingTo {
            return try release.write(object, rewrittenTo: target, through: buffer, body)
        }
        try release.write(object, in: released, through: buffer, body)
    }

    func rewritten(in transferSyntaxUID: String) -> (any SendItem)? {
        let target = TransferSyntax(uid: transferSyntaxUID)
        guard Transcoding.isPossible(from: released, to: target), !target.losesWhenRewritten else { return nil }
        var item = self
        item.rewritingTo = target
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
    func item(_ holding: Holding, by rule: ReleaseRule?, through buffer: PieceBuffer? = nil) -> any SendItem {
        guard let rule else { return StoredItem(archive: archive, holding: holding) }
        do throws(ReleaseError) {
            let release = try releases.release(by: rule)
            return ReleasedItem(
                archive: archive, holding: holding, release: release,
                released: try release.transferSyntax(of: holding, through: buffer))
        } catch { return UnreleasableItem(holding: holding, reason: error) }
    }

    func items(_ holdings: [Holding], by rule: ReleaseRule?) -> [any SendItem] {
        let buffer = PieceBuffer()
        return holdings.map { item($0, by: rule, through: buffer) }
    }
}
