import Foundation
import Synchronization
import Testing

@testable import Toolkit

extension AllTests {
    /// How associations end, and that nothing of them stays behind.
    @Suite struct LifetimeTests {
        /// A listener that is never accepted from, or whose connections are answered by hand.
        private func rawService(
            _ reply: [UInt8]
        ) throws -> (listener: Listener, accepted: @Sendable () -> Void) {
            let listener = try Listener(addresses: ["127.0.0.1"], port: 0)
            return (
                listener,
                {
                    Thread.detachNewThread {
                        guard let connection = try? listener.accept() else { return }
                        let peer = RawPeer(descriptor: connection.socket)
                        let head = peer.read(6)
                        guard head.count == 6 else { return }
                        _ = peer.read(Int(head[4]) << 8 | Int(head[5]))
                        peer.write(reply)
                        _ = peer.readToEnd()
                    }
                }
            )
        }

        private func acceptance(transferSyntax: String, contextID: UInt8 = 1, result: UInt8 = 0) -> [UInt8] {
            let request = RawPDU.request(contexts: [], userInformation: [])
            let context = RawPDU.item(
                0x21, [contextID, 0, result, 0] + RawPDU.item(0x40, Array(transferSyntax.utf8)))
            return RawPDU.pdu(2, request.dropFirst(6) + context + RawPDU.userInformation())
        }

        @Test func refusesAnswersToWhatWasNotProposed() throws {
            let bad: [[UInt8]] = [
                acceptance(transferSyntax: Syntax.explicitLittleEndian),
                acceptance(transferSyntax: Syntax.implicitLittleEndian, contextID: 3),
                acceptance(transferSyntax: ""),
                RawPDU.pdu(2, [0, 1]),
                RawPDU.request(),
                RawPDU.data([0, 0]),
                Array("SSH-2.0-OpenSSH_9.2\r\n".utf8),
            ]
            for reply in bad {
                let (listener, answerOnce) = try rawService(reply)
                answerOnce()
                #expect(throws: AssociationError.protocolViolation) {
                    try Association.request(.toTest(port: listener.port))
                }
                listener.close()
            }
        }

        @Test func takesAGoodAnswer() throws {
            let (listener, answerOnce) = try rawService(
                acceptance(transferSyntax: Syntax.implicitLittleEndian) + RawPDU.releaseRequest)
            defer { listener.close() }
            answerOnce()
            let association = try Association.request(.toTest(port: listener.port))
            #expect(association.maximumPDVByteCount == 16384 - 12)
            #expect(throws: AssociationError.released) { try association.readPDV() }
            #expect(throws: AssociationError.released) { try association.readPDV() }
            association.answerRelease()
        }

        @Test func ignoresDataWhileItWaitsForTheReleaseAndAnswersACollision() throws {
            for reply in [
                RawPDU.data([1, 2]) + RawPDU.releaseReply, RawPDU.releaseRequest + RawPDU.releaseReply,
            ] {
                let (listener, answerOnce) = try rawService(
                    acceptance(transferSyntax: Syntax.implicitLittleEndian) + reply)
                defer { listener.close() }
                answerOnce()
                try Association.request(.toTest(port: listener.port)).release()
            }
        }

