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

    /// What a retrieval names and is reached with less than full sight, and the strictest masking of it; nil unless all of
    /// that is masked.
    public func maskedHoldings(
        studyInstanceUIDs: [String], seriesInstanceUIDs: [String], sopInstanceUIDs: [String], reach: Reach, limit: Int
    ) throws(ArchiveError) -> (masking: Masking, holdings: [Holding])? {
        guard case .limited(_, let masked) = reach, !masked.isEmpty, !studyInstanceUIDs.isEmpty else { return nil }
        func held(upTo masking: Masking) throws(ArchiveError) -> [Holding] {
            try holdings(
                patientID: nil, studyInstanceUIDs: studyInstanceUIDs, seriesInstanceUIDs: seriesInstanceUIDs,
                sopInstanceUIDs: sopInstanceUIDs, visibility: Visibility(reach, upTo: masking), limit: limit)
        }
        guard try held(upTo: .full).isEmpty else { return nil }
        let all = try held(upTo: .deidentified)
        if all.isEmpty { return nil }
        return (try held(upTo: .clinical).count == all.count ? .clinical : .deidentified, all)
    }

    /// By which rule what is reached masked is not shown.
    public static let maskedRule = "what was granted is shown masked, and this door does not mask"
}
