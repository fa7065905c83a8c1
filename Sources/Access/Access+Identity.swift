import Foundation

extension Access {
    /// What a claimed identity comes to.
    struct IdentityVerdict {
        /// Who it is, once checked.
        var user: String?
        /// What to answer if an answer is asked for; nil when nothing was checked.
        var response: [UInt8]?
    }

    /// Checks a claimed identity against what is known of the peer. PS3.7 §D.3.3.7.
    ///
    /// An identity of a peer that none was agreed with is passed over, as the standard has it for acceptors that do not
    /// support the negotiation; Kerberos, SAML and unknown kinds are refused always.
    func check(_ claim: ClaimedIdentity?, of peer: Peer?) throws(Refusal) -> IdentityVerdict {
        let rule = peer?.identity
        guard let claim else {
            if rule?.isRequired == true { throw .identityMissing }
            return IdentityVerdict()
        }
        switch claim.kind {
        case 1, 2:
            guard let peer, let rule else { return IdentityVerdict() }
            guard let user = rule.user, let hash = secrets(of: peer.aeTitle)?.password else { throw .identityRefused }
            guard claim.kind == 2, claim.primary.count <= PeerIdentity.textByteCountLimit else {
                throw .identityRefused
            }
            // The password is tried in any case: the time shall not tell which of the two was wrong.
            let isRight = passwords.matches(claim.secondary, hash, peer: peer.aeTitle)
            guard isRight, PasswordHash.areEqual(claim.primary, Array(user.utf8)) else { throw .identityRefused }
            return IdentityVerdict(user: user, response: [])
        case 5:
            guard let peer, let rule else { return IdentityVerdict() }
            guard rule.takesTokens, let key = secrets(of: peer.aeTitle)?.tokenKey else { throw .identityRefused }
            guard
                let token = Token(
                    claim.primary, key: key, issuer: rule.issuer, audience: rule.audience ?? settings.aeTitle,
                    now: Date().timeIntervalSince1970)
            else { throw .identityRefused }
            // PS3.7 Table D.3-15: the response to a token is the token.
            return IdentityVerdict(user: token.subject, response: claim.primary)
        default: throw .identityRefused
        }
    }
}
