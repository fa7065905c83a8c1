import Database
import Foundation
import Keys

/// The rows of accounts and their changes. Every value is sealed and bound to its row; names are found by a keyed digest.
struct AccountTable: Sendable {
    static let migration = SQLDatabase.Migration([
        """
        CREATE TABLE account (
            id INTEGER PRIMARY KEY, name_digest BLOB NOT NULL UNIQUE, account BLOB NOT NULL, secrets BLOB NOT NULL)
        """,
        """
        CREATE TABLE account_change (
            account INTEGER NOT NULL REFERENCES account (id), version INTEGER NOT NULL, change BLOB NOT NULL,
            PRIMARY KEY (account, version)) WITHOUT ROWID
        """,
    ])

    /// An account with its secrets as they are sealed.
    struct Row: Sendable {
        var account: Account
        var secrets: [UInt8]
    }

    private let database: SQLDatabase
    private let seal: PayloadSeal
    private let nameKey: SymmetricKey

    init(database: SQLDatabase, key: SymmetricKey) throws(KeyError) {
        self.database = database
        seal = try PayloadSeal(try key.derived(for: "huizhen account rows 1"))
        nameKey = try key.derived(for: "huizhen account names 1")
    }

    func all() throws(AccessError) -> [Row] {
        var sealed: [(Int64, [UInt8], [UInt8])] = []
        do throws(DatabaseError) {
            sealed = try database.read { connection throws(DatabaseError) in
                var result: [(Int64, [UInt8], [UInt8])] = []
                try connection.query("SELECT id, account, secrets FROM account ORDER BY id") {
                    row throws(DatabaseError) in
                    result.append((row.integer(0) ?? 0, row.blob(1) ?? [], row.blob(2) ?? []))
                    return true
                }
                return result
            }
        } catch { throw .database(error) }
        var rows: [Row] = []
        for (id, account, secrets) in sealed {
            rows.append(Row(account: try open(account, as: Account.self, of: "account \(id)"), secrets: secrets))
        }
        return rows
    }

    /// Every change of an account, the first one first.
    func changes(of id: Int64) throws(AccessError) -> [AccountChange] {
        var sealed: [(Int64, [UInt8])] = []
        do throws(DatabaseError) {
            sealed = try database.read { connection throws(DatabaseError) in
                var result: [(Int64, [UInt8])] = []
                try connection.query(
                    "SELECT version, change FROM account_change WHERE account = ? ORDER BY version", [.integer(id)]
                ) { row throws(DatabaseError) in
                    result.append((row.integer(0) ?? 0, row.blob(1) ?? []))
                    return true
                }
                return result
            }
        } catch { throw .database(error) }
        var changes: [AccountChange] = []
        for (version, change) in sealed {
            changes.append(try open(change, as: AccountChange.self, of: "account change \(id) \(version)"))
        }
        return changes
    }

    /// Writes an account and, if there is one, its change, in one transaction that survives a power cut.
    ///
    /// - Returns: the secrets as they are sealed now.
    func write(
        _ account: Account, secrets: AccountSecrets, change: AccountChange?
    ) throws(AccessError) -> [UInt8] {
        let id = account.id
        let sealedAccount = try sealed(account, of: "account \(id)")
        let sealedSecrets = try sealed(secrets, of: Self.secretsName(id))
        let sealedChange: [UInt8]?
        if let change {
            sealedChange = try sealed(change, of: "account change \(id) \(account.version)")
        } else {
            sealedChange = nil
        }
        let digest = digest(of: account.name)
        do throws(DatabaseError) {
            try database.write { connection throws(DatabaseError) in
                try connection.execute(
                    """
                    INSERT INTO account (id, name_digest, account, secrets) VALUES (?, ?, ?, ?)
                    ON CONFLICT (id) DO UPDATE SET account = excluded.account, secrets = excluded.secrets
                    """, [.integer(id), .blob(digest), .blob(sealedAccount), .blob(sealedSecrets)])
                if let sealedChange {
                    try connection.execute(
                        "INSERT INTO account_change (account, version, change) VALUES (?, ?, ?)",
                        [.integer(id), .integer(Int64(account.version)), .blob(sealedChange)])
                }
            }
        } catch { throw .database(error) }
        return sealedSecrets
    }

    func secrets(_ sealed: [UInt8], of id: Int64) throws(AccessError) -> AccountSecrets {
        try open(sealed, as: AccountSecrets.self, of: Self.secretsName(id))
    }

    func sealed(_ secrets: AccountSecrets, of id: Int64) throws(AccessError) -> [UInt8] {
        try sealed(secrets, of: Self.secretsName(id))
    }

    private static func secretsName(_ id: Int64) -> String { "account secrets \(id)" }

    private func digest(of name: String) -> [UInt8] {
        nameKey.withUnsafeBytes { TokenKey.code(Array(name.utf8), secret: Array($0)) }
    }

    private func sealed(_ value: some Encodable, of name: String) throws(AccessError) -> [UInt8] {
        guard let text = try? JSONEncoder().encode(value) else { throw .invalid("the account cannot be written down") }
        do throws(KeyError) { return try seal.seal(Array(text), for: name) } catch { throw .keys(error) }
    }

    private func open<T: Decodable>(_ bytes: [UInt8], as type: T.Type, of name: String) throws(AccessError) -> T {
        let text: [UInt8]
        do throws(KeyError) { text = try seal.open(bytes, of: name) } catch { throw .keys(error) }
        guard let value = try? JSONDecoder().decode(type, from: Data(text)) else {
            throw .database(.failed(code: -1, message: "an account's row is damaged"))
        }
        return value
    }
}
