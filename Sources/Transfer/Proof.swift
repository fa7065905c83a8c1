import Access
import Archive
import Catalog
import Keys

/// That a site holds an object as it was held here when it was sent: what remains of a receipt for storage commitment.
struct Proof: Sendable, Hashable {
    var sopInstanceUID: String
    var sopClassUID: String
    /// Who had sent it here.
    var institution: String
}

extension Receipt.Object {
    /// Whether what was sent is what is held and shown there.
    var isHeld: Bool { ["stored", "same", "replaced"].contains(outcome) }
}

extension TransferRoom {
    /// What a receipt proves of objects that are held here; those that went de-identified or corrected are others.
    ///
    /// - Parameter study: the Study Instance UID, as it is held, that the transfer is of.
    func proofs(of receipt: Receipt, study: String) throws(TransferError) -> [Proof] {
        guard receipt.study == study else { return [] }
        let held: [Holding]
        do throws(ArchiveError) {
            held = try archive.series(
                ofStudy: receipt.study, visibility: .everything, limit: ArrivingTransfer.objectLimit
            ).flatMap { $0 }
        } catch {
            // Removed since.
            if case .notFound = error { return [] }
            throw .archive(error)
        }
        let proved = Set(receipt.objects.lazy.filter(\.isHeld).map { $0.instance + " " + $0.sha256 })
        return held.compactMap { holding in
            guard proved.contains(holding.sopInstanceUID + " " + holding.digest.hexadecimal) else { return nil }
            return Proof(
                sopInstanceUID: holding.sopInstanceUID, sopClassUID: holding.sopClassUID,
                institution: holding.sender.institution)
        }
    }
}

extension Transfers: Custody {
    public func holder(
        sopClassUID: String, sopInstanceUID: String, institution: String?
    ) throws(ArchiveError) -> String? {
        let sites: [String]
        do throws(TransferError) {
            sites = try room.table.sites(holding: sopInstanceUID, sopClassUID: sopClassUID, from: institution)
        } catch {
            logger.error("receipts cannot be read", metadata: ["reason": "\(error)"])
            throw .custody
        }
        // Who is no site any more proves nothing.
        return sites.first { room.access.peer(aeTitle: $0)?.site != nil }
    }
}
