import DICOM

/// What was taken of an object's private attributes, by level; each level's in blocks of its own, with their creators.
public struct PrivateAttributes: Sendable {
    public var study = Dataset()
    public var series = Dataset()
    public var instance = Dataset()
    /// Of the policy by which it was taken.
    var mark: UInt64 = 0

    /// Where each level's table has them.
    static let column = "private_attributes"

    static let levels: [QueryLevel] = [.study, .series, .instance]

    init() {}

    init(study: Dataset, series: Dataset, instance: Dataset, mark: UInt64 = 0) {
        self.study = study
        self.series = series
        self.instance = instance
        self.mark = mark
    }

    subscript(level: QueryLevel) -> Dataset {
        switch level {
        case .patient: Dataset()
        case .study: study
        case .series: series
        case .instance: instance
        }
    }

    public var isEmpty: Bool { study.isEmpty && series.isEmpty && instance.isEmpty }

    /// Whether it was taken by this policy and not by another.
    public func isTaken(by policy: PrivatePolicy) -> Bool { mark == policy.mark }
}
