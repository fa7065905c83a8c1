import Foundation
import Synchronization
import Testing

@testable import Toolkit

extension AllTests {
    @Suite struct TLSTests {
        static let quick = AssociationTimeouts(
            artim: .milliseconds(400), idle: .milliseconds(400), pdu: .milliseconds(400))

        /// What both sides meet when a requester with `requester` calls an acceptor with `acceptor`.
        private func call(_ requester: TransportSecurity?, _ acceptor: TransportSecurity?) throws -> (
            requester: AssociationError?, acceptor: AssociationError?
        ) {
            let service = try TestService(security: acceptor)
            defer { service.stop() }
            var failure: AssociationError?
            do throws(AssociationError) {
                let association = try Association.request(.toTest(port: service.port, security: requester))
                _ = try association.echo()
                try association.release()
            } catch { failure = error }
            #expect(service.wait { $0.endedCount == 1 })
            return (failure, service.log.errors.first)
        }

        private func client(
            _ name: String? = "client", authorities: String? = "ca.pem", lists: String? = nil,
            names: [String] = ["127.0.0.1"], pins: [String] = []
        ) throws -> TransportSecurity {
            try Certificates.security(
                Certificates.files(name, authorities: authorities, lists: lists), names: names, pins: pins)
        }

        private func server(
            _ name: String = "server", authorities: String? = "ca.pem", lists: String? = nil, pins: [String] = [],
            clientCertificates: TransportSecurity.ClientCertificates = .required
        ) throws -> TransportSecurity {
            try Certificates.security(
                Certificates.files(name, authorities: authorities, lists: lists), pins: pins,
                clientCertificates: clientCertificates)
        }

        @Test func speaksTheNewestVersion() throws {
            let seen = Mutex<(version: String?, certificate: PeerCertificate?)>((nil, nil))
            let service = try TestService(security: server()) { association throws(AssociationError) in
                seen.withLock { $0 = (association.tlsVersion, association.certificate) }
                return try TestService.acceptEverything(association)
            }
            defer { service.stop() }
            let association = try Association.request(.toTest(port: service.port, security: client()))
            #expect(association.tlsVersion == "TLSv1.3")
            #expect(association.certificate?.isTrusted == true)
            #expect(association.certificate?.names == ["localhost", "127.0.0.1", "::1"])
            #expect(try association.echo() == 0)
            try association.release()
            let expected = try Fingerprint(certificateAt: Certificates.path("client.pem"))
            #expect(
                seen.withLock { $0.certificate }
                    == PeerCertificate(fingerprint: expected, isTrusted: true, names: ["ct1.example", "urn:ct1"]))
            #expect(seen.withLock { $0.version } == "TLSv1.3")
            #expect(service.wait { $0.endedCount == 1 })
            #expect(service.log.errors.isEmpty)
        }

        @Test func carriesObjectsOfEverySizeWhole() throws {
            let service = try TestService(security: server())
            defer { service.stop() }
            let contexts = [
                PresentationContext(
                    id: 1, abstractSyntax: SOPClass.ctImageStorage, transferSyntaxes: [Syntax.implicitLittleEndian])
            ]
            let association = try Association.request(
                .toTest(port: service.port, contexts: contexts, security: client()))
            let sizes = [2, 16_370, 16_384, 16_386, 65_536, 131_072, 3_000_002]
            for (index, size) in sizes.enumerated() {
                try association.write(
                    .store(
                        messageID: UInt16(index + 1), sopClassUID: SOPClass.ctImageStorage,
                        sopInstanceUID: "2.25.\(index + 1)"), contextID: 1)
                try association.write([UInt8](repeating: 7, count: size), contextID: 1, isCommand: false)
                #expect(try association.readCommand()[number: CommandSet.status] == 0)
            }
            try association.release()
            #expect(service.log.storedByteCounts == sizes)
        }

        @Test func refusesWhoIsNotVouchedFor() throws {
            #expect(try call(client(nil), server()).acceptor == .insecure(.noCertificate))
            #expect(try call(client("stranger"), server()).acceptor == .insecure(.unknownAuthority))
            #expect(try call(client("self"), server()).acceptor == .insecure(.unknownAuthority))
            #expect(try call(client("expired"), server()).acceptor == .insecure(.expired))
            #expect(try call(client("purpose"), server()).acceptor == .insecure(.invalidCertificate))
            #expect(try call(client(), server(authorities: nil)).acceptor == .insecure(.unknownAuthority))
            // The requester learns only that it was refused.
            #expect(try call(client("stranger"), server()).requester == .insecure(.refusedByPeer))
        }

        @Test func refusesAServerThatIsAnother() throws {
            #expect(try call(client(), server("elsewhere")).requester == .insecure(.nameMismatch))
            #expect(try call(client(names: []), server()).requester == .insecure(.nameMismatch))
            #expect(try call(client(names: ["other.example"]), server()).requester == .insecure(.nameMismatch))
            #expect(try call(client(names: ["localhost"]), server()).requester == nil)
            #expect(try call(client(authorities: "other.pem"), server()).requester == .insecure(.unknownAuthority))
            #expect(try call(client(), server("expired")).requester == .insecure(.expired))
            #expect(try call(client(), server("stranger")).requester == .insecure(.unknownAuthority))
        }

