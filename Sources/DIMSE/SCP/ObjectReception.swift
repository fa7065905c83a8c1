import Access
import Archive
import DICOM
import Release

/// An object that comes by C-STORE: kept as it comes, or de-identified first.
final class ObjectReception {
    private let incoming: Incoming?
    private let masked: Masked?

    /// What is de-identified goes to the archive once all of it is there and certain.
    private struct Masked {
        let instance: InstanceBeingReleased
        let receive: (TransferSyntax) throws(ArchiveError) -> Incoming
    }

    /// - Parameters:
    ///   - receive: begins to keep an object in a transfer syntax, under the UIDs that were announced if it is kept as it
    ///     comes.
    init(
        _ transferSyntax: TransferSyntax, release: Release?,
        receive: @escaping (_ transferSyntax: TransferSyntax, _ isAsAnnounced: Bool) throws(ArchiveError) -> Incoming
    ) throws(ArchiveError) {
        guard let release else {
            incoming = try receive(transferSyntax, true)
            masked = nil
            return
        }
        incoming = nil
        masked = Masked(instance: release.begin(transferSyntax: transferSyntax)) {
            (syntax) throws(ArchiveError) in try receive(syntax, false)
        }
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws {
        try incoming?.append(bytes)
        try masked?.instance.append(bytes)
    }

    /// - Returns: what became of it, and what it is kept as.
    func finish() throws -> (outcome: StoreOutcome, identity: InstanceIdentity?) {
        if let incoming { return (try incoming.finish(), incoming.identity) }
        guard let masked else { throw ArchiveError.closed }
        let released = try masked.instance.finish()
        let incoming = try masked.receive(released.header.transferSyntax)
        try released.forEachPiece { try incoming.append($0) }
        return (try incoming.finish(), incoming.identity)
    }

    func abandon() { incoming?.abandon() }
}
