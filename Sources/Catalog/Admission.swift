import DICOM
import Database

/// Puts records into the tables in sequence order. A pure function of tables and record, so that a replay of the
/// packs decides as the first run did.
///
/// Lives on the writer's thread; the caches hold rows of the running transaction and are dropped when it is undone.
struct Admission {
    /// What became of a record.
    enum Outcome: Equatable, Sendable {
        case stored
        /// Stored under a conflict mark: the study or series belongs to another patient or institution.
        case conflict
        /// Stored in place of an instance that is now superseded.
        case replaced(sequence: UInt64)
        /// Stored as a further version.
        case version
        /// The record is in the tables already.
        case known
        /// Shown with the rest of its transfer.
        case arriving
    }

    private struct StudyRow {
        var id: Int64
        var branch: Int64
        var classes: Set<String>
    }

    struct StudyName: Hashable {
        var uid: String
        var branch: Int64
    }

    private struct StudyKey: Hashable {
        var uid: String
        var patientKey: String
        var issuer: String
        var institution: String
    }

    private struct SeriesKey: Hashable {
        var study: Int64
        var uid: String
    }

    private struct PrivateRow: Hashable {
        var level: QueryLevel
        var id: Int64
    }

    private var senders: [Sender: Int64] = [:]
    private var studies: [StudyKey: StudyRow] = [:]
    private var series: [SeriesKey: Int64] = [:]
    private var studyGrowth: [Int64: (count: Int64, at: Int64)] = [:]
    private var seriesGrowth: [Int64: Int64] = [:]
    /// What was last put together with a row's private attributes: neighbours mostly bring the same.
    private var filled: [PrivateRow: [UInt8]] = [:]
    /// Loaded with the first record.
    private var rules: CorrectionRules?
    /// Rows that studies had before they are put in anew, and keep.
    var formerStudies: [StudyName: Int64] = [:]

    private static let cachedRowCount = 10_000

