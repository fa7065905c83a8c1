import Access
import Foundation
import Glibc
import Testing

@testable import Control

/// Frames between a tool and the service.
struct ChannelTests {
    /// A channel and the bare socket at its other end.
    private func pair() throws -> (channel: Channel, socket: CInt) {
        var ends: [CInt] = [0, 0]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        return (Channel(descriptor: ends[0]), ends[1])
    }

    private func channels() throws -> (Channel, Channel) {
        let (one, other) = try pair()
        return (one, Channel(descriptor: other))
    }

    /// Hands one end to a thread of its own.
    private func onThread(_ channel: Channel, _ body: @escaping @Sendable (Channel) throws -> Void) {
        struct Handed: @unchecked Sendable { let channel: Channel }  // this thread uses it no more
        let handed = Handed(channel: channel)
        let thread = Thread { try? body(handed.channel) }
        thread.start()
    }

    private func write(_ bytes: [UInt8], to socket: CInt) {
        #expect(send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count)
    }

    private func frame(_ kind: UInt8, _ count: UInt32, _ body: [UInt8] = []) -> [UInt8] {
        [kind] + (0..<4).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) } + body
    }

    @Test func carriesRequestsAndRepliesBothWays() throws {
        let (tool, service) = try channels()
        try tool.send(
            ControlRequest.remove(
                study: "1.2", series: nil, instance: "1.3", now: true, accessionNumbers: ["A7"], by: "op", reason: "r"))
        guard
            case .remove("1.2", nil, "1.3", true, ["A7"], "op", "r") = try service.receive(ControlRequest.self)
        else { return #expect(Bool(false), "another request") }
        let peer = Peer(aeTitle: "CT1", addresses: ["::1"], institution: "North", issuer: "N")
        try service.send(ControlReply.peers([peer]))
        var report = ObjectVerification()
        report.objects = 3
        report.note(.init(studyInstanceUID: "1.2", sopInstanceUID: "1.2.3"))
        try service.send(ControlReply.verified(report))
        try service.send(ControlReply.done)
        guard case .peers([peer]) = try tool.receive(ControlReply.self),
            case .verified(report) = try tool.receive(ControlReply.self),
            case .done = try tool.receive(ControlReply.self)
        else { return #expect(Bool(false), "another reply") }
    }

    /// A tool that is stopped must stop nobody else.
    @Test func waitsForNoWatcher() throws {
        let (tool, service) = try channels()
        for done in 0..<100_000 { service.offer(ControlReply.progress(done: done, total: 100_000)) }
        onThread(service) { service in try service.send(ControlReply.done) }
        var last = -1
        while case .progress(let done, 100_000) = try tool.receive(ControlReply.self) {
            #expect(done == last + 1, "those that fit, each whole")
            last = done
        }
        #expect(last > 100 && last < 99_999)
    }

    @Test func carriesAnObjectInPiecesUntilItsEnd() throws {
        let (tool, service) = try channels()
        let pieces: [[UInt8]] = [[1, 2, 3], [], [UInt8](repeating: 9, count: 10_000), [4]]
        onThread(tool) { tool in
            for piece in pieces { try piece.withUnsafeBytes { try tool.send(data: $0) } }
            try tool.sendEnd()
            try tool.send(ControlReply.done)
        }
        var received: [UInt8] = []
        try service.receiveData { received += $0 }
        #expect(received == pieces.flatMap { $0 })
        guard case .done = try service.receive(ControlReply.self) else { return #expect(Bool(false)) }
    }

    @Test func endsAListOfObjectsWithNil() throws {
        let (tool, service) = try channels()
        try tool.send(ObjectHead(transferSyntaxUID: "1.2.840.10008.1.2", sopClassUID: "1.2", sopInstanceUID: "1.3"))
        try tool.sendEnd()
        #expect(try service.receiveOptional(ObjectHead.self)?.sopInstanceUID == "1.3")
        #expect(try service.receiveOptional(ObjectHead.self) == nil)
    }

    @Test func leadsAMessageWithItsKindAndLength() throws {
        let (channel, socket) = try pair()
        defer { close(socket) }
        try channel.send(["a"])
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = recv(socket, &bytes, bytes.count, 0)
        #expect(Array(bytes.prefix(count)) == frame(0x4A, 5, Array("[\"a\"]".utf8)))
    }

    @Test func refusesAFrameOnePastTheLimitBeforeReadingIt() throws {
        let (channel, socket) = try pair()
        defer { close(socket) }
        write(frame(0x44, UInt32(Channel.frameByteCountLimit) + 1), to: socket)
        expect(.malformed) { try channel.receiveData { _ in } }
    }

    @Test func takesAFrameAtTheLimit() throws {
        let (tool, service) = try channels()
        let count = Channel.frameByteCountLimit
        onThread(tool) { tool in
            let bytes = [UInt8](repeating: 7, count: count)
            try bytes.withUnsafeBytes { try tool.send(data: $0) }
            try tool.sendEnd()
        }
        var received = 0
        try service.receiveData { received += $0.count }
        #expect(received == count)
    }

    @Test func refusesAnUnknownKindAndWhatIsNoMessage() throws {
        for bytes in [
            frame(0x00, 0), frame(0x4A, 3, Array("{x}".utf8)), frame(0x44, 1, [1]), frame(0x4A, 0),
            frame(0x4A, 9, Array("\"unknown\"".utf8)),
        ] {
            let (channel, socket) = try pair()
            defer { close(socket) }
            write(bytes, to: socket)
            expect(.malformed) { _ = try channel.receive(ControlRequest.self) }
        }
    }

    @Test func refusesAMessageAmongAnObjectsBytes() throws {
        let (tool, service) = try channels()
        try tool.send(ControlReply.done)
        expect(.malformed) { try service.receiveData { _ in } }
    }

    @Test(arguments: [0, 1, 4, 5, 7])
    func saysThatTheConnectionIsLostWhereverItEnds(_ count: Int) throws {
        let (channel, socket) = try pair()
        write(Array(frame(0x4A, 6, Array("\"done\"".utf8)).prefix(count)), to: socket)
        close(socket)
        expect(.connectionLost) { _ = try channel.receive(ControlReply.self) }
    }

    @Test func saysThatTheConnectionIsLostWhenNobodyReads() throws {
        let (channel, socket) = try pair()
        close(socket)
        expect(.connectionLost) { try channel.send(ControlReply.done) }
    }
}

/// What an exchange is expected to fail with.
enum ExpectedFailure { case malformed, connectionLost, notRunning, cannotListen }

func expect(_ expected: ExpectedFailure, _ body: () throws -> Void) {
    do {
        try body()
        Issue.record("nothing was thrown")
    } catch let error as ControlError {
        switch (error, expected) {
        case (.malformed, .malformed), (.connectionLost, .connectionLost), (.notRunning, .notRunning),
            (.cannotListen, .cannotListen):
            break
        default: Issue.record("\(error)")
        }
    } catch { Issue.record("\(error)") }
}
