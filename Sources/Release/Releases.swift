import Access
import Archive
import Deidentification
import Keys
import Synchronization

/// Releases objects de-identified, by the rules that peers were given. Safe from any thread.
public final class Releases: Sendable {
    /// Rules whose plans are kept.
    private static let ruleLimit = 64

    private let archive: Archive
    private let projectKey: @Sendable (String) throws -> ProjectKey
    private let pixelCleaner: (any PixelCleaner)?
    private let known = Mutex<[ReleaseRule: Release]>([:])

    /// - Parameter projectKey: the key of a project by its name; asked for when a rule is first used.
    public init(
        archive: Archive, pixelCleaner: (any PixelCleaner)? = nil,
        projectKey: @escaping @Sendable (String) throws -> ProjectKey
    ) {
        self.archive = archive
        self.pixelCleaner = pixelCleaner
        self.projectKey = projectKey
    }

    /// - Throws: `.unknownProfile`, `.unknownProject`.
    public func release(by rule: ReleaseRule) throws(ReleaseError) -> Release {
        if let release = known.withLock({ $0[rule] }) { return release }
        let profile: Profile
        do throws(Profile.Contradiction) { profile = try Profile(named: rule.profile) } catch {
            throw .unknownProfile(name: rule.profile)
        }
        let key: ProjectKey
        do { key = try projectKey(rule.project) } catch {
            throw .unknownProject(name: rule.project, reason: "\(error)")
        }
        let release = Release(
            archive: archive, deidentifier: Deidentifier(profile: profile, key: key, pixelCleaner: pixelCleaner))
        known.withLock { known in
            if known.count >= Self.ruleLimit { known.removeAll() }
            known[rule] = release
        }
        return release
    }
}