    /// Inserts the record, or finds why not.
    mutating func apply(
        _ sealed: InstanceRecord, pack: UInt32, byteOffset: UInt64, studyKey: [UInt8], in connection: SQLConnection
    ) throws(DatabaseError) -> Outcome {
        let known = try connection.first(
            "SELECT 1 FROM instance WHERE sequence = ?", [.integer(Int64(sealed.sequence))]
        ) { _ throws(DatabaseError) in true }
        if known == true { return .known }
        if !sealed.transfer.isEmpty {
            return try ArrivingTable.insert(
                sealed, pack: pack, byteOffset: byteOffset, studyKey: studyKey, in: connection) ? .arriving : .known
        }
        let view = try view(of: sealed, in: connection)
        let record = view.record
        let sender = try sender(record.sender, in: connection)
        let study = try study(record, in: connection)
        let series = try series(record, study: study, in: connection)
        try fill(record.privates, study: study.id, series: series, in: connection)
        var outcome: Outcome = study.branch == 0 ? .stored : .conflict
        var state = InstanceState.current
        var thinnedStudy: Int64?
        if let held = try held(record, in: connection) {
            switch record.policy {
            case .replace where held.institution == record.sender.institution:
                try InstanceState.superseded.set(on: held.id, in: connection)
                thinnedStudy = held.study
                outcome = .replaced(sequence: held.sequence)
            default:
                state = .version
                thinnedStudy = study.id
                outcome = .version
            }
        }
        try connection.execute(
            """
            INSERT INTO instance (series, study, branch, uid, sop_class, number, transfer_syntax, pack, byte_offset,
                byte_count, digest, sequence, sender, received_at, state, study_key, attributes, form,
                private_attributes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .integer(series), .integer(study.id), .integer(study.branch), .text(record.sopInstanceUID),
                .text(record.sopClassUID), .optional(record.instance.int(.instanceNumber).map(Int64.init)),
                .text(record.transferSyntaxUID), .integer(Int64(pack)), .integer(Int64(byteOffset)),
                .integer(Int64(record.byteCount)), .blob(record.digest), .integer(Int64(record.sequence)),
                .integer(sender), .integer(record.receivedAt), .integer(state.rawValue), .blob(studyKey),
                .blob(record.instance.encoded(transferSyntax: .explicitVRLittleEndian)),
                .integer(StoredForm(of: record).rawValue), .dataset(record.privates.instance),
            ])
        let instance = connection.lastInsertedRowID
        try CorrectionTables.note(view.applied, instance: instance, in: connection)
        try connection.execute(
            "INSERT INTO change (at, kind, study, series, instance) VALUES (?, ?, ?, ?, ?)",
            [
                .integer(record.receivedAt), .text(outcome.changeKind), .integer(study.id), .integer(series),
                .integer(instance),
            ])
        if state == .current {
            studyGrowth[study.id, default: (0, 0)].count += 1
            studyGrowth[study.id, default: (0, 0)].at = record.receivedAt
            seriesGrowth[series, default: 0] += 1
        }
        if let thinnedStudy {
            // Only now: a series without instances is forgotten, and the new one had none before. What is remembered
            // of the study's classes no longer holds.
            try flush(in: connection)
            try Counts.refresh(study: thinnedStudy, in: connection)
            studies.removeAll(keepingCapacity: true)
        }
        return outcome
    }

    /// Puts an instance whose row belongs to no study into the one where the rules want it; returns the study.
    ///
    /// The caller computes counts anew.
    mutating func readmit(
        _ record: InstanceRecord, id: Int64, state: Int64, in connection: SQLConnection
    ) throws(DatabaseError) -> Int64 {
        let view = try view(of: record, in: connection)
        let study = try study(view.record, in: connection)
        let series = try series(view.record, study: study, in: connection)
        try fill(view.record.privates, study: study.id, series: series, in: connection)
        var state = state
        if state == InstanceState.current.rawValue || state == InstanceState.version.rawValue {
            let isFree = try held(view.record, in: connection) == nil
            state = (isFree ? InstanceState.current : .version).rawValue
        }
        try connection.execute(
            """
            UPDATE instance SET series = ?, study = ?, branch = ?, state = ?, attributes = ?, private_attributes = ?
            WHERE id = ?
            """,
            [
                .integer(series), .integer(study.id), .integer(study.branch), .integer(state),
                .blob(view.record.instance.encoded(transferSyntax: .explicitVRLittleEndian)),
                .dataset(view.record.privates.instance), .integer(id),
            ])
        try CorrectionTables.note(view.applied, instance: id, in: connection)
        return study.id
    }

    /// Adds to a study and a series the private attributes that no earlier object of theirs had: often only some do.
    private mutating func fill(
        _ privates: PrivateAttributes, study: Int64, series: Int64, in connection: SQLConnection
    ) throws(DatabaseError) {
        if privates.isEmpty { return }
        try fill(privates.study, PrivateRow(level: .study, id: study), "study", in: connection)
        try fill(privates.series, PrivateRow(level: .series, id: series), "series", in: connection)
    }

    private mutating func fill(
        _ attributes: Dataset, _ row: PrivateRow, _ table: String, in connection: SQLConnection
    ) throws(DatabaseError) {
        if attributes.isEmpty { return }
        let bytes = attributes.encoded(transferSyntax: .explicitVRLittleEndian)
        if filled[row] == bytes { return }
        let held = try connection.first(
            "SELECT private_attributes FROM \(table) WHERE id = ?", [.integer(row.id)]
        ) { row throws(DatabaseError) in row.blob(0) ?? [] }
        var elements = PrivateElements((try? Dataset.held(held ?? [])) ?? Dataset())
        elements.fill(from: PrivateElements(attributes))
        try connection.execute(
            "UPDATE \(table) SET private_attributes = ? WHERE id = ?",
            [.dataset(elements.dataset()), .integer(row.id)])
        if filled.count > Self.cachedRowCount { filled.removeAll() }
        filled[row] = bytes
    }

    private mutating func view(
        of record: InstanceRecord, in connection: SQLConnection
    ) throws(DatabaseError) -> (record: InstanceRecord, applied: [Correction]) {
        if let rules { return rules.view(of: record) }
        let loaded = try CorrectionTables.rules(in: connection)
        rules = loaded
        return loaded.view(of: record)
    }

    /// Writes the counts that grew; called before every commit.
    mutating func flush(in connection: SQLConnection) throws(DatabaseError) {
        for (id, count) in seriesGrowth {
            try connection.execute(
                "UPDATE series SET instance_count = instance_count + ? WHERE id = ?", [.integer(count), .integer(id)])
        }
        for (id, growth) in studyGrowth {
            try connection.execute(
                """
                UPDATE study SET instance_count = instance_count + ?, last_received_at = ?, completed_at = NULL
                WHERE id = ?
                """,
                [.integer(growth.count), .integer(growth.at), .integer(id)])
        }
        seriesGrowth.removeAll(keepingCapacity: true)
        studyGrowth.removeAll(keepingCapacity: true)
    }

    /// Forgets everything about the transaction that was undone, or about rows that changed otherwise.
    mutating func reset() { self = Admission() }

    /// Forgets rows, for an event changed some; the rules stand.
    mutating func forgetRows() {
        let rules = rules
        reset()
        self.rules = rules
    }

    private func held(
        _ record: InstanceRecord, in connection: SQLConnection
    ) throws(DatabaseError) -> (id: Int64, sequence: UInt64, study: Int64, institution: String)? {
        try connection.first(
            """
            SELECT instance.id, instance.sequence, instance.study, sender.institution FROM instance
            JOIN sender ON sender.id = instance.sender LEFT JOIN branch ON branch.id = instance.branch
            WHERE instance.uid = ? AND instance.state = 0 AND (instance.branch = 0 OR branch.institution = ?)
            ORDER BY instance.sequence LIMIT 1
            """,
            [.text(record.sopInstanceUID), .text(record.sender.institution)]
        ) { row throws(DatabaseError) in
            (row.integer(0) ?? 0, UInt64(row.integer(1) ?? 0), row.integer(2) ?? 0, row.text(3) ?? "")
        }
    }

    mutating func sender(_ sender: Sender, in connection: SQLConnection) throws(DatabaseError) -> Int64 {
        if let id = senders[sender] { return id }
        let arguments: [SQLValue] = [.text(sender.peer), .text(sender.institution), .text(sender.door)]
        try connection.execute(
            "INSERT OR IGNORE INTO sender (peer, institution, door) VALUES (?, ?, ?)", arguments)
        let id =
            try connection.first(
                "SELECT id FROM sender WHERE peer = ? AND institution = ? AND door = ?", arguments
            ) { row throws(DatabaseError) in row.integer(0) ?? 0 } ?? 0
        if senders.count > Self.cachedRowCount { senders.removeAll() }
        senders[sender] = id
        return id
    }
}

extension Admission.Outcome {
    fileprivate var changeKind: String {
        switch self {
        case .stored, .known, .arriving: "stored"
        case .conflict: "conflict"
        case .replaced: "replaced"
        case .version: "version"
        }
    }
}

extension Admission {
    /// The study's row in the branch where this record belongs.
    private mutating func study(
        _ record: InstanceRecord, in connection: SQLConnection
    ) throws(DatabaseError) -> StudyRow {
        let key = StudyKey(
            uid: record.studyInstanceUID, patientKey: record.patientKey, issuer: record.issuer,
            institution: record.sender.institution)
        if var row = studies[key], try seriesIsFree(record, study: row.id, branch: 0, in: connection) {
            if row.classes.insert(record.sopClassUID).inserted {
                try connection.execute(
                    "UPDATE study SET sop_classes = ? WHERE id = ?",
                    [.text(joined(row.classes)), .integer(row.id)])
                studies[key] = row
            }
            return row
        }
        var branch: Int64 = 0
        let main = try studyRow(record, branch: 0, in: connection)
        if let main {
            let same =
                main.patientKey == record.patientKey && main.issuer == record.issuer
                && main.institution == record.sender.institution
            let free = try seriesIsFree(record, study: main.id, branch: 0, in: connection)
            if !same || !free { branch = try branchID(record, in: connection) }
        } else if try !seriesIsFree(record, study: -1, branch: 0, in: connection) {
            branch = try branchID(record, in: connection)
        }
        var row: StudyRow
        if let held = branch == 0 ? main : try studyRow(record, branch: branch, in: connection) {
            row = StudyRow(id: held.id, branch: branch, classes: held.classes)
        } else {
            row = StudyRow(id: try insertStudy(record, branch: branch, in: connection), branch: branch, classes: [])
        }
        if row.classes.insert(record.sopClassUID).inserted {
            try connection.execute(
                "UPDATE study SET sop_classes = ? WHERE id = ?", [.text(joined(row.classes)), .integer(row.id)])
        }
        // A row under a conflict mark is looked up each time: the next record of the study may be free of conflict.
        guard branch == 0 else { return row }
        if studies.count > Self.cachedRowCount { studies.removeAll() }
        studies[key] = row
        return row
    }

    private func joined(_ values: Set<String>) -> String { "\\" + values.sorted().joined(separator: "\\") + "\\" }

    private func studyRow(
        _ record: InstanceRecord, branch: Int64, in connection: SQLConnection
    ) throws(DatabaseError) -> (
        id: Int64, patientKey: String, issuer: String, institution: String, classes: Set<String>
    )? {
        try connection.first(
            """
            SELECT study.id, patient.key, patient.issuer, study.institution, study.sop_classes FROM study
            JOIN patient ON patient.id = study.patient WHERE study.uid = ? AND study.branch = ?
            """,
            [.text(record.studyInstanceUID), .integer(branch)]
        ) { row throws(DatabaseError) in
            (
                row.integer(0) ?? 0, row.text(1) ?? "", row.text(2) ?? "", row.text(3) ?? "",
                Set((row.text(4) ?? "").split(separator: "\\").map(String.init))
            )
        }
    }

    /// Whether the series is not held under another study of the branch everybody sees.
    private func seriesIsFree(
        _ record: InstanceRecord, study: Int64, branch: Int64, in connection: SQLConnection
    ) throws(DatabaseError) -> Bool {
        if branch != 0 || series[SeriesKey(study: study, uid: record.seriesInstanceUID)] != nil { return true }
        let elsewhere = try connection.first(
            "SELECT 1 FROM series WHERE uid = ? AND branch = 0 AND study <> ?",
            [.text(record.seriesInstanceUID), .integer(study)]
        ) { _ throws(DatabaseError) in true }
        return elsewhere == nil
    }

    private func branchID(_ record: InstanceRecord, in connection: SQLConnection) throws(DatabaseError) -> Int64 {
        let arguments: [SQLValue] = [
            .text(record.sender.institution), .text(record.patientKey), .text(record.issuer),
        ]
        try connection.execute(
            "INSERT OR IGNORE INTO branch (institution, patient_key, issuer) VALUES (?, ?, ?)", arguments)
        return try connection.first(
            "SELECT id FROM branch WHERE institution = ? AND patient_key = ? AND issuer = ?", arguments
        ) { row throws(DatabaseError) in row.integer(0) ?? 0 } ?? 0
    }

    private func insertStudy(
        _ record: InstanceRecord, branch: Int64, in connection: SQLConnection
    ) throws(DatabaseError) -> Int64 {
        let patient = try patientID(record, branch: branch, in: connection)
        try connection.execute(
            """
            INSERT INTO study (id, patient, branch, uid, institution, date, time, accession, study_id, description,
                first_received_at, last_received_at, attributes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .optional(formerStudies[StudyName(uid: record.studyInstanceUID, branch: branch)]),
                .integer(patient), .integer(branch), .text(record.studyInstanceUID), .text(record.sender.institution),
                .optional(record.study.string(.studyDate).map(MatchText.date)),
                .optional(record.study.string(.studyTime).map(MatchText.time)),
                .optional(record.study.string(.accessionNumber)), .optional(record.study.string(.studyID)),
                .optional(record.study.string(.studyDescription)), .integer(record.receivedAt),
                .integer(record.receivedAt),
                .blob(record.study.encoded(transferSyntax: .explicitVRLittleEndian)),
            ])
        return connection.lastInsertedRowID
    }

