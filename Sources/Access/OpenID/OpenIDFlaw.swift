/// Why somebody is not let in by a provider; holds nothing of what the provider or the browser sent.
public enum OpenIDFlaw: String, Error, Sendable, CaseIterable {
    /// The provider cannot be reached, is not who it should be, or is too slow.
    case unreachable
    /// What it says of itself is not to be used: another issuer, an address without TLS, no PKCE, something that is no JSON.
    case metadata
    /// The browser brings no sign-in of its own that is under way, or one that was used.
    case state
    /// The answer is another provider's. RFC 9207.
    case issuer
    /// The provider says no.
    case denied
    /// The code is not exchanged.
    case exchange
    /// The ID token is no token, or not signed with a key of the provider's.
    case signature
    case algorithm
    case tokenIssuer = "token-issuer"
    case audience
    case party
    case time
    case nonce
    case accessToken = "access-token"
    /// The token does not say who it is in a way that can be an account's name.
    case subject
}
