import Access
import Catalog

extension Archive {
    /// Whether anything of what a retrieval names is reached, and all of that with less than full sight.
    ///
    /// The place where objects that are shown masked begin: `Reach.masking` says with what, and until there is somebody
    /// who masks, doors refuse what this is true of.
    public func isMasked(
        patientID: String?, studyInstanceUIDs: [String], seriesInstanceUIDs: [String], sopInstanceUIDs: [String],
        reach: Reach
    ) throws(ArchiveError) -> Bool {
        guard case .limited(_, let masked) = reach, !masked.isEmpty else { return false }
        for (masking, isWanted) in [(Masking.full, false), (.deidentified, true)] {
            let held = try holdings(
                patientID: patientID, studyInstanceUIDs: studyInstanceUIDs, seriesInstanceUIDs: seriesInstanceUIDs,
                sopInstanceUIDs: sopInstanceUIDs, visibility: Visibility(reach, upTo: masking), limit: 1)
            guard held.isEmpty != isWanted else { return false }
        }
        return true
    }

    /// By which rule what is reached masked is not shown.
    public static let maskedRule = "what was granted is shown masked, and this door does not mask"
}
