import Access
import Audit
import Control
import HTTP
import Transfer

extension Operations {
    /// Carries out what `huizhen site` and `huizhen transfer` ask for.
    func transfer(_ request: TransferRequest, _ channel: Channel) throws -> TransferReply {
        let transfers = service.transfers
        func note(_ object: AuditObject, _ what: String) throws {
            try service.audit.append([
                AuditEntry(
                    .configurationChanged, by: actor(channel), door: Self.door, objects: [object], reason: what)
            ])
        }
        switch request {
        case .addSite(let draft):
            let peer = try peer(of: draft)
            try note(AuditObject(.peer, draft.name), "site added")
            try service.access.add(peer)
            return .sites([peer])
        case .sites: return .sites(service.access.list().filter { $0.site != nil })
        case .removeSite(let name):
            guard service.access.peer(aeTitle: name)?.site != nil else {
                throw ControlError.refused("there is no site \(name): see `huizhen site list`")
            }
            try note(AuditObject(.peer, name), "site removed")
            try transfers.forget(site: name) { try service.access.remove(aeTitle: name) }
        case .testSite(let name):
            try note(AuditObject(.peer, name), "site tested")
            let (site, time) = try transfers.test(name)
            return .tested(site, milliseconds: time / .milliseconds(1))
        case .identity:
            let own = transfers.identity
            return .identity(
                name: own.name, certificate: own.certificate, fingerprint: own.fingerprint,
                port: service.transferPort.load(ordering: .acquiring))
        case .begin(let direction, let study, let site, let priority, let delay):
            try service.audit.append([
                AuditEntry(
                    direction == .sending ? .transferred : .configurationChanged, by: actor(channel), door: Self.door,
                    objects: [AuditObject(.study, study), AuditObject(.destination, site)],
                    reason: direction == .sending ? "push ordered" : "pull ordered")
            ])
            return .began(
                id: try transfers.begin(
                    direction, study: study, site: site, priority: min(max(priority, 0), 9),
                    delay: .seconds(max(0, delay))))
        case .list(let limit): return .transfers(try transfers.list(limit: min(max(limit, 1), Transfers.listLimit)))
        case .status(let id, let time):
            let bounded = min(max(time, 0), TransferRequest.waitLimit)
            return .transfers([try transfers.status(id, within: .milliseconds(bounded))])
        case .pause(let id, let isPaused):
            try note(AuditObject(.route, "transfer \(id)"), isPaused ? "transfer paused" : "transfer resumed")
            try transfers.setPaused(id, isPaused)
        case .retry(let id):
            try note(AuditObject(.route, "transfer \(id)"), "transfer retried")
            try transfers.retry(id)
        case .cancel(let id):
            try note(AuditObject(.route, "transfer \(id)"), "transfer cancelled")
            return .cancelled(told: try transfers.cancel(id))
        case .receipt(let id):
            let (signed, isValid) = try transfers.receipt(id)
            return .receipt(signed, isValid: isValid)
        }
        return .done
    }

    private func peer(of draft: SiteDraft) throws -> Peer {
        guard let fingerprint = CertificateSignature.fingerprint(ofPEM: draft.certificate) else {
            throw ControlError.refused("the file holds no certificate in PEM")
        }
        if let other = service.access.site(fingerprint: fingerprint), other.aeTitle != draft.name {
            throw ControlError.refused("the site \(other.aeTitle) is known by this certificate already")
        }
        let settings = service.settings
        let institution = draft.institution ?? settings.text("institution")
        return Peer(
            aeTitle: draft.name, addresses: [draft.host], services: [], institution: institution,
            issuer: draft.issuer ?? (draft.institution == nil ? settings.text("issuer") : institution),
            certificates: PeerCertificates(fingerprints: [fingerprint]), release: draft.release,
            site: SiteLine(port: draft.port, certificate: draft.certificate, rate: draft.rate))
    }
}
