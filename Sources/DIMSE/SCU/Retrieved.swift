/// How a C-MOVE or C-GET ended. PS3.4 §C.4.2, §C.4.3.
public struct Retrieved: Sendable {
    public var status: Status
    public var counts: SubOperationCounts
    /// The Failed SOP Instance UID List of the last response; the other side need not give one. At most what fits an
    /// identifier, 1 MiB.
    public var failedUIDs: [String]

    public init(status: Status, counts: SubOperationCounts, failedUIDs: [String] = []) {
        self.status = status
        self.counts = counts
        self.failedUIDs = failedUIDs
    }

    /// Both together, where the second asked for other SOP classes of the same objects: what it brought had failed in
    /// the first.
    mutating func add(_ next: Retrieved) {
        counts.completed += next.counts.completed
        counts.warning += next.counts.warning
        counts.failed = max(0, counts.failed - next.counts.completed - next.counts.warning)
        failedUIDs = failedUIDs.filter(Set(next.failedUIDs).contains)
        if counts.failed == 0 {
            status = counts.warning == 0 ? .success : .subOperationsWithFailures
        } else {
            status = counts.completed + counts.warning > 0 ? .subOperationsWithFailures : next.status
        }
    }
}
