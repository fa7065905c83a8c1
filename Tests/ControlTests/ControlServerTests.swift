import Foundation
import Synchronization
import Testing

@testable import Control

/// The socket in the data directory.
struct ControlServerTests {
    private final class Directory {
        let path: String

        init() throws {
            path = FileManager.default.temporaryDirectory.path + "/hz-control-" + UUID().uuidString
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    @Test func answersSeveralToolsAtOnce() throws {
        let directory = try Directory()
        let server = try ControlServer(dataDirectory: directory.path) { channel in
            while let request = try? channel.receive(ControlRequest.self) {
                if case .removePeer(let title) = request { try? channel.send(ControlReply.failed(title)) }
            }
        }
        defer { server.close() }
        let tools = try (0..<5).map { _ in try Channel.connect(dataDirectory: directory.path) }
        for (index, tool) in tools.enumerated() {
            try tool.send(ControlRequest.removePeer(aeTitle: "P\(index)"))
        }
        for (index, tool) in tools.enumerated().reversed() {
            guard case .failed("P\(index)") = try tool.receive(ControlReply.self) else {
                return #expect(Bool(false), "another reply")
            }
        }
    }

    @Test func letsOnlyTheOwnerAtItsSocket() throws {
        let directory = try Directory()
        let server = try ControlServer(dataDirectory: directory.path) { _ in }
        let path = directory.path + "/" + ControlServer.socketName
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        server.close()
        server.close()
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func takesTheNameOverFromAServiceThatDied() throws {
        let directory = try Directory()
        let path = directory.path + "/" + ControlServer.socketName
        #expect(FileManager.default.createFile(atPath: path, contents: Data()))
        let server = try ControlServer(dataDirectory: directory.path) { try? $0.send(ControlReply.done) }
        defer { server.close() }
        guard case .done = try Channel.connect(dataDirectory: directory.path).receive(ControlReply.self) else {
            return #expect(Bool(false), "another reply")
        }
    }

    @Test func saysThatNoServiceRuns() throws {
        let directory = try Directory()
        expect(.notRunning) { _ = try Channel.connect(dataDirectory: directory.path) }
        let server = try ControlServer(dataDirectory: directory.path) { _ in }
        server.close()
        expect(.notRunning) { _ = try Channel.connect(dataDirectory: directory.path) }
    }

    @Test func saysWhenThePathIsTooLongForASocket() {
        let path = "/tmp/" + String(repeating: "x", count: 120)
        expect(.cannotListen) { _ = try ControlServer(dataDirectory: path) { _ in } }
        expect(.notRunning) { _ = try Channel.connect(dataDirectory: path) }
    }

    @Test func closesTheConnectionOnePastItsLimit() throws {
        let directory = try Directory()
        let served = Atomic<Int>(0)
        let server = try ControlServer(dataDirectory: directory.path) { channel in
            served.wrappingAdd(1, ordering: .relaxed)
            try? channel.send(ControlReply.done)
            _ = try? channel.receive(ControlRequest.self)
        }
        defer { server.close() }
        var tools: [Channel] = []
        for _ in 0..<ControlServer.connectionLimit {
            let tool = try Channel.connect(dataDirectory: directory.path)
            _ = try tool.receive(ControlReply.self)
            tools.append(tool)
        }
        let late = try Channel.connect(dataDirectory: directory.path)
        expect(.connectionLost) { _ = try late.receive(ControlReply.self) }
        #expect(served.load(ordering: .relaxed) == ControlServer.connectionLimit)
    }

    @Test func closesConnectionsBeyondTheBound() throws {
        let directory = try Directory()
        let path = directory.path + "/listener"
        let listener = try LocalListener(path: path, .init(name: "test", connectionLimit: 2)) {
            connection, credentials in
            var byte: UInt8 = credentials.user == geteuid() ? 1 : 0
            _ = send(connection, &byte, 1, Int32(MSG_NOSIGNAL))
            // Until the other side ends.
            _ = recv(connection, &byte, 1, 0)
            close(connection)
        }
        defer { listener.close() }
        func greeted(_ connection: CInt) -> Bool {
            var byte: UInt8 = 0
            return recv(connection, &byte, 1, 0) == 1 && byte == 1
        }
        let held = try (0..<2).map { _ in try LocalListener.connect(to: path) }
        defer { for connection in held { close(connection) } }
        for connection in held { #expect(greeted(connection)) }
        let third = try LocalListener.connect(to: path)
        #expect(!greeted(third))
        close(third)
    }

    @Test func letsAGroupAtItsSocketIfOneIsNamed() throws {
        let directory = try Directory()
        let path = directory.path + "/listener"
        let listener = try LocalListener(
            path: path, .init(name: "test", connectionLimit: 2, group: getegid())
        ) { connection, _ in close(connection) }
        defer { listener.close() }
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o660)
        #expect(attributes[.groupOwnerAccountID] as? UInt32 == getegid())
    }
}
