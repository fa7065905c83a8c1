import Catalog
import DICOM
import Keys

/// SHA-256 over a dataset's canonical form, in which file meta, group lengths, padding and the choice between
/// uncompressed transfer syntaxes leave no trace.
struct CanonicalDigest {
    private var walker: CanonicalWalker
    private let hash: SHA256Digest

    /// Nil when there is no memory for a digest; the comparison is then by bytes alone.
    init?(transferSyntax: TransferSyntax) {
        guard let hash = try? SHA256Digest() else { return nil }
        self.hash = hash
        walker = CanonicalWalker(transferSyntax: transferSyntax) { try? hash.update($0) }
    }

    mutating func feed(_ bytes: UnsafeRawBufferPointer) throws(ParseError) { try walker.feed(bytes) }

    mutating func finish() -> [UInt8]? {
        do throws(ParseError) { try walker.finish() } catch { return nil }
        return try? hash.finish()
    }
}

extension Archive {
    /// The canonical digest of content, read in pieces; nil when it cannot be walked.
    func canonicalDigest(of content: some ContentSource, transferSyntaxUID: String) throws(ArchiveError) -> [UInt8]? {
        guard var digest = CanonicalDigest(transferSyntax: TransferSyntax(uid: transferSyntaxUID)) else {
            return nil
        }
        do {
            try content.forEachPiece { piece in try digest.feed(piece) }
        } catch let error as ArchiveError {
            throw error
        } catch { return nil }
        return digest.finish()
    }
}
