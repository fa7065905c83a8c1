import Access
import Control

extension Operations {
    /// Carries out what `huizhen token` asks for.
    func token(_ request: TokenRequest, _ channel: Channel) throws -> TokenReply {
        let tokens = service.webTokens
        let (actor, door) = (actor(channel), Self.door)
        switch request {
        case .clients: return .clients(tokens.clients())
        case .add(let client):
            let made = try tokens.add(client, by: actor, door: door)
            return .added(made.client, secret: made.secret)
        case .rotate(let name, let overlap):
            return .secret(try tokens.rotate(name, overlap: .seconds(overlap), by: actor, door: door))
        case .revokeClient(let name): try tokens.revokeClient(name, by: actor, door: door)
        case .revokeToken(let text):
            guard try tokens.revokeToken(text, by: actor, door: door) else {
                throw AccessError.invalid("this is no token of this service, or it has ended")
            }
        case .keys: return .keys(tokens.keys())
        case .rollKeys(let endsOthers):
            try tokens.roll(endsOthers: endsOthers, by: actor, door: door)
            return .keys(tokens.keys())
        }
        return .done
    }
}
