import Access
import Audit
import Dispatch
import Foundation
import HTTP
import Keys
import Testing

@testable import Viewer

@Suite struct PeopleDoorTests {
    @Test func letsOnlySoManyWaitForASignIn() async throws {
        let directory = FileManager.default.temporaryDirectory.path + "/huizhen-people-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let access = try Access(
            path: directory + "/access.sqlite", key: try SymmetricKey.random(),
            settings: .init(aeTitle: "HUIZHEN", institution: "HERE", issuer: "", isOpenToUnknownPeers: false),
            audit: try AuditLog(
                directory: directory + "/audit", key: try SymmetricKey.random(),
                signer: SigningKey(seed: try SymmetricKey.random())))
        let sessions = WebSessions(
            tokens: try TokenIssuer(access: access, key: try SymmetricKey.random(), record: { _ in }),
            lifetime: .seconds(3600), record: { _ in })
        let accounts = try Accounts(
            access: access, key: try SymmetricKey.random(), sessions: sessions, record: { _ in })
        let door = try PeopleDoor(
            access: access, accounts: accounts, signIn: try SignIn(accounts: accounts), sessions: sessions,
            shares: try Shares(access: access, accounts: accounts, key: try SymmetricKey.random()) { _, _ in true })
        let gate = DispatchSemaphore(value: 0)
        let waiting = (0..<PeopleDoor.waitingLimit).map { _ in
            Task { try await door.signingIn { gate.wait() } }
        }
        while door.waitingCount < PeopleDoor.waitingLimit { await Task.yield() }
        let problem = await #expect(throws: Problem.self) { try await door.signingIn {} }
        #expect(problem?.status == .serviceUnavailable)
        #expect(door.waitingCount == PeopleDoor.waitingLimit)
        for _ in waiting { gate.signal() }
        for task in waiting { try await task.value }
        try await door.signingIn {}
        await door.stop()
        try access.close()
    }
}
