import Foundation
import Synchronization
import Testing

@testable import Toolkit

extension AllTests {
    /// Sub-items of the user information that are read and written here, not by DCMTK. PS3.7 §D.3.3.
    @Suite struct UserInformationTests {
        static let implicit = [Syntax.implicitLittleEndian]

        /// What an acceptor sees of a request with these sub-items, and the A-ASSOCIATE-AC it answers with.
        private func acceptance<Seen: Sendable>(
            of subItems: [UInt8], contexts: [[UInt8]] = [RawPDU.context(1)],
            answer: @escaping @Sendable (Association) -> (answers: [ContextAnswer], identity: [UInt8]?, seen: Seen)
        ) throws -> (seen: Seen?, reply: [UInt8], error: AssociationError?) {
            let seen = Mutex<Seen?>(nil)
            let service = try TestService { association throws(AssociationError) in
                let decided = answer(association)
                seen.withLock { $0 = decided.seen }
                try association.accept(decided.answers, identityResponse: decided.identity)
                return true
            }
            defer { service.stop() }
            let peer = try RawPeer(port: service.port)
            let request = RawPDU.request(
                contexts: contexts, userInformation: RawPDU.userInformation(more: subItems))
            peer.write(request + RawPDU.releaseRequest)
            let reply = peer.readToEnd()
            peer.close()
            #expect(service.wait { $0.endedCount == 1 })
            return (seen.withLock { $0 }, reply, service.log.errors.first)
        }

        private func acceptAll(_ association: Association) -> [ContextAnswer] {
            association.proposed.map { .accept($0.id, transferSyntax: $0.transferSyntaxes[0], role: $0.role) }
        }

        /// The sub-items of this type in an A-ASSOCIATE-AC.
        private func subItems(_ type: UInt8, in reply: [UInt8]) -> [[UInt8]] {
            var found: [[UInt8]] = []
            func walk(_ bytes: ArraySlice<UInt8>, inUser: Bool) {
                var rest = bytes
                while rest.count >= 4 {
                    let kind = rest[rest.startIndex]
                    let count = Int(rest[rest.startIndex + 2]) << 8 | Int(rest[rest.startIndex + 3])
                    let content = rest.dropFirst(4).prefix(count)
                    if inUser, kind == type { found.append(Array(content)) }
                    if !inUser, kind == 0x50 { walk(content, inUser: true) }
                    rest = rest.dropFirst(4 + count)
                }
            }
            guard reply.first == 2, reply.count > 74 else { return [] }
            let end = 6 + (Int(reply[4]) << 8 | Int(reply[5]))
            walk(reply[74..<end], inUser: false)
            return found
        }

        private func uid(_ text: String) -> [UInt8] { [0, UInt8(text.utf8.count)] + Array(text.utf8) }

        private func identity(_ kind: UInt8, _ primary: String, _ secondary: String, response: UInt8 = 0) -> [UInt8] {
            RawPDU.item(0x58, [kind, response] + uid(primary) + uid(secondary))
        }

        @Test func answersAnyWindowWithOneOperation() throws {
            for (proposed, expected) in [
                ([0, 0, 0, 0], OperationsWindow(invoked: 0, performed: 0)),
                ([0, 5, 1, 0], OperationsWindow(invoked: 5, performed: 256)),
            ] as [([UInt8], OperationsWindow)] {
                let (seen, reply, error) = try acceptance(of: RawPDU.item(0x53, proposed)) {
                    (acceptAll($0), nil, $0.proposedWindow)
                }
                #expect(error == nil)
                #expect(seen == expected)
                #expect(subItems(0x53, in: reply) == [[0, 1, 0, 1]])
            }
            let (seen, reply, _) = try acceptance(of: []) { (acceptAll($0), nil, $0.proposedWindow) }
            #expect(seen == .some(nil))
            #expect(subItems(0x53, in: reply).isEmpty)
        }

        @Test func handsOnTheUser() throws {
            let (seen, reply, error) = try acceptance(of: identity(2, "doctor", "pässword", response: 1)) {
                (acceptAll($0), [], $0.identity)
            }
            #expect(error == nil)
            let expected = UserIdentity(
                kind: .nameAndPasscode, primary: Array("doctor".utf8), secondary: Array("pässword".utf8),
                wantsResponse: true)
            #expect(seen == expected)
            #expect(subItems(0x59, in: reply) == [[0, 0]])
            #expect("\(expected)" == "user identity" && String(reflecting: expected) == "user identity")
            var dumped = ""
            dump(expected, to: &dumped)
            #expect(!dumped.contains("112") && !dumped.contains("100"))
        }

