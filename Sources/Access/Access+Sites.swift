import Foundation

extension Access {
    /// The site that a certificate belongs to; nil for none.
    ///
    /// - Parameter fingerprint: SHA-256 of the certificate, 64 lower-case hexadecimal digits.
    public func site(fingerprint: String) -> Peer? {
        list().first { $0.site != nil && $0.certificates?.fingerprints.contains(fingerprint) == true }
    }

    /// Who a site is that showed its certificate; nil where there is none, or it was not confirmed in the permission review.
    ///
    /// - Parameter address: where it comes from.
    public func admit(siteFingerprint fingerprint: String, from address: String, now: Date = Date()) -> Permit? {
        guard let peer = site(fingerprint: fingerprint), let permit = permit(of: peer, from: address, now: now) else {
            return nil
        }
        reviews.noteUse(.peer, peer.aeTitle, at: Self.milliseconds(now))
        return permit
    }

    /// Who a site would be if it came; nil as above.
    public func permit(ofSite name: String, now: Date = Date()) -> Permit? {
        guard let peer = peer(aeTitle: name), peer.site != nil else { return nil }
        return permit(of: peer, from: "", now: now)
    }

    /// What some grants alone let a site retrieve, whatever else it may; nil where its review has lapsed or there is none.
    public func reach(ofSite name: String, by grants: [Grant], now: Date = Date()) -> Reach? {
        guard var permit = permit(ofSite: name, now: now) else { return nil }
        // Sees what is granted, and nothing of its own institution.
        permit.roles = [.expert]
        return Policy.decide(.retrieve, by: permit, grants: grants, now: Self.milliseconds(now)).reach
    }

    private func permit(of peer: Peer, from address: String, now: Date) -> Permit? {
        guard !isExpired(.peer, peer.aeTitle, at: Self.milliseconds(now)) else { return nil }
        return Permit(
            kind: .peer, aeTitle: peer.aeTitle, services: [.store, .get], roles: [.system],
            institution: peer.institution, issuer: peer.issuer, address: address)
    }
}
