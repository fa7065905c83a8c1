/// Credentials that are not accounts: signing keys, API clients, revoked tokens, share links.
typealias CredentialTable = SealedTable<CredentialKind>

enum CredentialKind: String, SealedKind {
    case tokenKey = "token key"
    case client
    case revokedToken = "revoked token"
    case share

    static let layout = SealedLayout(
        table: "credential", id: "name", content: "content", keyPurpose: "huizhen credential rows 1",
        damage: "a row of credentials is damaged")
}
