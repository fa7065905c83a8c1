import Archive
import Control
import Deidentification
import Foundation
import Glibc
import Keys
import Synchronization

/// The keys of de-identification projects and what is set for them: two files each below the data directory, sealed under
/// the master key, their owner's only. Who owns the directory's lock, or answers for the service, uses it.
struct ProjectFolder: Sendable {
    /// Projects of one installation.
    static let projectLimit = 10_000
    static let nameByteCounts = 1...64
    /// Bytes of a file of site rules.
    static let siteRulesByteCountLimit = 4 << 20
    /// Bytes of all that is set for a project, as it is kept.
    private static let settingsByteCountLimit = 32 << 20

    enum Failure: Error, CustomStringConvertible {
        case badName
        case exists
        case unknown
        case tooMany
        case damaged
        case damagedSettings
        case tooLong
        case refused(String)
        case io(String)

        var description: String {
            switch self {
            case .badName: "a project's name has 1 to 64 letters, digits, '-', '_' or '.', and begins with no '.'"
            case .exists: "there is a project of that name already; its key is kept"
            case .unknown:
                "there is no project of that name: `huizhen project list` shows all, `project create` makes one"
            case .tooMany: "there are \(projectLimit) projects; no more are kept"
            case .damaged: "the project's key file is damaged or sealed by another master key: restore it from a backup"
            case .damagedSettings:
                "what is set for the project is damaged or sealed by another master key: restore its file from a backup"
            case .tooLong:
                "a project's site rules have at most \(siteRulesByteCountLimit) bytes, its pixel rules \(PixelRules.fileByteCountLimit), each certificate \(KeyHolder.fileByteCountLimit): shorten the file"
            case .refused(let why): why
            case .io(let operation): "a project's key file cannot be written or read: \(operation) failed"
            }
        }
    }

    private let directory: String
    private let seal: PayloadSeal

    init(_ archive: Archive, dataDirectory: String) throws {
        directory = dataDirectory + "/projects"
        seal = try PayloadSeal(archive.systemKey(purpose: "projects"))
    }

    static func isName(_ name: String) -> Bool {
        nameByteCounts.contains(name.utf8.count) && name.utf8.first != UInt8(ascii: ".")
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }

    private func path(_ name: String) throws(Failure) -> String {
        guard Self.isName(name) else { throw .badName }
        return directory + "/" + name + ".key"
    }

    func create(_ name: String) throws {
        try put(name, Array(try SymmetricKey.random().withUnsafeBytes { Array($0) }))
    }

    /// Keeps a key that was made here or elsewhere.
    func put(_ name: String, _ key: [UInt8]) throws {
        try Self.turn.withLock { _ in try putInTurn(name, key) }
    }

    /// One at a time, that no key takes the place of one that was acknowledged.
    private static let turn = Mutex(())

    private func putInTurn(_ name: String, _ key: [UInt8]) throws {
        let path = try path(name)
        guard key.count == SymmetricKey.byteCount else { throw Failure.damaged }
        if access(path, F_OK) == 0 { throw Failure.exists }
        if try list().count >= Self.projectLimit { throw Failure.tooMany }
        do throws(SystemFailure) {
            try OpenFile.makeDirectory(directory)
            try OpenFile.replace(path, with: try sealed(key, name))
        } catch { throw Failure.io(error.operation) }
    }

    private func sealed(_ key: [UInt8], _ name: String) throws(SystemFailure) -> [UInt8] {
        do throws(KeyError) { return try seal.seal(key, for: name) } catch {
            throw SystemFailure(operation: "sealing", errno: 0)
        }
    }

    func key(_ name: String) throws -> [UInt8] {
        let path = try path(name)
        guard access(path, F_OK) == 0 else { throw Failure.unknown }
        do throws(SystemFailure) {
            let bytes = try OpenFile(path, flags: O_RDONLY).read(count: 4096, at: 0)
            guard let key = try? seal.open(bytes, of: name), key.count == SymmetricKey.byteCount else {
                throw SystemFailure(operation: "opening", errno: 0)
            }
            return key
        } catch {
            if error.operation == "opening" { throw Failure.damaged }
            throw Failure.io(error.operation)
        }
    }

    // MARK: Settings

    /// No name of a project has a space in it, so that no key is taken for settings.
    private static func settingsName(_ name: String) -> String { "settings of " + name }

    /// What is set for a project; nothing at first.
    func settings(_ name: String) throws -> ProjectSettings {
        let keyFile = try path(name)
        guard access(keyFile, F_OK) == 0 else { throw Failure.unknown }
        let file = directory + "/" + name + ".settings"
        guard access(file, F_OK) == 0 else { return ProjectSettings() }
        let bytes: [UInt8]
        do throws(SystemFailure) {
            var status = stat()
            let byteCount = stat(file, &status) == 0 ? Int(status.st_size) : 0
            bytes = try OpenFile(file, flags: O_RDONLY).read(count: min(byteCount, Self.settingsByteCountLimit), at: 0)
        } catch { throw Failure.io(error.operation) }
        guard let plain = try? seal.open(bytes, of: Self.settingsName(name)),
            let settings = try? JSONDecoder().decode(ProjectSettings.self, from: Data(plain))
        else { throw Failure.damagedSettings }
        return settings
    }

    /// Changes what is set for a project, once it is certain that it can be followed.
    func change(_ name: String, _ change: ProjectChange) throws -> ProjectSettings {
        try Self.turn.withLock { _ in
            let settings = change.applied(to: try self.settings(name))
            try Self.check(settings)
            let bytes = Array(try JSONEncoder().encode(settings))
            do throws(SystemFailure) {
                try OpenFile.replace(
                    directory + "/" + name + ".settings", with: try sealed(bytes, Self.settingsName(name)))
            } catch { throw Failure.io(error.operation) }
            return settings
        }
    }

    private static func check(_ settings: ProjectSettings) throws {
        guard (settings.siteRules?.count ?? 0) <= siteRulesByteCountLimit,
            (settings.pixelRules?.bytes.count ?? 0) <= PixelRules.fileByteCountLimit,
            settings.holders.count <= Escrow.holderLimit,
            settings.holders.allSatisfy({ $0.count <= KeyHolder.fileByteCountLimit })
        else { throw Failure.tooLong }
        do {
            _ = try settings.pictureRules()
            _ = try settings.escrow()
        } catch { throw Failure.refused("\(error)") }
        // Options may go with some profiles and not with others; all else is right under all of them or not at all.
        let refusals = Profile.named.map { refusal(of: settings, under: $0) }
        let isUsable = refusals.contains { $0 == nil }
        for refusal in refusals.compactMap({ $0 }) {
            if case .contradiction = refusal, isUsable { continue }
            throw Failure.refused("\(refusal)")
        }
    }

    private static func refusal(of settings: ProjectSettings, under profile: Profile) -> SiteRulesError? {
        do throws(SiteRulesError) {
            _ = try settings.siteRules(for: profile)
            return nil
        } catch { return error }
    }

    func list() throws -> [ProjectEntry] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.sorted().filter { $0.hasSuffix(".key") }.map { name in
            var status = stat()
            let time = stat(directory + "/" + name, &status) == 0 ? Int64(status.st_mtim.tv_sec) : 0
            return ProjectEntry(name: String(name.dropLast(4)), createdAt: time)
        }
    }
}
