import DICOM
import Database

/// Finds patients by the beginning of a name, or by what stands anywhere in it, at a cost that follows the number of
/// matches and not the number of names.
///
/// `name_key` holds every whole name without delimiters, readings included. `word` holds each component once, since
/// patients share them; `word_tail` holds every tail of every word, so that what stands in a word begins a tail.
/// All of it without marks on letters: rows found are compared once more with what was asked.
enum NameIndex {
    /// Characters of one component group that are looked up; PS3.5 §6.2 allows 64.
    static let characterLimit = NameText.wordLimit
    /// Entries of one patient in each table.
    static let entryLimit = 64

    static let schema = [
        """
        CREATE TABLE name_key (text TEXT NOT NULL, patient INTEGER NOT NULL, PRIMARY KEY (text, patient))
        WITHOUT ROWID
        """,
        "CREATE TABLE word (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)",
        """
        CREATE TABLE word_tail (text TEXT NOT NULL, word INTEGER NOT NULL, PRIMARY KEY (text, word))
        WITHOUT ROWID
        """,
        """
        CREATE TABLE name_word (word INTEGER NOT NULL, patient INTEGER NOT NULL, PRIMARY KEY (word, patient))
        WITHOUT ROWID
        """,
    ]

    // MARK: Writing

    /// Enters a patient's folded name; the same name entered again changes nothing.
    static func insert(_ groups: [String], patient: Int64, in connection: SQLConnection) throws(DatabaseError) {
        let entries = entries(of: groups)
        for key in entries.keys {
            try connection.execute(
                "INSERT OR IGNORE INTO name_key (text, patient) VALUES (?, ?)", [.text(key), .integer(patient)])
        }
        for text in entries.words {
            let word = try word(text, in: connection)
            try connection.execute(
                "INSERT OR IGNORE INTO name_word (word, patient) VALUES (?, ?)", [.integer(word), .integer(patient)])
        }
    }

    /// Takes a patient's folded name out, and words that no patient has any more.
    static func remove(_ groups: [String], patient: Int64, in connection: SQLConnection) throws(DatabaseError) {
        let entries = entries(of: groups)
        for key in entries.keys {
            try connection.execute(
                "DELETE FROM name_key WHERE text = ? AND patient = ?", [.text(key), .integer(patient)])
        }
        for text in entries.words {
            guard let word = try held(text, in: connection) else { continue }
            try connection.execute(
                "DELETE FROM name_word WHERE word = ? AND patient = ?", [.integer(word), .integer(patient)])
            let used = try connection.first("SELECT 1 FROM name_word WHERE word = ? LIMIT 1", [.integer(word)]) {
                _ throws(DatabaseError) in true
            }
            guard used == nil else { continue }
            for tail in tails(of: text) {
                try connection.execute(
                    "DELETE FROM word_tail WHERE text = ? AND word = ?", [.text(tail), .integer(word)])
            }
            try connection.execute("DELETE FROM word WHERE id = ?", [.integer(word)])
        }
    }

    private static func held(_ text: String, in connection: SQLConnection) throws(DatabaseError) -> Int64? {
        try connection.first("SELECT id FROM word WHERE text = ?", [.text(text)]) {
            row throws(DatabaseError) in row.integer(0) ?? 0
        }
    }

    private static func word(_ text: String, in connection: SQLConnection) throws(DatabaseError) -> Int64 {
        if let held = try held(text, in: connection) { return held }
        try connection.execute("INSERT INTO word (text) VALUES (?)", [.text(text)])
        let word = connection.lastInsertedRowID
        for tail in tails(of: text) {
            try connection.execute(
                "INSERT OR IGNORE INTO word_tail (text, word) VALUES (?, ?)", [.text(tail), .integer(word)])
        }
        return word
    }

    /// What a name is found by, in a set order.
    static func entries(of groups: [String]) -> (keys: [String], words: [String]) {
        var keys: [String] = []
        var words: [String] = []
        func add(_ text: String, to list: inout [String]) {
            if !text.isEmpty, list.count < entryLimit, !list.contains(text) { list.append(text) }
        }
        for group in groups where !group.isEmpty {
            for form in [NameText.stripped(group)] + Pinyin.readings(of: bounded(group)) {
                let squashed = bounded(NameText.squashed(form))
                add(squashed, to: &keys)
                // Names in ideographs are looked through as a whole: nobody writes where the surname ends.
                if NameText.isEastAsian(form) {
                    add(squashed, to: &words)
                } else {
                    for part in form.split(separator: "^") { add(bounded(NameText.squashed(String(part))), to: &words) }
                }
            }
        }
        return (keys, words)
    }

