import Keys

/// Ties forms of pages to the browser they were sent to, before it is signed in: no other page knows the token.
public struct FormTokens: Sendable {
    private let key: SymmetricKey

    /// Good until the service stops.
    public init() throws(AccessError) {
        key = try AccessError.unlocking { () throws(KeyError) in try SymmetricKey.random() }
    }

    /// - Parameter binding: what the browser's cookie holds.
    public func token(for binding: String) -> String {
        key.withUnsafeBytes { TokenKey.code(Array(binding.utf8), secret: Array($0)).hexadecimal }
    }

    public func isToken(_ token: String?, for binding: String?) -> Bool {
        guard let token, let binding, !binding.isEmpty else { return false }
        return PasswordHash.areEqual(Array(token.utf8), Array(self.token(for: binding).utf8))
    }
}

extension WebSession {
    /// Whether a form that comes with it was made for it.
    public func isFormToken(_ token: String?) -> Bool {
        PasswordHash.areEqual(Array((token ?? "").utf8), Array(formToken.utf8))
    }
}
