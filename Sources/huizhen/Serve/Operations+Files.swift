import Access
import Control

extension Operations {
    /// Carries out what `huizhen sftp` asks for.
    func files(_ request: FileRequest, _ channel: Channel) throws -> [FileAccount] {
        let files = service.access.fileAccounts
        switch request {
        case .list: return files.list()
        case .allow(let account):
            if case .person(let name) = account.holder, service.accounts.account(named: name) == nil {
                throw AccessError.account(.unknown)
            }
            return [try files.allow(account, by: actor(channel), door: Self.door)]
        case .deny(let subject):
            try files.deny(subject, by: actor(channel), door: Self.door)
            return []
        }
    }
}