        @Test func takesAPinnedCertificateFromAnybody() throws {
            #expect(try call(client("self"), server(pins: ["second", "self"])) == (nil, nil))
            #expect(try call(client("stranger"), server(pins: ["stranger"])) == (nil, nil))
            #expect(
                try call(client(authorities: nil, names: [], pins: ["elsewhere"]), server("elsewhere")) == (nil, nil))
            // A pin does not stop time.
            #expect(try call(client("expired"), server(pins: ["expired"])).acceptor == .insecure(.expired))
            let seen = Mutex<Bool?>(nil)
            let service = try TestService(security: server(pins: ["self"])) { association throws(AssociationError) in
                seen.withLock { $0 = association.certificate?.isTrusted }
                return try TestService.acceptEverything(association)
            }
            defer { service.stop() }
            try Association.request(.toTest(port: service.port, security: client("self"))).release()
            #expect(seen.withLock { $0 } == false)
        }

        @Test func asksForRevocationListsOnceThereAreSome() throws {
            #expect(try call(client("revoked"), server()) == (nil, nil))
            #expect(try call(client("revoked"), server(lists: "empty.crl")) == (nil, nil))
            #expect(try call(client("revoked"), server(lists: "ca.crl")).acceptor == .insecure(.revoked))
            #expect(try call(client(), server(lists: "ca.crl")) == (nil, nil))
            #expect(try call(client(), server(lists: "old.crl")).acceptor == .insecure(.revocationListExpired))
            #expect(try call(client(), server(lists: "other.crl")).acceptor == .insecure(.noRevocationList))
            // The authority between has no list of its own: what it issued cannot be judged.
            #expect(try call(client("deep"), server()) == (nil, nil))
            #expect(try call(client("deep"), server(lists: "ca.crl")).acceptor == .insecure(.noRevocationList))
            #expect(
                try call(client("revoked"), server(lists: "ca.crl", pins: ["revoked"])).acceptor
                    == .insecure(.revoked))
            #expect(try call(client(lists: "ca.crl"), server("revoked")).requester == .insecure(.revoked))
        }

        @Test func asksForNoCertificateWhereNoneIsWanted() throws {
            #expect(try call(client(nil), server(clientCertificates: .off)) == (nil, nil))
            #expect(try call(client(nil), server(clientCertificates: .requested)) == (nil, nil))
            #expect(
                try call(client("stranger"), server(clientCertificates: .requested)).acceptor
                    == .insecure(.unknownAuthority))
        }

        @Test func speaksTLS12ButNothingOlder() throws {
            let service = try TestService(security: server(clientCertificates: .off))
            defer { service.stop() }
            func version(_ option: String) throws -> Int32 {
                try Tool.run(
                    "openssl",
                    ["s_client", option, "-connect", "127.0.0.1:\(service.port)", "-cipher", "ALL:@SECLEVEL=0"])
            }
            #expect(try version("-tls1_3") == 0)
            #expect(try version("-tls1_2") == 0)
            #expect(try version("-tls1_1") != 0)
            #expect(try version("-tls1") != 0)
            let only13 = try TestService(
                security: Certificates.security(
                    Certificates.files("server", isOnly13: true), clientCertificates: .off))
            defer { only13.stop() }
            #expect(
                try Tool.run("openssl", ["s_client", "-tls1_2", "-connect", "127.0.0.1:\(only13.port)"]) != 0)
            #expect(only13.wait { $0.errors == [.insecure(.version)] })
        }

        @Test func tellsPlainBytesFromTLS() throws {
            #expect(try call(nil, server()).acceptor == .insecure(.notTLS))
            #expect(try call(client(), nil).requester == .insecure(.notTLS))
        }

        @Test func givesUpOnASilentHandshake() throws {
            let service = try TestService(timeouts: Self.quick, security: server())
            defer { service.stop() }
            for start in [[], [22], [22, 3, 1, 2, 0, 1]] as [[UInt8]] {
                let peer = try RawPeer(port: service.port)
                peer.write(start)
                #expect(peer.readToEnd().isEmpty)
            }
            #expect(service.wait { $0.errors == [.timedOut, .timedOut, .timedOut] })
        }

        @Test func noticesACutStream() throws {
            let service = try TestService(security: server())
            defer { service.stop() }
            let relay = try Relay(to: service.port)
            let contexts = [
                PresentationContext(
                    id: 1, abstractSyntax: SOPClass.ctImageStorage, transferSyntaxes: [Syntax.implicitLittleEndian])
            ]
            let association = try Association.request(
                .toTest(port: relay.port, contexts: contexts, security: client()))
            try association.write(
                .store(messageID: 1, sopClassUID: SOPClass.ctImageStorage, sopInstanceUID: "2.25.1"), contextID: 1)
            try association.write([UInt8](repeating: 1, count: 50_000), contextID: 1, isCommand: false, isLast: false)
            relay.cut()
            #expect(service.wait { $0.errors == [.connectionLost] })
            #expect(service.log.storedByteCounts.isEmpty)
        }

        @Test func aContextMayGoBeforeItsAssociations() throws {
            var security: TransportSecurity? = try client()
            let service = try TestService(security: server())
            defer { service.stop() }
            let association = try Association.request(.toTest(port: service.port, security: security))
            security = nil
            #expect(try association.echo() == 0)
            try association.release()
        }
    }
}

private func == (
    found: (requester: AssociationError?, acceptor: AssociationError?), expected: (AssociationError?, AssociationError?)
) -> Bool {
    found.requester == expected.0 && found.acceptor == expected.1
}
