import Access
import Archive
import Audit
import Control
import Foundation

extension Operations {
    /// Carries out what `huizhen consent`, `destination`, `statistics` and parts of `access` ask for.
    func answer(_ request: OversightRequest, _ channel: Channel) throws {
        let access = service.access
        let actor = AccessActor.localOperator(channel.peerUser)
        func note(_ list: String) throws(Denial) {
            try access.record(reading: list, by: actor.auditActor, door: Self.door)
        }
        func send(_ reply: OversightReply) throws { try channel.send(ControlReply.oversight(reply)) }
        switch request {
        case .consents:
            try note("consents")
            try send(.consents(access.consents.list(for: actor)))
        case .addConsent(let consent, let name, let document):
            let file = document.map { (name: name ?? "", bytes: Array($0)) }
            try send(.consents([try access.consents.add(consent, document: file, by: actor)]))
        case .withdrawConsent(let id, let reason):
            try access.consents.withdraw(id, because: reason, by: actor)
        case .deleteConsent(let id, let reason): try access.consents.delete(id, because: reason, by: actor)
        case .consentDocument(let id):
            guard let bytes = try access.consents.document(id, for: actor) else {
                throw ControlError.refused("the record has no document")
            }
            let name = try access.consents.consent(id, for: actor).document?.name ?? ""
            try send(.document(name: name, Data(bytes)))
        case .emergencies:
            try note("emergencies")
            try send(
                .emergencies(access.emergencies.list(for: actor), reviewDays: access.emergencies.settings.reviewDays))
        case .reviewEmergency(let id, let isJustified, let note):
            try access.emergencies.review(id, isJustified: isJustified, note: note, by: actor)
        case .endEmergency(let id): try access.emergencies.end(id, by: actor)
        case .destinations:
            let all = access.listDestinations()
            var flaws: [String: String] = [:]
            for one in all {
                flaws[one.name] =
                    access.peer(aeTitle: one.name).map { access.flaw(of: $0, for: nil) }
                    ?? access.exportFlaw(to: one.name)
            }
            try send(.destinations(all, flaws: flaws))
        case .approve(let destination): try access.approve(destination, by: actor)
        case .revokeDestination(let name, let reason):
            try access.revokeDestination(name, because: reason, by: actor)
        case .reviewItems:
            try note("review")
            try send(.reviewItems(reviewItems(for: actor)))
        case .confirm(let names): try send(.reviewItems(try confirm(names, actor)))
        case .statistics:
            try note("statistics")
            try send(.statistics(try service.archive.statistics(.everything)))
        }
    }

    private func reviewItems(for actor: AccessActor) -> [ReviewItem] {
        service.access.reviewItems(
            accounts: service.accounts, more: service.webTokens.clients().map(\.reviewSubject),
            for: actor)
    }

    private func confirm(_ names: [ReviewName], _ actor: AccessActor) throws -> [ReviewItem] {
        let items = reviewItems(for: actor)
        for name in names where !items.contains(where: { $0.subject.kind == name.kind && $0.subject.id == name.id }) {
            throw ControlError.refused("there is no \(name.kind.rawValue) \(name.id) to confirm")
        }
        let wanted = items.filter { item in
            names.isEmpty || names.contains { $0.kind == item.subject.kind && $0.id == item.subject.id }
        }
        for item in wanted {
            try service.access.confirm(item, by: actor, in: service.accounts)
        }
        return wanted
    }

    func noteOversight(_ status: inout ServiceStatus) {
        status.unapprovedDestinations = service.access.unapprovedDestinations()
        status.openAlerts = service.access.alerts.openCount
        status.openEmergencies = service.access.emergencies.openReviews().open
        status.dueReviews = reviewItems(for: .service).count { $0.state != .confirmed }
    }
}

extension Archive {
    /// Whose a study of an institution is, in the words of grants; nobody's where it is not held.
    func identities(of study: String, sentBy institution: String) throws -> Set<Emergency.Patient> {
        Set(
            try patients(of: study, sentBy: institution).map {
                Emergency.Patient(patientID: $0.patientID, issuer: $0.issuer)
            })
    }
}