        @Test func doesNotWaitForeverForAnAnswer() throws {
            let listener = try Listener(addresses: ["127.0.0.1"], port: 0)
            defer { listener.close() }
            let timeouts = AssociationTimeouts(artim: .milliseconds(200))
            #expect(throws: AssociationError.timedOut) {
                try Association.request(.toTest(port: listener.port, timeouts: timeouts))
            }
        }

        @Test func doesNotWaitForeverForAPeerThatReadsNothing() throws {
            let (listener, answerOnce) = try rawService(acceptance(transferSyntax: Syntax.implicitLittleEndian))
            defer { listener.close() }
            let connection = Mutex<AcceptedConnection?>(nil)
            _ = answerOnce
            Thread.detachNewThread { [self] in
                guard let accepted = try? listener.accept() else { return }
                let reply = acceptance(transferSyntax: Syntax.implicitLittleEndian)
                _ = send(accepted.socket, reply, reply.count, 0)
                connection.withLock { $0 = accepted }
            }
            let timeouts = AssociationTimeouts(pdu: .milliseconds(300))
            let association = try Association.request(.toTest(port: listener.port, timeouts: timeouts))
            let bytes = [UInt8](repeating: 0, count: 1 << 20)
            #expect(throws: AssociationError.timedOut) {
                for _ in 0..<64 { try association.write(bytes, contextID: 1, isCommand: false) }
            }
            #expect(throws: AssociationError.timedOut) { try association.flush() }
            association.abort()
            connection.withLock { $0?.close() }
        }

        @Test func cancelWakesAReaderAndStillAborts() throws {
            let service = try TestService()
            defer { service.stop() }
            let association = try Association.request(.toTest(port: service.port))
            Thread.detachNewThread {
                usleep(50_000)
                association.cancel()
            }
            #expect(throws: AssociationError.cancelled) { try association.readPDV() }
            #expect(throws: AssociationError.cancelled) { try association.echo() }
            association.abort()
            #expect(service.wait { $0.endedCount == 1 })
            #expect(service.log.errors == [.aborted(source: 0, reason: 0)])
        }

        @Test func cancelWakesANegotiationOnEitherSide() throws {
            let listener = try Listener(addresses: ["127.0.0.1"], port: 0)
            defer { listener.close() }
            let cancellation = Cancellation()
            let received = Mutex<AssociationError?>(nil)
            let thread = Thread {
                guard let connection = try? listener.accept() else { return }
                do throws(AssociationError) {
                    _ = try Association.receive(socket: connection.socket, cancellation: cancellation)
                } catch { received.withLock { $0 = error } }
            }
            thread.start()
            let peer = try RawPeer(port: listener.port)
            Thread.detachNewThread {
                usleep(50_000)
                cancellation.cancel()
            }
            // Nobody answers this one: it waits in the listener's backlog.
            #expect(throws: AssociationError.cancelled) {
                try Association.request(.toTest(port: listener.port), cancellation: cancellation)
            }
            #expect(peer.readToEnd().isEmpty)
            while !thread.isFinished { usleep(1000) }
            #expect(received.withLock { $0 } == .cancelled)
        }

        @Test func freeingAnOpenAssociationAbortsIt() throws {
            let service = try TestService()
            defer { service.stop() }
            _ = try Association.request(.toTest(port: service.port))
            #expect(service.wait { $0.endedCount == 1 })
            #expect(service.log.errors == [.aborted(source: 0, reason: 0)])
        }

        @Test func seesIncomingDataWithoutWaiting() throws {
            let service = try TestService()
            defer { service.stop() }
            let association = try Association.request(.toTest(port: service.port))
            #expect(!association.hasIncomingData)
            for messageID in 1...2 as ClosedRange<UInt16> {
                try association.write(.echo(messageID: messageID), contextID: 1)
            }
            try association.flush()
            #expect(service.wait { $0.answeredCount == 2 })
            usleep(20_000)
            #expect(association.hasIncomingData)
            _ = try association.readCommand()
            #expect(association.hasIncomingData)
            _ = try association.readCommand()
            #expect(!association.hasIncomingData)
            try association.release()
        }

        @Test func refusesToWriteOnAContextThatWasNotAccepted() throws {
            let service = try TestService()
            defer { service.stop() }
            let association = try Association.request(.toTest(port: service.port))
            #expect(throws: AssociationError.misuse) { try association.write(.echo(messageID: 1), contextID: 3) }
            try association.release()
            #expect(throws: AssociationError.misuse) { try association.echo() }
            #expect(throws: AssociationError.misuse) { try association.release() }
        }

        @Test func listenerAcceptsOnBothFamiliesAndCloses() throws {
            let listener = try Listener(addresses: ["0.0.0.0", "::"], port: 0)
            #expect(try listener.accept(timeout: .milliseconds(20)) == nil)
            let peer = try RawPeer(port: listener.port)
            let connection = try #require(try listener.accept(timeout: .seconds(5)))
            #expect(connection.peerAddress == "127.0.0.1")
            connection.close()
            #expect(peer.isClosedByPeer)
            // An address at which no other test listens: the port may be another's as soon as it is free.
            let host: UInt32 = 0x7F00_004D
            let second = try RawPeer(port: listener.port, host: host)
            try #require(try listener.accept(timeout: .seconds(5))).close()
            second.close()
            Thread.detachNewThread {
                usleep(50_000)
                listener.close()
            }
            #expect(throws: AssociationError.cancelled) { try listener.accept() }
            #expect(throws: AssociationError.cancelled) { try listener.accept() }
            #expect(throws: RawPeer.Failed.self) { try RawPeer(port: listener.port, host: host) }
        }

        @Test func listenerRefusesWhatItCannotBind() throws {
            #expect(throws: AssociationError.misuse) { try Listener(addresses: [], port: 0) }
            #expect(throws: AssociationError.nameNotResolved) { try Listener(addresses: ["localhost"], port: 0) }
            let listener = try Listener(addresses: ["127.0.0.1"], port: 0)
            #expect(throws: AssociationError.system(errno: EADDRINUSE)) {
                try Listener(addresses: ["::1", "127.0.0.1"], port: listener.port)
            }
        }

        @Test func leavesNoDescriptorBehind() throws {
            let before = descriptorCount()
            do {
                let service = try TestService(
                    timeouts: AssociationTimeouts(
                        artim: .milliseconds(300), idle: .milliseconds(300), pdu: .milliseconds(300)))
                defer { service.stop() }
                let shapes: [[UInt8]] = [
                    [], Array("garbage!".utf8), RawPDU.request().dropLast(5) + [], RawPDU.request(protocolVersion: 2),
                    RawPDU.request() + RawPDU.pdu(4, [0, 0, 0, 9, 1, 3]),
                ]
                for round in 0..<100 {
                    let peers = try shapes.map { bytes in
                        let peer = try RawPeer(port: service.port)
                        peer.write(bytes)
                        return peer
                    }
                    peers.forEach { $0.close() }
                    guard round.isMultiple(of: 10) else { continue }
                    #expect(throws: AssociationError.misuse) {
                        try Association.request(.toTest(port: service.port, contexts: []))
                    }
                    let association = try Association.request(.toTest(port: service.port))
                    #expect(try association.echo() == 0)
                }
                #expect(service.wait { $0.endedCount == 510 })
            }
            // Other tests of the process open and close theirs meanwhile.
            for _ in 0..<6000 where descriptorCount() > before { usleep(10_000) }
            #expect(descriptorCount() <= before)
        }

        private func descriptorCount() -> Int {
            (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0
        }
    }
}
