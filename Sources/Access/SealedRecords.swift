import Database
import Foundation
import Keys

/// Rows of one kind, each sealed and bound to its kind and identifier. Any thread that may block.
struct SealedRecords: Sendable {
    enum Kind: String {
        case consent, document, emergency, destination, confirmation, use, begun
    }

    static let migration = SQLDatabase.Migration([
        """
        CREATE TABLE access_record (
            kind TEXT NOT NULL, id TEXT NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID
        """
    ])

    let database: SQLDatabase
    private let seal: PayloadSeal

    init(database: SQLDatabase, key: SymmetricKey) throws(AccessError) {
        self.database = database
        seal = try AccessError.unlocking { () throws(KeyError) in
            try PayloadSeal(try key.derived(for: "huizhen access records 1"))
        }
    }

    func all<T: Decodable>(_ kind: Kind, as type: T.Type) throws(AccessError) -> [String: T] {
        var rows: [(String, [UInt8])] = []
        do throws(DatabaseError) {
            rows = try database.read { connection throws(DatabaseError) in
                var rows: [(String, [UInt8])] = []
                try connection.query("SELECT id, sealed FROM access_record WHERE kind = ?", [.text(kind.rawValue)]) {
                    row throws(DatabaseError) in
                    rows.append((row.text(0) ?? "", row.blob(1) ?? []))
                    return true
                }
                return rows
            }
        } catch { throw .database(error) }
        var result: [String: T] = [:]
        for (id, sealed) in rows {
            guard let value = try? JSONDecoder().decode(type, from: Data(try open(sealed, kind, id))) else {
                throw .database(.failed(code: -1, message: "a row of access records is damaged"))
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
                try seal.seal(bytes, for: Self.name(kind, id))
            }
            rows.append((id, sealed))
        }
        do throws(DatabaseError) {
            try database.write { [rows] connection throws(DatabaseError) in
                for (id, sealed) in rows {
                    try connection.execute(
                        "INSERT OR REPLACE INTO access_record (kind, id, sealed) VALUES (?, ?, ?)",
                        [.text(kind.rawValue), .text(id), .blob(sealed)])
                }
            }
        } catch { throw .database(error) }
    }

    /// Nil where there is no such row.
    func bytes(_ kind: Kind, _ id: String) throws(AccessError) -> [UInt8]? {
        var sealed: [UInt8]?
        do throws(DatabaseError) {
            sealed = try database.read { connection throws(DatabaseError) in
                try connection.first(
                    "SELECT sealed FROM access_record WHERE kind = ? AND id = ?", [.text(kind.rawValue), .text(id)]
                ) { row throws(DatabaseError) in row.blob(0) ?? [] }
            }
        } catch { throw .database(error) }
        guard let sealed else { return nil }
        return try open(sealed, kind, id)
    }

    func remove(_ kind: Kind, _ id: String) throws(AccessError) {
        do throws(DatabaseError) {
            try database.write { connection throws(DatabaseError) in
                try connection.execute(
                    "DELETE FROM access_record WHERE kind = ? AND id = ?", [.text(kind.rawValue), .text(id)])
            }
        } catch { throw .database(error) }
    }

    private func open(_ sealed: [UInt8], _ kind: Kind, _ id: String) throws(AccessError) -> [UInt8] {
        try AccessError.unlocking { () throws(KeyError) in try seal.open(sealed, of: Self.name(kind, id)) }
    }

    private static func name(_ kind: Kind, _ id: String) -> String { "access record \(kind.rawValue) \(id)" }
}
