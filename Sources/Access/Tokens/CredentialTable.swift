import Database
import Foundation
import Keys

/// Rows of credentials that are not accounts: signing keys, API clients, revoked tokens, share links. Each is sealed and
/// bound to its kind and name.
struct CredentialTable: Sendable {
    enum Kind: String, Sendable {
        case tokenKey = "token key"
        case client
        case revokedToken = "revoked token"
        case share
    }

    static let migration = SQLDatabase.Migration([
        """
        CREATE TABLE credential (
            kind TEXT NOT NULL, name TEXT NOT NULL, content BLOB NOT NULL, PRIMARY KEY (kind, name)) WITHOUT ROWID
        """
    ])

    private let database: SQLDatabase
    private let seal: PayloadSeal

    init(database: SQLDatabase, key: SymmetricKey) throws(KeyError) {
        self.database = database
        seal = try PayloadSeal(try key.derived(for: "huizhen credential rows 1"))
    }

    func all<T: Decodable>(_ kind: Kind, as type: T.Type) throws(AccessError) -> [String: T] {
        var sealed: [(String, [UInt8])] = []
        do throws(DatabaseError) {
            sealed = try database.read { connection throws(DatabaseError) in
                var result: [(String, [UInt8])] = []
                try connection.query("SELECT name, content FROM credential WHERE kind = ?", [.text(kind.rawValue)]) {
                    row throws(DatabaseError) in
                    result.append((row.text(0) ?? "", row.blob(1) ?? []))
                    return true
                }
                return result
            }
        } catch { throw .database(error) }
        var rows: [String: T] = [:]
        for (name, content) in sealed {
            let text: [UInt8]
            do throws(KeyError) { text = try seal.open(content, of: Self.binding(kind, name)) } catch {
                throw .keys(error)
            }
            guard let value = try? JSONDecoder().decode(type, from: Data(text)) else {
                throw .database(.failed(code: -1, message: "a row of credentials is damaged"))
            }
            rows[name] = value
        }
        return rows
    }

    /// Writes a row in place of what was there; survives a power cut.
    func put(_ kind: Kind, _ name: String, _ value: some Encodable) throws(AccessError) {
        guard let text = try? JSONEncoder().encode(value) else { throw .invalid("the credential cannot be written") }
        let content: [UInt8]
        do throws(KeyError) { content = try seal.seal(Array(text), for: Self.binding(kind, name)) } catch {
            throw .keys(error)
        }
        try change("INSERT OR REPLACE INTO credential (kind, name, content) VALUES (?, ?, ?)", kind, name, content)
    }

    func remove(_ kind: Kind, _ name: String) throws(AccessError) {
        try change("DELETE FROM credential WHERE kind = ? AND name = ?", kind, name, nil)
    }

    private func change(_ sql: String, _ kind: Kind, _ name: String, _ content: [UInt8]?) throws(AccessError) {
        do throws(DatabaseError) {
            try database.write { connection throws(DatabaseError) in
                try connection.execute(
                    sql, [.text(kind.rawValue), .text(name)] + (content.map { [.blob($0)] } ?? []))
            }
        } catch { throw .database(error) }
    }

    private static func binding(_ kind: Kind, _ name: String) -> String { "\(kind.rawValue) \(name)" }
}