    private func patientID(
        _ record: InstanceRecord, branch: Int64, in connection: SQLConnection
    ) throws(DatabaseError) -> Int64 {
        let held = try connection.first(
            "SELECT id FROM patient WHERE key = ? AND issuer = ? AND branch = ?",
            [.text(record.patientKey), .text(record.issuer), .integer(branch)]
        ) { row throws(DatabaseError) in row.integer(0) ?? 0 }
        if let held { return held }
        let name = MatchText.name(record.patient.string(.patientName) ?? "")
        try connection.execute(
            """
            INSERT INTO patient (branch, key, patient_id, issuer, name_alphabetic, name_ideographic, name_phonetic,
                birth_date, sex, attributes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .integer(branch), .text(record.patientKey), .text(record.patientID), .text(record.issuer),
                .text(name.alphabetic), .text(name.ideographic), .text(name.phonetic),
                .optional(record.patient.string(.patientBirthDate).map(MatchText.date)),
                .optional(record.patient.string(.patientSex)),
                .blob(record.patient.encoded(transferSyntax: .explicitVRLittleEndian)),
            ])
        let patient = connection.lastInsertedRowID
        try NameIndex.insert([name.alphabetic, name.ideographic, name.phonetic], patient: patient, in: connection)
        return patient
    }

    private mutating func series(
        _ record: InstanceRecord, study: StudyRow, in connection: SQLConnection
    ) throws(DatabaseError) -> Int64 {
        let key = SeriesKey(study: study.id, uid: record.seriesInstanceUID)
        if let id = series[key] { return id }
        if series.count > Self.cachedRowCount { series.removeAll() }
        let held = try connection.first(
            "SELECT id FROM series WHERE study = ? AND uid = ?", [.integer(study.id), .text(record.seriesInstanceUID)]
        ) { row throws(DatabaseError) in row.integer(0) ?? 0 }
        if let held {
            series[key] = held
            return held
        }
        try connection.execute(
            "INSERT INTO series (study, branch, uid, modality, number, attributes) VALUES (?, ?, ?, ?, ?, ?)",
            [
                .integer(study.id), .integer(study.branch), .text(record.seriesInstanceUID),
                .optional(record.series.string(.modality)),
                .optional(record.series.int(.seriesNumber).map(Int64.init)),
                .blob(record.series.encoded(transferSyntax: .explicitVRLittleEndian)),
            ])
        let id = connection.lastInsertedRowID
        series[key] = id
        try Counts.refreshSeriesOf(study: study.id, in: connection)
        return id
    }
}

extension SQLValue {
    /// As the tables hold a level's attributes; null for none.
    static func dataset(_ value: Dataset) -> SQLValue {
        value.isEmpty ? .null : .blob(value.encoded(transferSyntax: .explicitVRLittleEndian))
    }
}