    private static func bounded(_ text: String) -> String {
        guard text.utf8.count > characterLimit else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.prefix(characterLimit)))
    }

    /// The word and what is left of it behind each of its characters; single letters are in too many words to help.
    private static func tails(of word: String) -> [String] {
        let scalars = Array(word.unicodeScalars)
        return scalars.indices.compactMap { start in
            let rest = scalars[start...]
            if start > 0, rest.count < shortestLetters, !isWide(rest.first) { return nil }
            return String(String.UnicodeScalarView(rest))
        }
    }

    /// Letters that a look-up within words needs at least; one ideograph is enough.
    static let shortestLetters = 2

    private static func isWide(_ scalar: Unicode.Scalar?) -> Bool { (scalar?.value ?? 0) >= 0x2E80 }

    // MARK: Reading

    /// Ways to the patients that may match, each of them complete; none when the pattern begins and goes on too
    /// openly.
    static func candidates(_ pattern: NamePattern) -> [QueryDriver] {
        if !pattern.groups.isEmpty {
            return pattern.groups.compactMap { $0 }.flatMap { ways(to: [$0]) }
        }
        let forms = [pattern.anyGroup, pattern.pinyin].compactMap { $0 }
        guard pattern.fuzzy != nil else { return ways(to: forms) }
        // A name may match by its whole or by its words: both are looked up, by the query's longest word.
        guard
            let whole = forms.reduce(
                QueryDriver?.some(.none(.patient)),
                { joined, form in
                    guard let joined, let prefix = prefix(of: form) else { return nil }
                    return joined.or(prefix)
                })
        else { return [] }
        var result = whole
        for form in forms {
            let words = NamePattern.words(NameText.stripped(form.text))
            guard let longest = words.max(by: { $0.count < $1.count }),
                let inside = inside(longest.prefix { !NamePattern.Form.isWildcard($0) })
            else { return [] }
            result = result.or(inside)
        }
        return [result]
    }

    private static func ways(to forms: [NamePattern.Form]) -> [QueryDriver] {
        [forms.map(prefix(of:)), forms.map(longestRun(of:))].compactMap { ways in
            ways.reduce(QueryDriver?.some(.none(.patient))) { joined, way in
                guard let joined, let way else { return nil }
                return joined.or(way)
            }
        }
    }

    /// By what stands before the first wildcard.
    private static func prefix(of form: NamePattern.Form) -> QueryDriver? {
        let stripped = NameText.squashed(NameText.stripped(form.text))
        let opening = bounded(String(stripped.prefix { !NamePattern.Form.isWildcard($0) }))
        guard !opening.isEmpty else { return nil }
        if !form.hasWildcard, opening.unicodeScalars.count < characterLimit {
            return QueryDriver(.patient, "SELECT patient FROM name_key WHERE text = ?", [.text(opening)])
        }
        return QueryDriver(
            .patient, "SELECT patient FROM name_key WHERE text >= ? AND text < ?", QueryDriver.bounds(opening))
    }

    /// By the longest run without wildcards and delimiters of components.
    private static func longestRun(of form: NamePattern.Form) -> QueryDriver? {
        // Otherwise a run may reach from one component into the next, and no word holds it.
        guard form.isEastAsian || form.caretCount > 0 || form.beginsWithWildcard else { return nil }
        let runs = NameText.stripped(form.text).split { character in
            NamePattern.Form.isWildcard(character) || character == "^"
        }
        guard let longest = runs.map({ NameText.squashed(String($0)) }).max(by: { $0.count < $1.count }) else {
            return nil
        }
        return inside(longest.prefix(characterLimit))
    }

    private static func inside(_ run: some StringProtocol) -> QueryDriver? {
        let run = NameText.squashed(String(run))
        let scalars = run.unicodeScalars
        guard scalars.count >= shortestLetters || isWide(scalars.first) else { return nil }
        return QueryDriver(
            .patient,
            """
            SELECT name_word.patient FROM word_tail CROSS JOIN name_word ON name_word.word = word_tail.word
            WHERE word_tail.text >= ? AND word_tail.text < ?
            """, QueryDriver.bounds(run))
    }
}

extension NameIndex {
    /// Enters every patient anew, from the attributes, after a change of how names are folded or found.
    @Sendable static func rebuild(_ connection: SQLConnection) throws(DatabaseError) {
        var last: Int64 = -1
        while true {
            var rows: [(id: Int64, attributes: [UInt8])] = []
            try connection.query(
                "SELECT id, attributes FROM patient WHERE id > ? ORDER BY id LIMIT 1000", [.integer(last)]
            ) { row throws(DatabaseError) in
                rows.append((row.integer(0) ?? 0, row.blob(1) ?? []))
                return true
            }
            guard let end = rows.last?.id else { return }
            last = end
            for row in rows {
                // A damaged row is met again, and told, by whoever asks for it.
                guard let attributes = try? Dataset.held(row.attributes) else { continue }
                let name = MatchText.name(attributes.string(.patientName) ?? "")
                try connection.execute(
                    "UPDATE patient SET name_alphabetic = ?, name_ideographic = ?, name_phonetic = ? WHERE id = ?",
                    [.text(name.alphabetic), .text(name.ideographic), .text(name.phonetic), .integer(row.id)])
                try insert([name.alphabetic, name.ideographic, name.phonetic], patient: row.id, in: connection)
            }
        }
    }
}
