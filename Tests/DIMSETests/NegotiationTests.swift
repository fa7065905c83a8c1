import Access
import DICOM
import Testing
import Toolkit

@testable import DIMSE

/// What is answered to a proposed presentation context.
struct NegotiationTests {
    private static let image = "1.2.840.10008.5.1.4.1.1.2"
    private static let implicit = TransferSyntax.implicitVRLittleEndian.uid
    private static let explicit = TransferSyntax.explicitVRLittleEndian.uid
    private static let big = TransferSyntax.explicitVRBigEndian.uid
    private static let jpeg = "1.2.840.10008.1.2.4.50"

    private func answer(
        _ sopClass: String, _ syntaxes: [String] = [implicit], role: PresentationContext.Role = .default,
        services: Set<Peer.Service> = Set(Peer.Service.allCases), unknown: Bool = false
    ) throws -> ContextAnswer.Verdict {
        let context = PresentationContext(id: 5, abstractSyntax: sopClass, transferSyntaxes: syntaxes, role: role)
        let answers = Negotiation(services: services, acceptsUnknownSOPClasses: unknown).answers(to: [context])
        let answer = try #require(answers.first)
        #expect(answers.count == 1 && answer.id == 5)
        return answer.verdict
    }

    @Test(arguments: [
        (SOPClass.verification, Peer.Service.echo), (image, .store), (SOPClass.patientRootFind, .find),
        (SOPClass.studyRootFind, .find), (SOPClass.patientRootMove, .move), (SOPClass.studyRootMove, .move),
        (SOPClass.patientRootGet, .get), (SOPClass.studyRootGet, .get),
    ])
    func acceptsAServiceOnlyForPeersThatMayUseIt(_ sopClass: String, _ service: Peer.Service) throws {
        #expect(
            try answer(sopClass, services: [service]) == .accepted(transferSyntax: Self.implicit, role: .default))
        let others = Set(Peer.Service.allCases).subtracting([service])
        #expect(try answer(sopClass, services: others) == .refused(.userRejection))
    }

    @Test func prefersExplicitLittleEndianForMessagesAndUncompressedObjects() throws {
        for sopClass in [SOPClass.verification, SOPClass.studyRootFind, Self.image] {
            let all = try answer(sopClass, [Self.implicit, Self.big, Self.explicit])
            #expect(all == .accepted(transferSyntax: Self.explicit, role: .default))
            let two = try answer(sopClass, [Self.big, Self.implicit])
            #expect(two == .accepted(transferSyntax: Self.implicit, role: .default))
            #expect(try answer(sopClass, [Self.big]) == .accepted(transferSyntax: Self.big, role: .default))
        }
    }

    @Test func takesTheSendersFirstChoiceWhenItIsCompressed() throws {
        #expect(
            try answer(Self.image, [Self.jpeg, Self.explicit]) == .accepted(transferSyntax: Self.jpeg, role: .default))
        #expect(
            try answer(Self.image, [Self.implicit, Self.jpeg])
                == .accepted(transferSyntax: Self.implicit, role: .default))
        #expect(
            try answer(Self.image, ["1.2.826.0.1.99"])
                == .accepted(transferSyntax: "1.2.826.0.1.99", role: .default))
    }

    @Test func refusesSyntaxesItCannotUse() throws {
        #expect(try answer(SOPClass.studyRootFind, [Self.jpeg]) == .refused(.transferSyntaxesNotSupported))
        #expect(try answer(Self.image, []) == .refused(.transferSyntaxesNotSupported))
        #expect(try answer(Self.image, ["not a uid", ""]) == .refused(.transferSyntaxesNotSupported))
        // JPIP Referenced: no pixels in the object.
        #expect(try answer(Self.image, ["1.2.840.10008.1.2.4.94"]) == .refused(.transferSyntaxesNotSupported))
    }

    @Test func takesUnknownClassesBySettingButNeverOtherServices() throws {
        let other = [
            SOPClass.modalityPerformedProcedureStep, SOPClass.patientStudyOnlyFind, "1.2.840.10008.1.20.2",
            "1.2.840.10008.5.1.4.1.2.9.9",
        ]
        #expect(try answer("1.2.826.0.1.7") == .refused(.abstractSyntaxNotSupported))
        #expect(
            try answer("1.2.826.0.1.7", unknown: true) == .accepted(transferSyntax: Self.implicit, role: .default))
        for service in Peer.Service.allCases {
            let verdict = try answer(SOPClass.storageCommitmentPushModel, services: [service])
            #expect((verdict == .accepted(transferSyntax: Self.implicit, role: .default)) == (service == .store))
        }
        for sopClass in other {
            #expect(try answer(sopClass, unknown: true) == .refused(.abstractSyntaxNotSupported))
        }
    }

    @Test func takesEveryStorageClass() throws {
        #expect(SOPClass.storage.count > 150)
        for sopClass in SOPClass.storage.keys {
            #expect(try answer(sopClass) == .accepted(transferSyntax: Self.implicit, role: .default))
        }
    }

    @Test func sendsObjectsToRequestersInTheSCPRoleThatMayGetThem() throws {
        func verdict(_ role: PresentationContext.Role, _ services: Set<Peer.Service>) throws -> ContextAnswer.Verdict {
            try answer(Self.image, role: role, services: services)
        }
        func accepted(_ role: PresentationContext.Role) -> ContextAnswer.Verdict {
            .accepted(transferSyntax: Self.implicit, role: role)
        }
        #expect(try verdict(.scp, [.get]) == accepted(.scp))
        #expect(try verdict(.scp, [.store]) == .refused(.userRejection))
        #expect(try verdict(.both, [.get, .store]) == accepted(.both))
        #expect(try verdict(.both, [.get]) == accepted(.scp))
        #expect(try verdict(.scu, [.store]) == accepted(.scu))
        #expect(try verdict(.scu, [.get]) == .refused(.userRejection))
        #expect(try verdict(.both, [.find]) == .refused(.userRejection))
    }

    @Test func givesARequesterOfBothRolesThatMayOnlyStoreTheOneItMayHave() throws {
        #expect(
            try answer(Self.image, role: .both, services: [.store])
                == .accepted(transferSyntax: Self.implicit, role: .scu))
    }
}
