import Archive
import Catalog
import DICOM
import Deidentification

extension Release {
    /// The transfer syntax in which an object comes out, to be announced before it is released: coded frames stay coded
    /// as they are unless their cleaning codes them anew; all else is explicit VR little endian.
    ///
    /// Reads the header of an object whose frames might be coded anew, and nothing of others. Of one that will be
    /// quarantined it is the source's: what is said then is never sent.
    ///
    /// - Throws: `.archive` when the object cannot be opened.
    public func transferSyntax(
        of holding: Holding, through buffer: PieceBuffer? = nil
    ) throws(ReleaseError) -> TransferSyntax {
        let source = TransferSyntax(uid: holding.transferSyntaxUID)
        guard source.isEncapsulated, SOPClass.isImage(holding.sopClassUID) else { return .explicitVRLittleEndian }
        guard deidentifier.mayRecode(source) else { return source }
        let object: StoredObject
        do throws(ArchiveError) { object = try archive.open(holding) } catch { throw .archive(error) }
        let beginning = AnnouncedBeginning()
        var instance = deidentifier.instance(transferSyntax: source, isReporting: false, output: beginning)
        // Ends by an error of its own once the result has begun; whatever else ends it will be met again, and told, when
        // the object is released.
        try? archive.write(object, through: buffer ?? PieceBuffer()) { try instance.feed($0) }
        return beginning.transferSyntax ?? source
    }
}

/// Takes the beginning of a result and no more.
private final class AnnouncedBeginning: DeidentificationOutput {
    private struct Known: Error {}

    private(set) var transferSyntax: TransferSyntax?

    func begin(_ header: OutputHeader) throws {
        transferSyntax = header.transferSyntax
        throw Known()
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {}
}
