import Archive
import Catalog

/// Asks the archive what of a request can be committed to.
struct CommitmentCheck: Sendable {
    let archive: Archive
    let retrieveAETitle: String

    /// Looks at each instance; nil when `shouldStop` said so in between.
    ///
    /// - Throws: when the catalogue cannot be asked; what is held but cannot be read is a failure in the report.
    func report(
        on work: CommitmentWork, shouldStop: () throws(DIMSEError) -> Bool
    ) throws -> CommitmentReport? {
        var report = CommitmentReport(
            transactionUID: work.request.transactionUID, retrieveAETitle: retrieveAETitle)
        // However often one is named, its bytes are read once.
        var seen: [CommitmentRequest.Reference: Commitment] = [:]
        for reference in work.request.references {
            if try shouldStop() { return nil }
            let found =
                try seen[reference]
                ?? archive.commitment(
                    sopClassUID: reference.sopClassUID, sopInstanceUID: reference.sopInstanceUID,
                    institution: work.institution)
            seen[reference] = found
            report.note(reference, found)
        }
        return report
    }
}
