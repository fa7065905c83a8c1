import Control
import Deidentification

/// What is set for a project, as the engine takes it.
extension ProjectSettings {
    func siteRules(for profile: Profile) throws(SiteRulesError) -> SiteRules {
        guard let siteRules else { return .none }
        return try SiteRules(json: Array(siteRules), profile: profile)
    }

    func pictureRules() throws(PixelRules.Failure) -> PixelRules {
        guard let pixelRules else { return .none }
        return pixelRules.isScript
            ? try PixelRules(ctp: Array(pixelRules.bytes)) : try PixelRules(json: Array(pixelRules.bytes))
    }

    /// Nil without holders.
    func escrow() throws(EscrowError) -> Escrow? {
        if holders.isEmpty { return nil }
        return try Escrow(try keyHolders())
    }

    func keyHolders() throws(EscrowError) -> [KeyHolder] {
        var result: [KeyHolder] = []
        for bytes in holders { result.append(try KeyHolder(Array(bytes))) }
        return result
    }

    /// For the record of acts.
    static func words(_ change: ProjectChange) -> String {
        var words = change.dropped.map { "\($0.rawValue) taken away" }.sorted()
        if let rules = change.siteRules { words.append("site rules of \(rules.count) bytes set") }
        if let rules = change.pixelRules { words.append("pixel rules of \(rules.bytes.count) bytes set") }
        if let holders = change.holders {
            let names = holders.map { (try? KeyHolder(Array($0)))?.fingerprint ?? "no certificate" }
            words.append("escrow set for " + names.joined(separator: ", "))
        }
        return "project settings changed: " + words.joined(separator: "; ")
    }
}
