import Database
import Foundation
import Keys

/// What the rows of a table are of; says where they lie and how they are sealed, which must stay as it is for them to open.
protocol SealedKind: RawRepresentable<String>, Sendable {
    static var layout: SealedLayout { get }
}

struct SealedLayout: Sendable {
    let table: String
    let id: String
    let content: String
    /// What the table's key is derived for.
    let keyPurpose: String
    /// Before kind and identifier in what a row is bound to.
    var prefix = ""
    let damage: String
}

/// Rows of several kinds, each sealed and bound to its kind and identifier. Any thread that may block.
struct SealedTable<Kind: SealedKind>: Sendable {
    static var migration: SQLDatabase.Migration {
        let layout = Kind.layout
        return SQLDatabase.Migration([
            """
            CREATE TABLE \(layout.table) (
                kind TEXT NOT NULL, \(layout.id) TEXT NOT NULL, \(layout.content) BLOB NOT NULL,
                PRIMARY KEY (kind, \(layout.id))) WITHOUT ROWID
            """
        ])
    }

    private let database: SQLDatabase
    private let seal: PayloadSeal
    private let layout = Kind.layout

    init(database: SQLDatabase, key: SymmetricKey) throws(AccessError) {
        self.database = database
        seal = try AccessError.unlocking { () throws(KeyError) in
            try PayloadSeal(try key.derived(for: Kind.layout.keyPurpose))
        }
    }

    func all<T: Decodable>(_ kind: Kind, as type: T.Type) throws(AccessError) -> [String: T] {
        var rows: [(String, [UInt8])] = []
        let sql = "SELECT \(layout.id), \(layout.content) FROM \(layout.table) WHERE kind = ?"
        do throws(DatabaseError) {
            rows = try database.read { connection throws(DatabaseError) in
                var rows: [(String, [UInt8])] = []
                try connection.query(sql, [.text(kind.rawValue)]) { row throws(DatabaseError) in
                    rows.append((row.text(0) ?? "", row.blob(1) ?? []))
                    return true
                }
                return rows
            }
        } catch { throw .database(error) }
        var result: [String: T] = [:]
        for (id, sealed) in rows {
            let text = try open(sealed, kind, id)
            guard let value = try? JSONDecoder().decode(type, from: Data(text)) else {
                throw .database(.failed(code: -1, message: layout.damage))
            }
            result[id] = value
        }
        return result
    }

    func put(_ value: some Encodable, _ kind: Kind, _ id: String) throws(AccessError) {
        try put([(id, value)], kind)
    }

    /// Writes rows in place of what was there, all or none of them; survives a power cut.
    func put<T: Encodable>(_ values: [(id: String, value: T)], _ kind: Kind) throws(AccessError) {
        var rows: [(String, [UInt8])] = []
        for (id, value) in values {
            guard let text = try? JSONEncoder().encode(value) else { throw .invalid("this cannot be written down") }
            rows.append((id, Array(text)))
        }
        try put(bytes: rows, kind)
    }

    func put(bytes: [UInt8], _ kind: Kind, _ id: String) throws(AccessError) { try put(bytes: [(id, bytes)], kind) }

    private func put(bytes values: [(String, [UInt8])], _ kind: Kind) throws(AccessError) {
        var rows: [(String, [UInt8])] = []
        for (id, bytes) in values {
            let sealed = try AccessError.unlocking { () throws(KeyError) in
                try seal.seal(bytes, for: binding(kind, id))
            }
            rows.append((id, sealed))
        }
        let sql = "INSERT OR REPLACE INTO \(layout.table) (kind, \(layout.id), \(layout.content)) VALUES (?, ?, ?)"
        do throws(DatabaseError) {
            try database.write { [rows] connection throws(DatabaseError) in
                for (id, sealed) in rows {
                    try connection.execute(sql, [.text(kind.rawValue), .text(id), .blob(sealed)])
                }
            }
        } catch { throw .database(error) }
    }

    /// Nil where there is no such row.
    func bytes(_ kind: Kind, _ id: String) throws(AccessError) -> [UInt8]? {
        var sealed: [UInt8]?
        let sql = "SELECT \(layout.content) FROM \(layout.table) WHERE kind = ? AND \(layout.id) = ?"
        do throws(DatabaseError) {
            sealed = try database.read { connection throws(DatabaseError) in
                try connection.first(sql, [.text(kind.rawValue), .text(id)]) { row throws(DatabaseError) in
                    row.blob(0) ?? []
                }
            }
        } catch { throw .database(error) }
        guard let sealed else { return nil }
        return try open(sealed, kind, id)
    }

    func remove(_ kind: Kind, _ id: String) throws(AccessError) {
        let sql = "DELETE FROM \(layout.table) WHERE kind = ? AND \(layout.id) = ?"
        do throws(DatabaseError) {
            try database.write { connection throws(DatabaseError) in
                try connection.execute(sql, [.text(kind.rawValue), .text(id)])
            }
        } catch { throw .database(error) }
    }

    private func open(_ sealed: [UInt8], _ kind: Kind, _ id: String) throws(AccessError) -> [UInt8] {
        try AccessError.unlocking { () throws(KeyError) in try seal.open(sealed, of: binding(kind, id)) }
    }

    private func binding(_ kind: Kind, _ id: String) -> String { "\(layout.prefix)\(kind.rawValue) \(id)" }
}
