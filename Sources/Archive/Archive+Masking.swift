import Access
import Catalog

extension Archive {
    /// What a retrieval names, for who reaches nothing of it in full: what is reached with less, and the strictest masking of
    /// that; nil where there is nothing either. `Reach.masking` says the same of one series.
    ///
    /// - Parameter limit: the most objects that are looked for.
    public func masked(
        patientID: String?, studyInstanceUIDs: [String], seriesInstanceUIDs: [String], sopInstanceUIDs: [String],
        reach: Reach, limit: Int
    ) throws(ArchiveError) -> (masking: Masking, holdings: [Holding])? {
        guard case .limited(_, let masked) = reach, !masked.isEmpty else { return nil }
        func held(upTo masking: Masking) throws(ArchiveError) -> [Holding] {
            try holdings(
                patientID: patientID, studyInstanceUIDs: studyInstanceUIDs, seriesInstanceUIDs: seriesInstanceUIDs,
                sopInstanceUIDs: sopInstanceUIDs, visibility: Visibility(maskedOf: reach, upTo: masking), limit: limit)
        }
        let all = try held(upTo: .deidentified)
        if all.isEmpty { return nil }
        return (try held(upTo: .clinical).count == all.count ? .clinical : .deidentified, all)
    }

    /// By which rule what is reached masked is not shown where nobody de-identifies it.
    public static let maskedRule = "what was granted is shown masked, and this door does not mask"
}
