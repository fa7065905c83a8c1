/// How many studies an institution sent of a modality in a month; few of them are not told.
public struct StudyStatistic: Codable, Sendable, Equatable {
    /// Fewer than so many are told as "fewer".
    public static let leastCount = 5

    public var institution: String
    /// Empty where the studies name none.
    public var modality: String
    /// `2026-11`, of the study's date; empty where it has none.
    public var month: String
    /// Nil for fewer than `leastCount`.
    public var studies: Int?

    /// - Parameter count: as it is; few become none.
    public init(institution: String, modality: String, month: String, count: Int) {
        self.institution = institution
        self.modality = modality
        self.month = month
        studies = count < Self.leastCount ? nil : count
    }
}
