import Archive
import Catalog

/// Finds out what can be committed to: reads every byte of every instance again.
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
        for reference in work.request.references {
            if try shouldStop() { return nil }
            if let reason = try failure(of: reference, institution: work.institution) {
                report.failed.append((reference, reason))
            } else {
                report.committed.append(reference)
            }
        }
        return report
    }

    private func failure(
        of reference: CommitmentRequest.Reference, institution: String
    ) throws -> CommitmentReport.FailureReason? {
        let held = try archive.catalog.held(sopInstanceUID: reference.sopInstanceUID, institution: institution)
        guard let first = held.first else { return .noSuchObjectInstance }
        guard first.sopClassUID == reference.sopClassUID else { return .classInstanceConflict }
        do throws(ArchiveError) { try archive.verify(first) } catch { return .processingFailure }
        return nil
    }
}
