import Access
import Control

extension Operations {
    /// Carries out what `huizhen share` asks for.
    func share(_ request: ShareRequest, by user: String) throws -> ShareReply {
        let (shares, actor) = (service.shares, AccountActor.localOperator(user))
        switch request {
        case .list:
            try service.access.record(reading: "shares", by: actor.auditActor, door: Self.door)
            return .links(shares.list(for: actor))
        case .make(let study, let institution, let purpose, let days):
            let made = try shares.make(study: study, institution: institution, purpose: purpose, days: days, by: actor)
            return .made(made.link, code: made.code, secret: made.secret)
        case .revoke(let id):
            try shares.revoke(id, by: actor)
            return .done
        }
    }
}
