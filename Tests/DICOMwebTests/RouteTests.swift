import Access
import Archive
import Audit
import DICOM
import Foundation
import HTTP
import Hummingbird
import Keys
import Logging
import Release
import Telemetry
import Testing

@testable import DICOMweb

/// The door's routes against what it says of them.
@Suite struct RouteTests {
    @Test func describesWhatItAnswersAndNothingElse() async throws {
        let directory = FileManager.default.temporaryDirectory.path + "/huizhen-routes-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var settings = Archive.Settings()
        settings.blobs.preparedLaneCount = 0
        settings.blobs.firstPrewriteByteCount = 0
        let archive = try Archive(
            directory: directory, masterKey: .file(path: directory + "/keys/master.key"), settings: settings)
        let access = try Access(
            path: directory + "/access.sqlite", key: try SymmetricKey.random(),
            settings: .init(aeTitle: "HUIZHEN", institution: "HERE", issuer: "", isOpenToUnknownPeers: false),
            audit: try AuditLog(
                directory: directory + "/audit", key: try SymmetricKey.random(),
                signer: SigningKey(seed: try SymmetricKey.random())))
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let door = Door(
            archive: archive, access: access,
            sessions: WebSessions(
                tokens: try TokenIssuer(access: access, key: try SymmetricKey.random(), record: { _ in }),
                lifetime: .seconds(3600), record: { _ in }),
            commitments: try CommitmentBoard(path: directory + "/commitments.sqlite", key: SymmetricKey.random()),
            releases: Releases(archive: archive) { _ in throw CocoaError(.fileNoSuchFile) }, settings: .init(),
            registry: Registry(), logger: logger)
        let router = door.router(try WebServer(settings: .init(), logger: logger), scheme: "http")
        // A HEAD comes with its GET.
        let routes = router.routes.filter { $0.method != .head }
            .map { "\($0.method) " + $0.path.description.replacing("**", with: "{path}") }
        let described = WebRoute.all.map { "\($0.method) \($0.root)\($0.path)" }
        #expect(Set(routes).subtracting(described) == [], "answered and not described in WebRoute.all")
        #expect(Set(described).subtracting(routes) == [], "described in WebRoute.all and not answered")
        await door.stop()
        try archive.close()
        try access.close()
    }
}
