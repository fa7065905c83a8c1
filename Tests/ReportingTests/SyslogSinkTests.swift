import Audit
import Foundation
import Keys
import Logging
import Synchronization
import Telemetry
import Testing

@testable import Reporting

/// A server that listens and never reads, or reads what comes; by hand, for what rsyslog does not do.
private final class Server: Sendable {
    let port: UInt16
    private let descriptor: Int32

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var size: Int32 = 4096
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 8) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        try #require(isBound)
        port = UInt16(bigEndian: address.sin_port)
    }

    /// Takes one connection and reads so many bytes of it, or to its end.
    func read(_ limit: Int) -> Reading {
        let reading = Reading()
        let descriptor = descriptor
        let thread = Thread {
            let connection = accept(descriptor, nil, nil)
            var bytes = [UInt8](repeating: 0, count: 65536)
            while reading.count < limit {
                let count = recv(connection, &bytes, bytes.count, 0)
                if count <= 0 { break }
                reading.add(Array(bytes.prefix(count)))
            }
            close(connection)
            reading.end()
        }
        thread.start()
        return reading
    }

    deinit { close(descriptor) }
}

/// What a server reads of one connection.
private final class Reading: Sendable {
    private let bytes = Mutex<[UInt8]>([])
    private let done = DispatchSemaphore(value: 0)

    var count: Int { bytes.withLock { $0.count } }

    func add(_ more: [UInt8]) { bytes.withLock { $0 += more } }

    func end() { done.signal() }

    /// Everything, once the connection has ended.
    func wait() -> [UInt8] {
        done.wait()
        return bytes.withLock { $0 }
    }
}

@Suite struct SyslogSinkTests {
    private let directory = NSTemporaryDirectory() + "huizhen-sink-" + UUID().uuidString
    private let registry = Registry()

    private var logger: Logger {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }

    private func log(_ count: Int) throws -> AuditLog {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let log = try AuditLog(directory: directory + "/audit", key: .random(), signer: SigningKey(seed: .random()))
        let actor = AuditActor(kind: .peer, name: "CT1")
        for start in stride(from: 0, to: count, by: 500) {
            try log.append(
                (start..<min(start + 500, count)).map {
                    AuditEntry(.accessed, by: actor, door: "dimse", objects: [AuditObject(.study, "1.2.\($0)")])
                })
        }
        return log
    }

    private func sink(_ log: AuditLog, _ server: Server, settle: Duration = .milliseconds(100)) throws -> SyslogSink {
        var settings = SyslogSink.Settings()
        settings.patience = .milliseconds(300)
        settings.settleTime = settle
        settings.firstRetry = .milliseconds(50)
        settings.lookInterval = .milliseconds(20)
        return try SyslogSink(
            SyslogTarget("tcp://127.0.0.1:\(server.port)", allowsPlain: false), log: log,
            source: AuditSource(aeTitle: "A", institution: "I", host: "h"), tls: nil, directory: directory + "/sinks",
            settings: settings, registry: registry, logger: logger)
    }

    private func numbers(_ bytes: [UInt8]) -> [Int] {
        String(decoding: bytes, as: UTF8.self).components(separatedBy: "[meta sequenceId=\"").dropFirst()
            .compactMap { Int($0.prefix { $0 != "\"" }) }
    }

    @Test func holdsNothingUpForAServerThatNeverReads() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let log = try log(20_000)
        let server = try Server()
        let sink = try sink(log, server)
        sink.start()
        // The buffers of the system are full, and the connection is given up.
        while sink.awaySince == nil { usleep(10_000) }
        try log.append([AuditEntry(.accessed, by: .service, door: "test")])
        #expect(log.count == 20_001)
        sink.stop()
        #expect(SinkPosition.read(directory + "/sinks/" + sink.target.name) == SinkPosition())
    }

    @Test func sendsAgainWhatAServerTookAndDidNotKeep() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let log = try log(3000)
        let server = try Server()
        // Nothing settles within the test but by an orderly end.
        let sink = try sink(log, server, settle: .seconds(3600))
        sink.start()
        let first = numbers(server.read(100_000).wait())
        #expect(first.first == 1)
        #expect(first.count < 3000)
        let second = server.read(.max)
        while second.count == 0 { usleep(1000) }
        sink.stop()
        let again = numbers(second.wait())
        // From the beginning, in order, to the end.
        #expect(again == Array(1...3000))
        #expect(SinkPosition.read(directory + "/sinks/" + sink.target.name).sequence == 3000)
    }

    @Test func sendsAnchorsBehindWhatTheyCount() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let log = try log(10)
        let anchor = try #require(try log.anchor())
        try log.append([AuditEntry(.accessed, by: .service, door: "test")])
        let second = try #require(try log.anchor())
        let server = try Server()
        let sink = try sink(log, server)
        let reading = server.read(.max)
        sink.start()
        while !registry.exposition().contains("records_total{sink=\"\(sink.target.name)\"} 11") { usleep(1000) }
        sink.stop()
        let path = directory + "/received"
        // As a server that writes a line for each message.
        let text = try messages(reading.wait()).joined(separator: "\n")
        try Data((text + "\n").utf8).write(to: URL(fileURLWithPath: path))
        #expect(try AuditAnchor.read(path: path) == [anchor, second])
        #expect(try log.verify(anchors: AuditAnchor.read(path: path)).provedCount == 11)
    }
}
