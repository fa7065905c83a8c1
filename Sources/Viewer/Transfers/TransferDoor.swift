import Access
import HTTP
import Hummingbird

/// The page of transfers between sites.
struct TransferDoor: Sendable {
    /// Transfers that are listed.
    static let limit = 200

    let people: PeopleDoor
    let access: Access
    let sources: TransferSources

    func add<Context: OriginContext>(to router: Router<Context>) {
        router.get("transfers") { request, context in
            let visit = try people.visit(request, context)
            guard let session = visit.session else { return visit.redirect("/") }
            guard let actor = session.accessActor(access, from: visit.place),
                let sight = TransferSight(actor, of: access)
            else {
                try await people.working { try people.record(refused: session, visit) }
                throw Problem(.forbidden, "This page is not for this account.")
            }
            let rows = try await people.working { try shown(sight, actor) }
            return visit.answer(visit.page.transfers(rows))
        }
    }

    /// The rows, and the study behind a row where it may be opened; on the record before it is shown.
    private func shown(_ sight: TransferSight, _ actor: AccessActor) throws -> [(row: TransferRow, study: String?)] {
        var result: [(row: TransferRow, study: String?)] = []
        for row in try sources.list(Self.limit) {
            let study = row.isArriving ? try sight.reach.flatMap { try sources.study(row.id, $0) } : nil
            if study != nil || sight.contains(site: row.site, of: access) { result.append((row, study)) }
        }
        if result.contains(where: { $0.study != nil }) {
            try access.record(reading: "arriving studies", by: actor.auditActor, door: actor.door)
        }
        return result
    }
}
