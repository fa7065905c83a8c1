import DICOM

/// A query's keys, matched on attributes that were made of an instance elsewhere, by the same rules as the catalogue's own
/// rows. PS3.4 §C.2.2.2.
public struct AttributeFilter: Sendable {
    private let keys: [MatchingKey]

    /// - Parameters:
    ///   - keys: with text in UTF-8; those of lower levels, and what is only answered, match everything.
    ///   - layout: where the attributes have their private ones.
    public init(
        _ keys: Dataset, at level: QueryLevel, _ options: MatchingOptions, _ layout: PrivateLayout
    ) {
        let all =
            MatchingKey.keys(keys, options) { QueryPlan.isKey($0, at: level) }
            + layout.keys(of: keys, options, at: level)
        self.keys = all.filter { !$0.isUniversal }
    }

    public func matches(_ attributes: Dataset) -> Bool { keys.allSatisfy { $0.matches(attributes) } }
}
