import BlobStore
import Catalog
import DICOM

/// Whether what was received is what is held already. Used by one thread.
final class Comparison {
    private let archive: Archive
    private let record: InstanceRecord
    private let open: () throws(ArchiveError) -> any ContentSource
    // Each nil until it is needed: nearly always the bytes decide.
    private var content: (any ContentSource)?
    private var digest: [UInt8]??
    private var decodedDigest: [UInt8]??

    /// - Parameter open: gives what was received; asked where the digest does not decide.
    init(
        archive: Archive, record: InstanceRecord, _ open: @escaping () throws(ArchiveError) -> any ContentSource
    ) {
        self.archive = archive
        self.record = record
        self.open = open
    }

    /// The same bytes, or the same dataset in another transfer syntax that loses nothing, with other group lengths or
    /// padding.
    func isSame(_ holding: Holding) throws(ArchiveError) -> Bool {
        if holding.digest == record.digest && holding.byteCount == record.byteCount { return true }
        let held = try archive.open(holding)
        if let received = try canonicalDigest(),
            try archive.canonicalDigest(of: held, transferSyntaxUID: holding.transferSyntaxUID) == received
        {
            return true
        }
        if try isCorrectedForm(of: held) { return true }
        let syntaxes = [record.transferSyntaxUID, holding.transferSyntaxUID].map(TransferSyntax.init(uid:))
        guard syntaxes.contains(where: \.isEncapsulated), syntaxes.allSatisfy(\.mayBeLossless),
            let received = try receivedDecodedDigest()
        else { return false }
        let layout = PixelDataLayout(encoded: try held.record().pixelDataLayout)
        return archive.decodedDigest(of: held, transferSyntax: syntaxes[1], layout: layout) == received
    }

    /// Whether what was received is what we send of a corrected object: it went out and comes back.
    private func isCorrectedForm(of held: StoredObject) throws(ArchiveError) -> Bool {
        guard try !archive.corrections(of: held).isEmpty else { return false }
        let syntax = TransferSyntax(uid: held.holding.transferSyntaxUID)
        if let received = try canonicalDigest(), archive.sentDigest(of: held, in: syntax) == received { return true }
        let syntaxes = [TransferSyntax(uid: record.transferSyntaxUID), syntax]
        guard syntaxes.contains(where: \.isEncapsulated), syntaxes.allSatisfy(\.mayBeLossless),
            let received = try receivedDecodedDigest()
        else { return false }
        return archive.sentDigest(of: held, in: .explicitVRLittleEndian) == received
    }

    private func canonicalDigest() throws(ArchiveError) -> [UInt8]? {
        if let digest { return digest }
        let found = try archive.canonicalDigest(of: received(), transferSyntaxUID: record.transferSyntaxUID)
        digest = .some(found)
        return found
    }

    private func receivedDecodedDigest() throws(ArchiveError) -> [UInt8]? {
        if let decodedDigest { return decodedDigest }
        let found = archive.decodedDigest(
            of: try received(), transferSyntax: TransferSyntax(uid: record.transferSyntaxUID),
            layout: PixelDataLayout(encoded: record.pixelDataLayout))
        decodedDigest = .some(found)
        return found
    }

    private func received() throws(ArchiveError) -> any ContentSource {
        if let content { return content }
        let made = try open()
        content = made
        return made
    }
}

extension TransferSyntax {
    /// Whether nothing need be lost in it: then equal pixels say that two objects are one.
    fileprivate var mayBeLossless: Bool {
        guard let coding = FrameCoding(decoding: self) else { return false }
        return !coding.isLossy
    }
}

extension Archive {
    /// The canonical digest of what is sent of an object; nil when it cannot be had so.
    fileprivate func sentDigest(of object: StoredObject, in target: TransferSyntax) -> [UInt8]? {
        guard var digest = CanonicalDigest(transferSyntax: target) else { return nil }
        do {
            if target.uid == object.holding.transferSyntaxUID {
                try write(object, through: PieceBuffer()) { try digest.feed($0) }
            } else {
                try write(object, in: target, through: PieceBuffer()) { try digest.feed($0) }
            }
        } catch { return nil }
        return digest.finish()
    }

    /// The canonical digest of content with its frames decoded; nil when it cannot be had so.
    func decodedDigest(
        of content: some ContentSource, transferSyntax: TransferSyntax, layout: PixelDataLayout?
    ) -> [UInt8]? {
        let plain = TransferSyntax.explicitVRLittleEndian
        guard var digest = CanonicalDigest(transferSyntax: plain) else { return nil }
        do {
            try write(content, in: plain, from: transferSyntax, layout: layout, through: PieceBuffer()) {
                try digest.feed($0)
            }
        } catch {
            // What cannot be decoded cannot be told to be the same.
            return nil
        }
        return digest.finish()
    }
}
