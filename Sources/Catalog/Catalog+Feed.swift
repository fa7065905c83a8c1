import DICOM
import Database
import Foundation

/// What of an instance decides where it is forwarded to.
public struct Arrived: Sendable, Equatable {
    /// The instance's own number, the same in a rebuilt catalogue.
    public var sequence: UInt64
    public var callingAETitle: String
    public var modality: String
    public var studyDescription: String
    public var seriesDescription: String
    public var stationName: String
}

extension Arrived {
    /// Whether any value fits a pattern with `*` and `?`, whatever the case and width of letters.
    public static func fits(_ pattern: String, _ values: [String]) -> Bool {
        values.contains { MatchText.wildcard(NameText.folded($0), NameText.folded(pattern)) }
    }
}

/// An entry of the change feed as routing sees it.
public enum FeedEntry: Sendable, Equatable {
    /// An instance that everybody may see was stored, and still is.
    case arrived(Arrived, change: Int64)
    /// A study has been quiet for long enough.
    case complete(study: Int64, studyInstanceUID: String, change: Int64)
    /// Something that is not forwarded.
    case other(change: Int64)

    public var change: Int64 {
        switch self {
        case .arrived(_, let change), .complete(_, _, let change), .other(let change): change
        }
    }
}

extension Catalog {
    /// A number that a rebuilt catalogue does not share: entries of the feed count from 1 in each.
    public func identity() throws(CatalogError) -> Int64 {
        let held = try select { connection throws(DatabaseError) in
            try connection.first("PRAGMA application_id") { row throws(DatabaseError) in row.integer(0) ?? 0 } ?? 0
        }
        guard held == 0 else { return held }
        let made = Int64.random(in: 1...Int64(Int32.max))
        try perform { connection, _ throws(DatabaseError) in
            try connection.execute("PRAGMA application_id = \(made)")
        }
        return made
    }

    /// How often something was committed; for `waitForCommit`.
    public var commitGeneration: UInt64 { signal.count }

    /// Returns when something was committed since `generation`, the catalogue was closed, or the time is over.
    public func waitForCommit(after generation: UInt64, atMost: TimeInterval) {
        signal.wait(after: generation, until: .now + .seconds(atMost))
    }

    /// Ends a wait for a commit at once.
    public func wakeFollowers() { signal.note() }

    /// Entries after `change`, oldest first.
    public func feed(
        after change: Int64, limit: Int, completionsOnly: Bool = false
    ) throws(CatalogError) -> [FeedEntry] {
        try select { connection throws(DatabaseError) in
            var result: [FeedEntry] = []
            try connection.query(
                """
                SELECT \(Self.arrivedColumns), change.id, change.kind, instance.state, instance.branch, change.study,
                    study.uid
                FROM change LEFT JOIN study ON study.id = change.study
                LEFT JOIN instance ON instance.id = change.instance
                LEFT JOIN series ON series.id = instance.series LEFT JOIN sender ON sender.id = instance.sender
                WHERE change.id > ? \(completionsOnly ? "AND change.kind = 'complete'" : "") ORDER BY change.id LIMIT ?
                """, [.integer(change), .integer(Int64(limit))]
            ) { row throws(DatabaseError) in
                let id = row.integer(5) ?? 0
                let isShown = row.integer(7) == 0 && row.integer(8) == 0
                switch row.text(6) ?? "" {
                case "stored" where isShown, "replaced" where isShown, "restored" where isShown:
                    result.append(.arrived(Self.arrived(row), change: id))
                case "complete":
                    result.append(
                        .complete(study: row.integer(9) ?? 0, studyInstanceUID: row.text(10) ?? "", change: id))
                default: result.append(.other(change: id))
                }
                return true
            }
            return result
        }
    }

    /// The shown instances of a study, or of all studies, after `sequence`, in order.
    public func arrived(inStudy study: Int64?, after sequence: UInt64, limit: Int) throws(CatalogError) -> [Arrived] {
        try select { connection throws(DatabaseError) in
            var result: [Arrived] = []
            try connection.query(
                """
                SELECT \(Self.arrivedColumns) FROM instance JOIN study ON study.id = instance.study
                JOIN series ON series.id = instance.series JOIN sender ON sender.id = instance.sender
                WHERE instance.sequence > ? AND instance.state = 0 AND instance.branch = 0
                    \(study == nil ? "" : "AND instance.study = ?")
                ORDER BY instance.sequence LIMIT ?
                """,
                [.integer(Int64(sequence))] + (study.map { [.integer($0)] } ?? []) + [.integer(Int64(limit))]
            ) { row throws(DatabaseError) in
                result.append(Self.arrived(row))
                return true
            }
            return result
        }
    }

    /// Rows of the studies of this UID that have been quiet for long enough since their last instance.
    public func completeStudies(uid: String) throws(CatalogError) -> [Int64] {
        try select { connection throws(DatabaseError) in
            var result: [Int64] = []
            try connection.query(
                "SELECT id FROM study WHERE uid = ? AND completed_at IS NOT NULL ORDER BY id", [.text(uid)]
            ) { row throws(DatabaseError) in
                result.append(row.integer(0) ?? 0)
                return true
            }
            return result
        }
    }

    /// The newest entry of the feed; 0 when there is none.
    public func lastChange() throws(CatalogError) -> Int64 {
        try select { connection throws(DatabaseError) in
            try connection.first("SELECT coalesce(max(id), 0) FROM change") { row throws(DatabaseError) in
                row.integer(0) ?? 0
            } ?? 0
        }
    }

    private static let arrivedColumns =
        "instance.sequence, sender.peer, series.modality, study.description, series.attributes"

    private static func arrived(_ row: SQLRow) -> Arrived {
        let series = (try? Dataset.held(row.blob(4) ?? [])) ?? Dataset()
        return Arrived(
            sequence: UInt64(row.integer(0) ?? 0), callingAETitle: row.text(1) ?? "", modality: row.text(2) ?? "",
            studyDescription: row.text(3) ?? "", seriesDescription: series.string(.seriesDescription) ?? "",
            stationName: series.string(.stationName) ?? "")
    }
}
