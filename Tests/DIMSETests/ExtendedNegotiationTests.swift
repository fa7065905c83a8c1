import Access
import DICOM
import Testing
import Toolkit

@testable import DIMSE

/// What is agreed on beyond presentation contexts.
struct ExtendedNegotiationTests {
    private static let image = "1.2.840.10008.5.1.4.1.1.2"
    private static let everything: QueryExtensions = [
        .relational, .combinedDateTime, .fuzzyNames, .timezoneAdjustment, .multiFrameConversion,
    ]

    private func answer(
        _ sopClass: String, _ information: [UInt8]?, offering offered: QueryExtensions = everything
    ) throws -> [UInt8]? {
        let context = PresentationContext(
            id: 1, abstractSyntax: sopClass, transferSyntaxes: [TransferSyntax.implicitVRLittleEndian.uid],
            extendedNegotiation: information)
        let negotiation = Negotiation(
            services: Set(Peer.Service.allCases), acceptsUnknownSOPClasses: false, queryExtensions: offered)
        return try #require(negotiation.answers(to: [context]).first).extendedNegotiation
    }

    @Test(arguments: [SOPClass.patientRootFind, SOPClass.studyRootFind])
    func answersAQueryWithWhatItOffers(_ sopClass: String) throws {
        #expect(try answer(sopClass, [1, 1, 1, 1, 1]) == [1, 1, 1, 1, 1])
        #expect(try answer(sopClass, [0, 1, 0, 1, 0]) == [0, 1, 0, 1, 0])
        #expect(try answer(sopClass, [1, 1, 1], offering: [.combinedDateTime, .timezoneAdjustment]) == [0, 1, 0])
        #expect(try answer(sopClass, [1, 1, 1, 1], offering: [.relational, .fuzzyNames]) == [1, 0, 1, 0])
        #expect(try answer(sopClass, [1, 1, 1, 1, 1], offering: []) == [0, 0, 0, 0, 0])
        #expect(try answer(sopClass, nil) == nil)
    }

    @Test func passesOverFieldsNobodyKnows() throws {
        #expect(try answer(SOPClass.studyRootFind, []) == [])
        #expect(try answer(SOPClass.studyRootFind, [1, 2, 255, 1, 1, 1, 1]) == [1, 0, 0, 1, 1])
        #expect(try answer(SOPClass.verification, [1, 1]) == nil)
    }

    @Test(arguments: [
        SOPClass.patientRootMove, SOPClass.studyRootMove, SOPClass.patientRootGet, SOPClass.studyRootGet,
    ])
    func answersARetrievalWithTheTwoFieldsItHas(_ sopClass: String) throws {
        #expect(try answer(sopClass, [1, 1]) == [1, 1])
        #expect(try answer(sopClass, [1, 1, 1], offering: [.relational, .combinedDateTime]) == [1, 0])
    }

    @Test func saysHowItStores() throws {
        #expect(try answer(Self.image, [2, 0, 0, 0, 0, 0]) == [2, 0, 3, 0, 0, 0])
        #expect(try answer(Self.image, nil) == nil)
    }

    @Test func readsWhatWasAgreed() throws {
        let fixture = try DIMSEFixture { $0.queryExtensions = [.relational, .fuzzyNames] }
        func agreed(_ wanted: QueryExtensions) throws -> QueryExtensions {
            let requester = try Requester(
                fixture.target(), sopClasses: [SOPClass.studyRootFind, SOPClass.studyRootMove], extensions: wanted)
            defer { requester.close() }
            return requester.queryExtensions
        }
        #expect(try agreed([]) == [])
        #expect(try agreed(Self.everything) == [.relational, .fuzzyNames])
        #expect(try agreed([.fuzzyNames, .timezoneAdjustment]) == [.fuzzyNames])
    }

    @Test func refusesToBeCalledWithTheRolesSwapped() throws {
        func verdict(_ role: PresentationContext.Role) throws -> ContextAnswer.Verdict {
            let context = PresentationContext(
                id: 1, abstractSyntax: SOPClass.studyRootFind,
                transferSyntaxes: [TransferSyntax.implicitVRLittleEndian.uid], role: role)
            let negotiation = Negotiation(services: [.find], acceptsUnknownSOPClasses: false)
            return try #require(negotiation.answers(to: [context]).first).verdict
        }
        let syntax = TransferSyntax.implicitVRLittleEndian.uid
        #expect(try verdict(.scu) == .accepted(transferSyntax: syntax, role: .scu))
        #expect(try verdict(.both) == .accepted(transferSyntax: syntax, role: .scu))
        #expect(try verdict(.scp) == .refused(.userRejection))
    }

    @Test func checksUsersOnTheWire() throws {
        let fixture = try DIMSEFixture(isOpen: false)
        var known = Peer(aeTitle: "WEB", addresses: ["127.0.0.1"], institution: "North", issuer: "NORTH")
        known.identity = PeerIdentity(user: "doctor", isRequired: true)
        try fixture.access.add(known, secrets: PeerSecrets(password: try PasswordHash(Array("sesame".utf8))))
        func call(_ identity: UserIdentity?) throws(DIMSEError) -> Bool {
            var target = fixture.target(as: "WEB")
            target.identity = identity
            let association = try target.associate([
                PresentationContext(
                    id: 1, abstractSyntax: SOPClass.verification,
                    transferSyntaxes: [TransferSyntax.implicitVRLittleEndian.uid])
            ])
            try? association.release()
            return association.isIdentityAnswered
        }
        func refused(_ identity: UserIdentity?) -> Rejection? {
            do throws(DIMSEError) { _ = try call(identity) } catch {
                if case .association(.rejected(let rejection)) = error { return rejection }
            }
            return nil
        }
        func user(_ password: String, response: Bool = false) -> UserIdentity {
            UserIdentity(
                kind: .nameAndPasscode, primary: Array("doctor".utf8), secondary: Array(password.utf8),
                wantsResponse: response)
        }
        #expect(try call(user("sesame", response: true)))
        #expect(try !call(user("sesame")))
        for identity in [
            nil, user("other"), UserIdentity(kind: .name, primary: Array("doctor".utf8)),
            UserIdentity(kind: .kerberos, primary: [1]), UserIdentity(kind: .saml, primary: [1]),
            UserIdentity(kind: .token, primary: Array("a.b.c".utf8)),
        ] {
            #expect(refused(identity) == .noReasonGiven)
        }
    }
}
