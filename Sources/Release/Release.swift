import Archive
import DICOM
import Deidentification
import Keys

/// One rule at work. Safe from any thread; each call is one object's and blocks.
public final class Release: Sendable {
    let archive: Archive
    let deidentifier: Deidentifier
    /// What searches were shown.
    let shown = ReleasedAttributes()
    /// Studies by the UIDs that stand for theirs.
    let names = ReleasedNames()

    init(archive: Archive, deidentifier: Deidentifier) {
        self.archive = archive
        self.deidentifier = deidentifier
    }

    /// The UID that stands for another in what is released.
    public func uid(for uid: String) throws(ReleaseError) -> String {
        do throws(KeyError) { return try deidentifier.released(uid: uid) } catch { throw .keys }
    }

    /// The same for a study that goes out under it: by that it can be asked for from then on.
    public func shownUID(ofStudy uid: String) throws(ReleaseError) -> String {
        let name = try self.uid(for: uid)
        names.keep(name, for: uid)
        return name
    }

    /// De-identifies an object of the archive, corrections applied, and gives its dataset; nothing is given before it is
    /// certain that all of it may be.
    ///
    /// Takes the object's room beside memory, sealed.
    ///
    /// - Parameters:
    ///   - expected: the transfer syntax that was announced.
    ///   - body: takes pieces of even length that last for the call.
    /// - Throws: `ReleaseError`; what `body` throws.
    public func write(
        _ object: StoredObject, in expected: TransferSyntax, through buffer: PieceBuffer,
        _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let released = try released(object, through: buffer)
        guard released.header.transferSyntax == expected else { throw ReleaseError.otherSyntax }
        try released.forEachPiece(body)
    }

    /// De-identifies an object of the archive, corrections applied.
    public func released(_ object: StoredObject, through buffer: PieceBuffer) throws -> ReleasedInstance {
        let instance = begin(
            transferSyntax: TransferSyntax(uid: object.holding.transferSyntaxUID), byteCount: object.holding.byteCount)
        try archive.write(object, through: buffer) { try instance.append($0) }
        return try instance.finish()
    }

    /// Begins to de-identify bytes from elsewhere.
    ///
    /// - Parameter byteCount: how many there will be, as far as that is known.
    public func begin(transferSyntax: TransferSyntax, byteCount: UInt64 = 0) -> InstanceBeingReleased {
        InstanceBeingReleased(deidentifier, transferSyntax, byteCount: byteCount, archive: archive)
    }
}
