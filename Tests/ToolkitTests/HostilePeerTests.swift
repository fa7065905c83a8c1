import Foundation
import Synchronization
import Testing

@testable import Toolkit

extension AllTests {
    /// What a broken or malicious requester gets, and that nobody else notices.
    @Suite struct HostilePeerTests {
        static let quick = AssociationTimeouts(
            artim: .milliseconds(400), idle: .milliseconds(400), pdu: .milliseconds(400))

        /// The error a service meets, and what the peer reads, when it is sent `bytes`.
        private func outcome(
            of bytes: [UInt8], timeouts: AssociationTimeouts = quick, hangUp: Bool = false
        ) throws -> (error: AssociationError?, reply: [UInt8]) {
            let service = try TestService(timeouts: timeouts)
            defer { service.stop() }
            let peer = try RawPeer(port: service.port)
            peer.write(bytes)
            if hangUp { peer.close() }
            let reply = hangUp ? [] : peer.readToEnd()
            peer.close()
            #expect(service.wait { $0.endedCount == 1 })
            return (service.log.errors.first, reply)
        }

        /// The reply after the A-ASSOCIATE-AC.
        private func afterAcceptance(_ reply: [UInt8]) -> [UInt8] {
            guard reply.first == 0x02 else { return reply }
            let length = Int(reply[4]) << 8 | Int(reply[5])
            return Array(reply.dropFirst(6 + length))
        }

