/// What became of an object that was brought.
public enum StoreOutcome: String, Sendable, CaseIterable {
    /// Durable and findable.
    case stored
    /// The same object was held already; nothing changed.
    case same
    /// Other content is held under its SOP Instance UID and stays; this object was not kept.
    case differs
    /// Durable; took the place of the one that was held.
    case replaced
    /// Durable beside the first; queries show the first.
    case version
    /// Durable under a conflict mark; only its sender and the operator see it.
    case conflict
    /// Durable; shown once all of its transfer is there.
    case arriving
}
