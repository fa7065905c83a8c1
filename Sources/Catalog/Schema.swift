import Database

/// The catalogue's tables. Everything here can be rebuilt from the packs, the journal and the keys.
///
/// `branch` 0 is what everybody sees; any other branch holds what one institution sent under a Study or Series
/// Instance UID that is held for another patient or institution.
enum Schema {
    static let migrations: [SQLDatabase.Migration] = [
        .init([
            """
            CREATE TABLE sender (
                id INTEGER PRIMARY KEY, peer TEXT NOT NULL, institution TEXT NOT NULL, door TEXT NOT NULL,
                UNIQUE (peer, institution, door))
            """,
            """
            CREATE TABLE branch (
                id INTEGER PRIMARY KEY, institution TEXT NOT NULL, patient_key TEXT NOT NULL, issuer TEXT NOT NULL,
                UNIQUE (institution, patient_key, issuer))
            """,
            """
            CREATE TABLE patient (
                id INTEGER PRIMARY KEY, branch INTEGER NOT NULL, key TEXT NOT NULL, patient_id TEXT NOT NULL,
                issuer TEXT NOT NULL, name_alphabetic TEXT, name_ideographic TEXT, name_phonetic TEXT,
                birth_date TEXT, sex TEXT, attributes BLOB NOT NULL,
                UNIQUE (key, issuer, branch))
            """,
            "CREATE INDEX patient_id ON patient (patient_id)",
            "CREATE INDEX patient_name_alphabetic ON patient (name_alphabetic)",
            "CREATE INDEX patient_name_ideographic ON patient (name_ideographic)",
            "CREATE INDEX patient_name_phonetic ON patient (name_phonetic)",
            "CREATE INDEX patient_birth_date ON patient (birth_date)",
            """
            CREATE TABLE study (
                id INTEGER PRIMARY KEY, patient INTEGER NOT NULL REFERENCES patient (id), branch INTEGER NOT NULL,
                uid TEXT NOT NULL, institution TEXT NOT NULL, date TEXT, time TEXT, accession TEXT, study_id TEXT,
                description TEXT, modalities TEXT NOT NULL DEFAULT '', sop_classes TEXT NOT NULL DEFAULT '',
                series_count INTEGER NOT NULL DEFAULT 0, instance_count INTEGER NOT NULL DEFAULT 0,
                held INTEGER NOT NULL DEFAULT 0, first_received_at INTEGER NOT NULL,
                last_received_at INTEGER NOT NULL, completed_at INTEGER, attributes BLOB NOT NULL,
                UNIQUE (uid, branch))
            """,
            "CREATE INDEX study_patient ON study (patient)",
            "CREATE INDEX study_date ON study (date)",
            "CREATE INDEX study_accession ON study (accession)",
            "CREATE INDEX study_open ON study (last_received_at) WHERE completed_at IS NULL",
            """
            CREATE TABLE series (
                id INTEGER PRIMARY KEY, study INTEGER NOT NULL REFERENCES study (id), branch INTEGER NOT NULL,
                uid TEXT NOT NULL, modality TEXT, number INTEGER, instance_count INTEGER NOT NULL DEFAULT 0,
                attributes BLOB NOT NULL,
                UNIQUE (study, uid))
            """,
            "CREATE INDEX series_uid ON series (uid)",
            """
            CREATE TABLE instance (
                id INTEGER PRIMARY KEY, series INTEGER NOT NULL REFERENCES series (id), study INTEGER NOT NULL,
                branch INTEGER NOT NULL, uid TEXT NOT NULL, sop_class TEXT NOT NULL, number INTEGER,
                transfer_syntax TEXT NOT NULL, pack INTEGER NOT NULL, byte_offset INTEGER NOT NULL,
                byte_count INTEGER NOT NULL, digest BLOB NOT NULL, sequence INTEGER NOT NULL UNIQUE,
                sender INTEGER NOT NULL REFERENCES sender (id), received_at INTEGER NOT NULL,
                state INTEGER NOT NULL DEFAULT 0, destroy_at INTEGER, study_key BLOB NOT NULL,
                attributes BLOB NOT NULL)
            """,
            "CREATE INDEX instance_uid ON instance (uid)",
            "CREATE INDEX instance_series ON instance (series, number)",
            "CREATE INDEX instance_study ON instance (study)",
            "CREATE INDEX instance_destroy_at ON instance (destroy_at) WHERE destroy_at IS NOT NULL",
            """
            CREATE TABLE also_sent (
                sequence INTEGER PRIMARY KEY, instance INTEGER NOT NULL, sender INTEGER NOT NULL,
                received_at INTEGER NOT NULL, outcome TEXT NOT NULL)
            """,
            "CREATE INDEX also_sent_instance ON also_sent (instance)",
            """
            CREATE TABLE change (
                id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, kind TEXT NOT NULL,
                study INTEGER NOT NULL, series INTEGER, instance INTEGER)
            """,
            "CREATE TABLE position (pack INTEGER PRIMARY KEY, byte_offset INTEGER NOT NULL)",
            "CREATE TABLE applied (id INTEGER PRIMARY KEY CHECK (id = 0), event_sequence INTEGER NOT NULL)",
            "INSERT INTO applied VALUES (0, 0)",
        ]),
        // Names by their words and readings; an index for each key that a query or the housekeeping asks by.
        .init(
            [
                "DROP INDEX patient_name_alphabetic", "DROP INDEX patient_name_ideographic",
                "DROP INDEX patient_name_phonetic",
                "CREATE INDEX study_id ON study (study_id)",
                "CREATE INDEX study_conflict ON study (id) WHERE branch <> 0",
                "CREATE INDEX instance_study_key ON instance (study_key)",
            ] + NameIndex.schema + Totals.schema,
            derive: NameIndex.rebuild),
        // Compression at rest. `form` is that of `StoredForm`; `former_*` is where bytes lie that are to be destroyed.
        .init([
            "ALTER TABLE instance ADD COLUMN form INTEGER NOT NULL DEFAULT 0",
            "ALTER TABLE instance ADD COLUMN former_pack INTEGER",
            "ALTER TABLE instance ADD COLUMN former_offset INTEGER",
            "CREATE INDEX instance_plain ON instance (sequence) WHERE form = 0",
            "CREATE INDEX instance_former ON instance (sequence) WHERE former_pack IS NOT NULL",
        ]),
        .init(CorrectionTables.schema),
        // What an institution sent is a way to the rows of its askers.
        .init(Visibility.schema),
        .init(ArrivingTable.schema),
        // What the operator has kept of private attributes, apart from what every query reads; NULL for none.
        .init(
            ["study", "series", "instance"].map { "ALTER TABLE \($0) ADD COLUMN \(PrivateAttributes.column) BLOB" }),
        // Former bytes are destroyed once whoever copies the directory meanwhile has the new ones: `former_at` is when they were
        // replaced. And what was replaced and nobody has ordered to be destroyed is found.
        .init([
            "ALTER TABLE instance ADD COLUMN former_at INTEGER",
            "UPDATE instance SET former_at = 0 WHERE former_pack IS NOT NULL",
            "DROP INDEX instance_former",
            "CREATE INDEX instance_former ON instance (former_at) WHERE former_pack IS NOT NULL",
            "CREATE INDEX instance_superseded ON instance (sequence) WHERE state = 2 AND destroy_at IS NULL",
        ]),
        // Keys of studies of which something was destroyed, until it is decided whether anything else needs them.
        .init(["CREATE TABLE spent_key (key BLOB PRIMARY KEY) WITHOUT ROWID"]),
    ]
}
