import Access
import Control

extension Operations {
    /// Carries out what `huizhen user` asks for.
    func user(_ request: UserRequest, by user: String) throws -> UserReply {
        let accounts = service.accounts
        let actor = AccountActor.localOperator(user)
        switch request {
        case .add(let name, let description):
            let made = try accounts.invite(name: name, description, by: actor)
            return .oneTimePassword(made.password, of: made.account)
        case .list: return .accounts(accounts.list(for: actor))
        case .history(let name): return .changes(try accounts.changes(of: account(name).id, for: actor))
        case .change(let name, let change):
            let account = try account(name)
            var description = account.description
            description = .init(
                displayName: change.displayName ?? description.displayName,
                institution: change.institution ?? description.institution, roles: change.roles ?? description.roles)
            return .changed(try accounts.describe(account.id, as: description, by: actor))
        case .setDisabled(let name, let isDisabled):
            return .changed(try accounts.setDisabled(account(name).id, isDisabled, by: actor))
        case .reset(let name):
            let account = try account(name)
            return .oneTimePassword(try accounts.reset(account.id, by: actor), of: account)
        case .unlock(let name):
            let account = try account(name)
            try accounts.unlock(account.id, by: actor)
            return .changed(account)
        }
    }

    private func account(_ name: String) throws(AccessError) -> Account {
        guard let account = service.accounts.account(named: name) else { throw .account(.unknown) }
        return account
    }
}
