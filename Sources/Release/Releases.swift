import Access
import Archive
import Deidentification
import Synchronization

/// Releases objects de-identified, by the rules that peers were given. Safe from any thread.
public final class Releases: Sendable {
    /// Rules whose plans are kept.
    private static let ruleLimit = 64

    /// Names of the profiles by which a rule may be followed.
    public static let profiles = Profile.named.map(\.name)

    private struct Kept {
        var releases: [ReleaseRule: Release] = [:]
        /// Counts how often what was kept was dropped.
        var generation = 0
    }

    private let archive: Archive
    private let materials: @Sendable (String) throws -> ProjectMaterials
    private let kept = Mutex(Kept())

    /// - Parameter materials: what a project has, by its name; asked for when a rule is first used, and again once what
    ///   was kept was dropped.
    public init(archive: Archive, materials: @escaping @Sendable (String) throws -> ProjectMaterials) {
        self.archive = archive
        self.materials = materials
    }

    /// - Throws: `.unknownProfile`, `.unknownProject`.
    public func release(by rule: ReleaseRule) throws(ReleaseError) -> Release {
        let (known, generation) = kept.withLock { ($0.releases[rule], $0.generation) }
        if let known { return known }
        let profile: Profile
        do throws(Profile.Contradiction) { profile = try Profile(named: rule.profile) } catch {
            throw .unknownProfile(name: rule.profile)
        }
        let release: Release
        do {
            let materials = try materials(rule.project)
            release = Release(
                archive: archive,
                deidentifier: Deidentifier(
                    profile: profile,
                    rules: try materials.siteRules.map { try SiteRules(json: $0, profile: profile) } ?? SiteRules.none,
                    key: materials.key, pixelCleaner: materials.pixelCleaner, escrow: materials.escrow))
        } catch {
            throw .unknownProject(name: rule.project, reason: "\(error)")
        }
        kept.withLock { kept in
            // What was read before a change is used once and not kept.
            guard kept.generation == generation else { return }
            if kept.releases.count >= Self.ruleLimit { kept.releases.removeAll() }
            kept.releases[rule] = release
        }
        return release
    }

    /// Drops what is kept: a project has changed. What is under way goes on as it was begun.
    public func forget() {
        kept.withLock { kept in
            kept.releases.removeAll()
            kept.generation += 1
        }
    }
}
