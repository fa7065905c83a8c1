import Foundation
import Hummingbird
import Logging
import Testing

@testable import HTTP

/// The operator's port, which every account of the machine can reach.
@Suite(.timeLimit(.minutes(30))) struct StatusServerTests {
    /// What a client that sends this and nothing more is told until its connection is closed.
    private static func said(to text: String, port: Int) throws -> String {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(connected == 0)
        _ = text.withCString { send(descriptor, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
        var answer: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 4096)
        while case let count = recv(descriptor, &bytes, bytes.count, 0), count > 0 { answer += bytes[..<count] }
        return String(decoding: answer, as: UTF8.self)
    }

    /// What it tells clients that send these texts, one after the other.
    private static func answers(to texts: [String], idleTime: Duration) async throws -> [String?] {
        let (ports, opened) = AsyncStream.makeStream(of: Int.self)
        let server = StatusServer(
            port: 0, idleTime: idleTime, logger: Logger(label: "test"),
            health: { StatusServer.Health(isServing: true, detail: "fine") }, metrics: { "" })
        let application = server.application { opened.yield($0) }
        // Not on the threads that other tests hold.
        let running = Task {
            try await withTaskExecutorPreference(LoopExecutor()) { try await application.run() }
        }
        defer { running.cancel() }
        let port = try #require(await ports.first { _ in true })
        return await withCheckedContinuation { done in
            Thread.detachNewThread { done.resume(returning: texts.map { try? Self.said(to: $0, port: port) }) }
        }
    }

    @Test func keepsNobodyWhoIsSilent() async throws {
        let answers = try await Self.answers(
            to: ["", "GET /health HTTP/1.1\r\nHost: localhost\r\nX-A: "], idleTime: .seconds(1))
        #expect(answers == ["", ""])
    }

    @Test func answersAndTakesNoBodies() async throws {
        // Long enough for a machine that has much else to do.
        let answers = try await Self.answers(
            to: [
                "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                "POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nx",
            ], idleTime: .seconds(60))
        #expect(answers[0]?.hasPrefix("HTTP/1.1 200") == true && answers[0]?.contains("fine") == true)
        #expect(answers[1]?.hasPrefix("HTTP/1.1 4") == true)
    }
}