        @Test func abortsOnGarbage() throws {
            let (error, reply) = try outcome(of: Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
            #expect(error == .protocolViolation)
            #expect(reply == RawPDU.abort(source: 2, reason: 1))
        }

        @Test func abortsOnDataBeforeARequest() throws {
            let (error, reply) = try outcome(of: RawPDU.data([0, 0]))
            #expect(error == .protocolViolation)
            #expect(reply == RawPDU.abort(source: 2, reason: 2))
        }

        @Test func closesOnASilentPeer() throws {
            let (error, reply) = try outcome(of: [])
            #expect(error == .timedOut)
            #expect(reply.isEmpty)
        }

        @Test func closesOnHalfARequest() throws {
            let (error, reply) = try outcome(of: Array(RawPDU.request().dropLast(7)))
            #expect(error == .timedOut)
            #expect(reply.isEmpty)
        }

        @Test func noticesAPeerThatHangsUp() throws {
            let request = RawPDU.request()
            #expect(try outcome(of: [], hangUp: true).error == .connectionLost)
            #expect(try outcome(of: Array(request.prefix(3)), hangUp: true).error == .connectionLost)
            #expect(try outcome(of: Array(request.dropLast(9)), hangUp: true).error == .connectionLost)
        }

        @Test(arguments: [UInt32.max, UInt32(512 * 1024 + 1), 0x7fff_ffff]) func abortsOnAHugeRequest(
            length: UInt32
        ) throws {
            let (error, reply) = try outcome(of: [1, 0] + RawPDU.bigEndian(length))
            #expect(error == .protocolViolation)
            #expect(reply == RawPDU.abort(source: 2, reason: 6))
        }

        @Test func abortsOnAThousandContexts() throws {
            let contexts = (0..<1000).map { RawPDU.context(UInt8(truncatingIfNeeded: $0 * 2 + 1)) }
            let (error, reply) = try outcome(of: RawPDU.request(contexts: contexts))
            #expect(error == .protocolViolation)
            #expect(reply == RawPDU.abort(source: 2, reason: 6))
        }

        @Test func abortsOnIllFormedRequests() throws {
            let bad: [[UInt8]] = [
                RawPDU.pdu(1, []),
                RawPDU.pdu(1, [UInt8](repeating: 0, count: 67)),
                RawPDU.request(contexts: [RawPDU.context(1), RawPDU.context(1)]),
                RawPDU.request(contexts: [RawPDU.context(1, transferSyntaxes: [])]),
                RawPDU.request(contexts: [RawPDU.context(1, abstractSyntax: "")]),
                RawPDU.request(contexts: [RawPDU.context(1, abstractSyntax: String(repeating: "1", count: 65))]),
                RawPDU.request(contexts: [RawPDU.item(0x20, [1, 0, 0])]),
                RawPDU.request(contexts: [RawPDU.item(0x20, [1, 0, 0, 0, 0x30, 0, 0, 200])]),
                RawPDU.request(contexts: [RawPDU.item(0x21, [1, 0, 0, 0])]),
                RawPDU.request(userInformation: RawPDU.item(0x50, [0x51, 0, 0, 3, 1, 2, 3])),
                RawPDU.request(userInformation: RawPDU.userInformation(maximumPDU: 15)),
                RawPDU.request(userInformation: RawPDU.item(0x50, RawPDU.item(0x54, [0, 200, 0x31, 1, 1]))),
                RawPDU.request(userInformation: [0x50, 0, 0xff, 0xff]),
            ]
            for request in bad {
                let (error, reply) = try outcome(of: request)
                #expect(error == .protocolViolation)
                #expect(reply == RawPDU.abort(source: 2, reason: 6))
            }
        }

        @Test func takesWhatOthersMayAdd() throws {
            let extended =
                RawPDU.item(0x53, [0, 1, 0, 1]) + RawPDU.item(0x56, [0, 3, 0x31, 0x2e, 0x32, 1, 1])
                + RawPDU.item(0x57, [0, 1, 0x31, 0, 1, 0x32, 0, 0, 9, 9, 9]) + RawPDU.item(0x58, [9, 0, 0, 0, 0, 0])
                + RawPDU.item(0x99, [])
            let request = RawPDU.request(
                called: " TESTSCP", userInformation: RawPDU.userInformation(maximumPDU: 0, more: extended))
            let (error, reply) = try outcome(of: request + RawPDU.releaseRequest)
            #expect(error == nil)
            #expect(reply.first == 0x02)
            #expect(afterAcceptance(reply) == RawPDU.releaseReply)
        }

        @Test func rejectsWhatNoPolicyCouldAccept() throws {
            func rejection(_ request: [UInt8]) throws -> [UInt8] {
                let (error, reply) = try outcome(of: request)
                #expect(error == .protocolViolation)
                return reply
            }
            #expect(try rejection(RawPDU.request(protocolVersion: 2)) == RawPDU.pdu(3, [0, 1, 2, 2]))
            #expect(try rejection(RawPDU.request(applicationContext: "1.2.3")) == RawPDU.pdu(3, [0, 1, 1, 2]))
            #expect(try rejection(RawPDU.request(calling: "")) == RawPDU.pdu(3, [0, 1, 1, 3]))
            #expect(try rejection(RawPDU.request(called: "")) == RawPDU.pdu(3, [0, 1, 1, 7]))
        }

        @Test func hidesControlCharactersOfATitle() throws {
            let title = Mutex("")
            let service = try TestService { association throws(AssociationError) in
                title.withLock { $0 = association.callingAETitle }
                return try TestService.acceptEverything(association)
            }
            defer { service.stop() }
            let peer = try RawPeer(port: service.port)
            peer.write(RawPDU.request(calling: "A\nB\u{1b}C") + RawPDU.releaseRequest)
            _ = peer.readToEnd()
            #expect(title.withLock { $0 } == "A?B?C")
        }

        @Test func abortsOnBrokenData() throws {
            let bad: [(bytes: [UInt8], reason: UInt8)] = [
                ([4, 0] + RawPDU.bigEndian(UInt32.max), 6),
                ([4, 0] + RawPDU.bigEndian(131_073), 6),
                (RawPDU.pdu(4, []), 6),
                (RawPDU.pdu(4, [0, 0, 0, 1, 1, 3]), 6),
                (RawPDU.pdu(4, [0, 0, 0, 9, 1, 3, 0, 0]), 6),
                (RawPDU.pdu(4, [0xff, 0xff, 0xff, 0xff, 1, 3, 0, 0]), 6),
                (RawPDU.data(contextID: 3, [0, 0]), 6),
                (RawPDU.data(contextID: 0, [0, 0]), 6),
                (RawPDU.request(), 2),
                (RawPDU.releaseReply, 2),
                (RawPDU.pdu(5, [0, 0, 0]), 6),
                (RawPDU.pdu(9, [0, 0, 0, 0]), 1),
            ]
            for (bytes, reason) in bad {
                let (error, reply) = try outcome(of: RawPDU.request() + bytes)
                #expect(error == .protocolViolation)
                #expect(afterAcceptance(reply) == RawPDU.abort(source: 2, reason: reason))
            }
        }

        @Test func takesAPDUAtItsBoundAndManyPDVsInOne() throws {
            let service = try TestService()
            defer { service.stop() }
            let peer = try RawPeer(port: service.port)
            peer.write(RawPDU.request())
            let head = peer.read(6)
            _ = peer.read(Int(head[4]) << 8 | Int(head[5]))
            let store = CommandSet.store(messageID: 1, sopClassUID: "1.2", sopInstanceUID: "1.2.3")
            let pdv = { (flags: UInt8, bytes: [UInt8]) in
                RawPDU.bigEndian(UInt32(bytes.count + 2)) + [1, flags] + bytes
            }
            let command = store.encoded
            let parts = command.map { pdv(1, [$0]) }.flatMap { $0 } + pdv(3, []) + pdv(0, [1, 2, 3])
            peer.write(RawPDU.pdu(4, parts))
            peer.write(RawPDU.data(isCommand: false, [UInt8](repeating: 7, count: 131_072 - 6)))
            let reply = peer.read(6)
            #expect(reply.first == 4)
            #expect(service.wait { $0.answeredCount == 1 })
            #expect(service.log.storedByteCounts == [131_072 - 6 + 3])
            #expect(service.log.errors.isEmpty)
        }

        @Test func abortsAPeerThatStallsInAPDU() throws {
            let begun = RawPDU.request() + RawPDU.data([UInt8](repeating: 0, count: 100)).dropLast(50)
            let (error, reply) = try outcome(of: begun)
            #expect(error == .timedOut)
            #expect(afterAcceptance(reply) == RawPDU.abort(source: 2, reason: 0))
        }

        @Test func abortsAPeerThatFallsSilent() throws {
            let (error, reply) = try outcome(of: RawPDU.request())
            #expect(error == .timedOut)
            #expect(afterAcceptance(reply) == RawPDU.abort(source: 2, reason: 0))
        }

        @Test func cutsAPeerThatSendsOneByteAtATime() throws {
            for opening in [[UInt8](), RawPDU.request()] {
                let service = try TestService(timeouts: Self.quick)
                defer { service.stop() }
                let peer = try RawPeer(port: service.port)
                peer.write(opening)
                let drip = opening.isEmpty ? RawPDU.request() : RawPDU.data([UInt8](repeating: 0, count: 500))
                for byte in drip where service.log.endedCount == 0 {
                    peer.write([byte])
                    usleep(20_000)
                }
                #expect(service.wait { $0.endedCount == 1 })
                #expect(service.log.errors == [.timedOut])
            }
        }

        @Test func noticesAPeerThatVanishesInAnObject() throws {
            let store = CommandSet.store(messageID: 1, sopClassUID: "1.2", sopInstanceUID: "1.2.3")
            let bytes =
                RawPDU.request() + RawPDU.data(store.encoded)
                + RawPDU.data(isCommand: false, isLast: false, [UInt8](repeating: 0, count: 10_000)).dropLast(100)
            let (error, _) = try outcome(of: bytes, hangUp: true)
            #expect(error == .connectionLost)
        }

        @Test func readsAnAbort() throws {
            let (error, _) = try outcome(of: RawPDU.request() + RawPDU.abort(source: 2, reason: 5))
            #expect(error == .aborted(source: 2, reason: 5))
            let (early, _) = try outcome(of: RawPDU.abort(source: 0, reason: 0))
            #expect(early == .aborted(source: 0, reason: 0))
        }

        @Test func servesBesideAThousandConnections() throws {
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            limit.rlim_cur = max(limit.rlim_cur, min(limit.rlim_max, 4096))
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            try #require(limit.rlim_cur >= 2500, "needs 2,500 descriptors")
            // However long a busy machine takes to open them.
            let service = try TestService(
                timeouts: AssociationTimeouts(artim: .seconds(900), idle: .seconds(900), pdu: .seconds(900)))
            defer { service.stop() }
            let open = try (0..<500).map { _ in try Association.request(.toTest(port: service.port)) }
            let silent = try (0..<500).map { _ in try RawPeer(port: service.port) }
            for association in open { #expect(try association.echo() == 0) }
            for association in open { try association.release() }
            silent.forEach { $0.close() }
            #expect(service.wait { $0.endedCount == 1000 })
            #expect(service.log.errors == [AssociationError](repeating: .connectionLost, count: 500))
        }

        @Test func fiftySilentPeersDisturbNobody() throws {
            let service = try TestService()
            defer { service.stop() }
            let silent = try (0..<50).map { _ in try RawPeer(port: service.port) }
            for _ in 0..<20 {
                let association = try Association.request(.toTest(port: service.port))
                #expect(try association.echo() == 0)
                try association.release()
            }
            #expect(service.wait { $0.endedCount == 20 })
            silent.forEach { $0.close() }
            #expect(service.wait { $0.endedCount == 70 })
        }
    }
}
