import Access
import Archive
import Audit
import Catalog
import Control
import DICOM
import Foundation

extension Operations {
    /// As the record of acts names the operator's tools.
    static let door = "control"

    func actor(_ channel: Channel) -> AuditActor { AuditActor(kind: .localOperator, name: channel.peerUser) }

    func answer(_ request: AccessRequest, _ channel: Channel) throws {
        let access = service.access
        switch request {
        case .grants:
            try access.record(reading: "grants", by: actor(channel), door: Self.door)
            try channel.send(ControlReply.grants(access.listGrants()))
        case .grant(var grant):
            grant.madeBy = channel.peerUser
            grant.madeAt = Int64(Date().timeIntervalSince1970 * 1000)
            let owner = grant.owner
            try access.add(grant, by: actor(channel), door: Self.door) {
                try service.archive.identities(of: $0, sentBy: owner)
            }
            try channel.send(ControlReply.grants([grant]))
        case .revoke(let id, let reason):
            try access.revokeGrant(id, because: reason, by: actor(channel), door: Self.door)
        case .explain(let subject, let verb, let study, let destination):
            try channel.send(
                ControlReply.explained(try explain(subject, verb, study: study, destination: destination)))
        }
    }

    private func explain(
        _ subject: AccessRequest.Subject, _ verb: Verb, study: String?, destination: String?
    ) throws -> AccessExplanation {
        let access = service.access
        let permit: Permit
        do { permit = try self.permit(of: subject) } catch let absence as Absence {
            return AccessExplanation(
                isAllowed: false, because: absence.because, institutions: [], namedStudies: 0, study: nil)
        }
        let decision = access.decision(verb, by: permit)
        var explanation = AccessExplanation(
            isAllowed: decision.isAllowed, because: decision.because, institutions: [], namedStudies: 0, study: nil)
        if let destination {
            guard let peer = access.peer(aeTitle: destination) else { throw AccessError.unknownPeer(destination) }
            if let flaw = access.flaw(of: peer, for: permit.institution) {
                (explanation.isAllowed, explanation.because) = (false, flaw)
                return explanation
            }
        }
        switch decision.reach {
        case .everything: explanation.institutions = nil
        case .limited(let full, let masked):
            explanation.institutions = full.institutions.sorted()
            explanation.namedStudies = full.studies.values.reduce(0) { $0 + $1.count }
            explanation.namedSeries = full.series.values.flatMap(\.values).reduce(0) { $0 + $1.count }
            explanation.namedPatients = full.patients.values.reduce(0) { $0 + $1.count }
            explanation.masked = masked.keys.sorted().map(\.name)
        case nil: break
        }
        if let study {
            let holders = try holders(of: study, as: .everything)
            func seen(_ masking: Masking) throws -> Set<String> {
                try decision.reach.map { try self.holders(of: study, as: Visibility($0, upTo: masking)) } ?? []
            }
            let full = try seen(.full)
            explanation.study = .init(uniqueKeysWithValues: holders.map { ($0, full.contains($0)) })
            explanation.studyMasked = try seen(.deidentified).subtracting(full).sorted()
        }
        return explanation
    }

    /// Why somebody would not be let in at all.
    private struct Absence: Error { let because: String }

    /// Who it would be, once let in.
    private func permit(of subject: AccessRequest.Subject) throws -> Permit {
        let access = service.access
        switch subject {
        case .peer(let title):
            guard access.peer(aeTitle: title) != nil else { throw AccessError.unknownPeer(title) }
            guard let peer = access.standingPeer(title) else {
                throw Absence(because: "the peer was not confirmed in the permission review")
            }
            return Permit(
                kind: .peer, aeTitle: title, services: peer.services, roles: [.system],
                institution: peer.institution, issuer: peer.issuer)
        case .person(let roles, let institution, let name):
            return Permit(
                kind: .person, aeTitle: access.settings.aeTitle, roles: roles, institution: institution,
                issuer: access.settings.issuer, user: name)
        case .account(let name):
            guard let account = service.accounts.account(named: name) else {
                throw Absence(because: "there is no such account")
            }
            switch account.state {
            case .active: break
            case .invited: throw Absence(because: "the person has not signed in yet")
            case .disabled: throw Absence(because: "the account is disabled, by somebody or by the permission review")
            }
            if service.accounts.isLockedOut(account) { throw Absence(because: "the account is locked out for now") }
            return access.permit(of: account)
        }
    }

    private func holders(of study: String, as visibility: Visibility) throws -> Set<String> {
        let limit = service.settings.integer("dimse.retrieve-limit")
        let holdings = try service.archive.holdings(
            patientID: nil, studyInstanceUIDs: [study], seriesInstanceUIDs: [], sopInstanceUIDs: [],
            visibility: visibility, limit: limit)
        return Set(holdings.map(\.sender.institution))
    }
}
