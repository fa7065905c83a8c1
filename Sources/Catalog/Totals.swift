/// How much the archive holds.
public struct Totals: Sendable, Equatable {
    public var patients = 0
    public var studies = 0
    public var series = 0
    public var instances = 0
    public var byteCount: UInt64 = 0
    public var conflicts = 0
    public var removed = 0
}

extension Totals {
    /// One row that triggers keep true, so that nothing is ever counted over.
    static let schema = [
        """
        CREATE TABLE total (
            id INTEGER PRIMARY KEY CHECK (id = 0), patients INTEGER NOT NULL, studies INTEGER NOT NULL,
            series INTEGER NOT NULL, instances INTEGER NOT NULL, byte_count INTEGER NOT NULL,
            conflicts INTEGER NOT NULL, removed INTEGER NOT NULL)
        """,
        """
        INSERT INTO total
        SELECT 0, (SELECT count(*) FROM patient), (SELECT count(*) FROM study WHERE instance_count > 0),
            (SELECT count(*) FROM series WHERE instance_count > 0), coalesce(sum(state = 0), 0),
            coalesce(sum(byte_count), 0),
            (SELECT count(*) FROM study WHERE branch <> 0 AND instance_count > 0), coalesce(sum(state >= 3), 0)
        FROM instance
        """,
        trigger("patient_total_insert", "INSERT ON patient", "patients = patients + 1"),
        trigger("patient_total_delete", "DELETE ON patient", "patients = patients - 1"),
        trigger(
            "study_total_update",
            "UPDATE OF instance_count ON study WHEN (old.instance_count > 0) <> (new.instance_count > 0)",
            """
            studies = studies + (new.instance_count > 0) - (old.instance_count > 0),
            conflicts = conflicts + (new.branch <> 0) * ((new.instance_count > 0) - (old.instance_count > 0))
            """),
        trigger(
            "study_total_delete", "DELETE ON study WHEN old.instance_count > 0",
            "studies = studies - 1, conflicts = conflicts - (old.branch <> 0)"),
        trigger(
            "series_total_update",
            "UPDATE OF instance_count ON series WHEN (old.instance_count > 0) <> (new.instance_count > 0)",
            "series = series + (new.instance_count > 0) - (old.instance_count > 0)"),
        trigger("series_total_delete", "DELETE ON series WHEN old.instance_count > 0", "series = series - 1"),
        trigger(
            "instance_total_insert", "INSERT ON instance",
            """
            instances = instances + (new.state = 0), byte_count = byte_count + new.byte_count,
            removed = removed + (new.state >= 3)
            """),
        trigger(
            "instance_total_update", "UPDATE OF state ON instance",
            """
            instances = instances + (new.state = 0) - (old.state = 0),
            removed = removed + (new.state >= 3) - (old.state >= 3)
            """),
        trigger(
            "instance_total_delete", "DELETE ON instance",
            """
            instances = instances - (old.state = 0), byte_count = byte_count - old.byte_count,
            removed = removed - (old.state >= 3)
            """),
    ]

    private static func trigger(_ name: String, _ event: String, _ change: String) -> String {
        "CREATE TRIGGER \(name) AFTER \(event) BEGIN UPDATE total SET \(change); END"
    }
}