        @Test func answersATokenWithWhatItIsTold() throws {
            let (seen, reply, _) = try acceptance(of: identity(5, "a.b.c", "")) {
                (acceptAll($0), Array("a.b.c".utf8), $0.identity?.kind)
            }
            #expect(seen == .token)
            #expect(subItems(0x59, in: reply) == [uid("a.b.c")])
            let silent = try acceptance(of: identity(9, "?", "")) { (acceptAll($0), nil, $0.identity?.kindCode) }
            #expect(silent.seen == 9)
            #expect(subItems(0x59, in: silent.reply).isEmpty)
        }

        @Test func sendsAUserWhenAskedTo() throws {
            let seen = Mutex<UserIdentity?>(nil)
            let service = try TestService { association throws(AssociationError) in
                seen.withLock { $0 = association.identity }
                let answers: [ContextAnswer] = association.proposed.map {
                    .accept($0.id, transferSyntax: $0.transferSyntaxes[0])
                }
                try association.accept(
                    answers, identityResponse: association.identity?.wantsResponse == true ? [] : nil)
                return true
            }
            defer { service.stop() }
            func call(_ identity: UserIdentity?) throws -> Bool {
                let association = try Association.request(.toTest(port: service.port, identity: identity))
                try association.release()
                #expect(seen.withLock { $0 } == identity)
                return association.isIdentityAnswered
            }
            let most = UserIdentity.byteCountLimit
            #expect(try !call(nil))
            #expect(try !call(UserIdentity(kind: .name, primary: Array("doctor".utf8))))
            #expect(
                try call(
                    UserIdentity(
                        kind: .nameAndPasscode, primary: [0x61], secondary: [0x62], wantsResponse: true)))
            #expect(try !call(UserIdentity(kind: .token, primary: [UInt8](repeating: 0x61, count: most))))
            #expect(throws: AssociationError.misuse) {
                try call(UserIdentity(kind: .token, primary: [UInt8](repeating: 0x61, count: most + 1)))
            }
        }

        @Test func agreesOnExtensionsOfASOPClassOnce() throws {
            let seen = Mutex<[[UInt8]?]>([])
            let service = try TestService { association throws(AssociationError) in
                seen.withLock { $0 = association.proposed.map(\.extendedNegotiation) }
                try association.accept(
                    association.proposed.map {
                        .accept($0.id, transferSyntax: $0.transferSyntaxes[0], extendedNegotiation: [1, 0])
                    })
                return true
            }
            defer { service.stop() }
            let contexts = [
                PresentationContext(
                    id: 1, abstractSyntax: "1.2.1", transferSyntaxes: Self.implicit, extendedNegotiation: [1, 1, 1]),
                PresentationContext(
                    id: 3, abstractSyntax: "1.2.1", transferSyntaxes: [Syntax.explicitLittleEndian],
                    extendedNegotiation: [0]),
                PresentationContext(id: 5, abstractSyntax: "1.2.2", transferSyntaxes: Self.implicit),
                PresentationContext(
                    id: 7, abstractSyntax: "1.2.3", transferSyntaxes: Self.implicit, extendedNegotiation: []),
            ]
            let association = try Association.request(.toTest(port: service.port, contexts: contexts))
            #expect(seen.withLock { $0 } == [[1, 1, 1], [1, 1, 1], nil, []])
            #expect(association.accepted[1]?.acceptedExtendedNegotiation == [1, 0])
            #expect(association.accepted[3]?.acceptedExtendedNegotiation == [1, 0])
            #expect(association.accepted[5]?.acceptedExtendedNegotiation == nil)
            #expect(association.accepted[7]?.acceptedExtendedNegotiation == [1, 0])
            try association.release()
        }

        @Test func keepsToTheBoundsOfExtensions() throws {
            let service = try TestService()
            defer { service.stop() }
            func call(_ count: Int) throws {
                try Association.request(
                    .toTest(
                        port: service.port,
                        contexts: [
                            PresentationContext(
                                id: 1, abstractSyntax: SOPClass.verification, transferSyntaxes: Self.implicit,
                                extendedNegotiation: [UInt8](repeating: 1, count: count))
                        ])
                ).release()
            }
            try call(PresentationContext.extendedNegotiationByteCountLimit)
            #expect(throws: AssociationError.misuse) {
                try call(PresentationContext.extendedNegotiationByteCountLimit + 1)
            }
            // Of a longer one the beginning counts, of too many the first.
            let many = (0..<128).map { RawPDU.item(0x56, uid("1.2.\($0)") + [1]) }
            let own = RawPDU.item(0x56, uid(SOPClass.verification) + [UInt8](repeating: 1, count: 65))
            let long = try acceptance(of: own) { (acceptAll($0), nil, $0.proposed[0].extendedNegotiation?.count) }
            #expect(long.seen == 64)
            let late = try acceptance(of: Array(many.joined()) + own) {
                (acceptAll($0), nil, $0.proposed[0].extendedNegotiation)
            }
            #expect(late.seen == .some(nil))
            #expect(late.error == nil)
            let last = try acceptance(of: Array(many.dropLast().joined()) + own) {
                (acceptAll($0), nil, $0.proposed[0].extendedNegotiation?.count)
            }
            #expect(last.seen == 64)
        }

        @Test func learnsWhatServiceAnUnknownClassBelongsTo() throws {
            let relation = RawPDU.item(
                0x57, uid("1.2.99") + uid("1.2.840.10008.4.2") + [0, 7] + uid("1.2.3"))
            let found = try acceptance(
                of: relation, contexts: [RawPDU.context(1, abstractSyntax: "1.2.99"), RawPDU.context(3)]
            ) { (acceptAll($0), nil, $0.proposed.map(\.serviceClassUID)) }
            #expect(found.seen == ["1.2.840.10008.4.2", nil])
            // There is no answer to it.
            #expect(subItems(0x57, in: found.reply).isEmpty)
        }

        @Test func answersARoleOnceForEachClass() throws {
            let role = RawPDU.item(0x54, uid("1.2.7") + [0, 1])
            let contexts = (0..<3).map { RawPDU.context(UInt8($0 * 2 + 1), abstractSyntax: "1.2.7") }
            let found = try acceptance(of: role, contexts: contexts) { association in
                var answers = acceptAll(association)
                answers[0] = .refuse(1, .transferSyntaxesNotSupported)
                return (answers, nil, association.proposed.map(\.role))
            }
            #expect(found.seen == [.scp, .scp, .scp])
            #expect(subItems(0x54, in: found.reply) == [uid("1.2.7") + [0, 1]])
        }

        @Test func abortsOnIllFormedSubItems() throws {
            let bad: [[UInt8]] = [
                RawPDU.item(0x53, []), RawPDU.item(0x53, [0, 1, 0]), RawPDU.item(0x53, [0, 1, 0, 1, 0]),
                RawPDU.item(0x54, []), RawPDU.item(0x54, uid("1.2") + [1]), RawPDU.item(0x54, [0, 9, 0x31, 1, 1]),
                RawPDU.item(0x56, []), RawPDU.item(0x56, [0]), RawPDU.item(0x56, [0, 4, 0x31, 0x2E, 0x32]),
                RawPDU.item(0x56, [0, 0, 1]), RawPDU.item(0x56, uid(String(repeating: "1", count: 65)) + [1]),
                RawPDU.item(0x57, []), RawPDU.item(0x57, uid("1.2")), RawPDU.item(0x57, uid("1.2") + uid("1.3")),
                RawPDU.item(0x57, uid("1.2") + uid("1.3") + [0, 3, 0, 1]),
                RawPDU.item(0x57, uid("1.2") + uid("1.3") + [0, 4, 0, 3, 0x31, 0x2E]),
                RawPDU.item(0x57, uid("1.2") + [0, 0, 0, 0]),
                RawPDU.item(0x58, []), RawPDU.item(0x58, [1]), RawPDU.item(0x58, [1, 0]),
                RawPDU.item(0x58, [1, 0] + uid("a")), RawPDU.item(0x58, [1, 0, 0, 9, 0x61, 0, 0]),
                RawPDU.item(0x58, [1, 0] + uid("a") + [0, 1]), RawPDU.item(0x58, [1, 0] + uid("a") + uid("") + [0]),
                RawPDU.item(0x58, [0, 0, 0, 0, 0, 0]), identity(1, "a", "") + identity(1, "b", ""),
            ]
            for subItem in bad {
                let (seen, reply, error) = try acceptance(of: subItem) { (acceptAll($0), nil, true) }
                #expect(seen == nil)
                #expect(error == .protocolViolation)
                #expect(reply == RawPDU.abort(source: 2, reason: 6))
            }
        }
    }
}
