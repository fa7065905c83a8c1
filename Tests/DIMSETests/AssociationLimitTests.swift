import Access
import DICOM
import Foundation
import Testing
import Toolkit

@testable import DIMSE

extension ServiceTests {
    /// Who gets an association, and how many.
    struct AssociationTests {
        @Test func answersAnEchoOverAndOverOnOneAssociation() throws {
            let fixture = try DIMSEFixture()
            let requester = try fixture.requester([SOPClass.verification])
            for _ in 0..<3 { #expect(try requester.echo() == .success) }
            requester.close()
            #expect(fixture.metric("huizhen_dimse_associations_accepted_total") == 1)
            #expect(eventually { fixture.metric("huizhen_dimse_associations") == 0 })
            #expect(fixture.metric("huizhen_dimse_associations_aborted_total") == 0)
            let count = "huizhen_dimse_duration_seconds_count{status=\"success\",verb=\"echo\"}"
            #expect(fixture.metric(count) == 3)
        }

        @Test func refusesAnotherCalledTitle() throws {
            let fixture = try DIMSEFixture()
            expectRejection(.calledAETitleNotRecognized) {
                _ = try fixture.requester([SOPClass.verification], called: "OTHER")
            }
        }

        @Test func refusesAnUnknownPeerUntilItIsAdded() throws {
            let fixture = try DIMSEFixture(isOpen: false)
            expectRejection(.callingAETitleNotRecognized) { _ = try fixture.requester([SOPClass.verification]) }
            try fixture.know("TEST", [.echo])
            let requester = try fixture.requester([SOPClass.verification])
            #expect(try requester.echo() == .success)
            requester.close()
            #expect(fixture.metric("huizhen_dimse_associations_rejected_total{reason=\"access\"}") == 1)
        }

        @Test func refusesTheContextsOfServicesThatAPeerMayNotUse() throws {
            let fixture = try DIMSEFixture(isOpen: false)
            try fixture.know("TEST", [.echo, .find])
            let requester = try fixture.requester(
                [SOPClass.verification, SOPClass.studyRootFind, SOPClass.studyRootMove])
            defer { requester.close() }
            #expect(try requester.echo() == .success)
            #expect(throws: DIMSEError.self) {
                try requester.move(keys("STUDY"), model: .studyRoot, destination: "X") { _ in }
            }
            let run = fixture.send([TestObject(1)])
            #expect(run.failed == ["1.2.9.1"] && run.answeredStatuses.isEmpty)
            #expect(try fixture.uids.isEmpty)
        }

        @Test func storesNothingOfAPeerThatMayOnlyFetch() throws {
            let fixture = try DIMSEFixture(isOpen: false)
            try fixture.know("TEST", [.echo, .find, .get])
            let object = TestObject(1)
            let association = try fixture.target().associate([
                PresentationContext(
                    id: 1, abstractSyntax: object.sopClassUID, transferSyntaxes: [object.transferSyntaxUID],
                    role: .scp)
            ])
            #expect(association.accepted[1]?.acceptedRole == .scp)
            let exchange = StoreExchange(
                stream: MessageStream(association), contexts: Array(association.accepted.values))
            let status = try exchange.send(object, originator: nil, sent: { _ in }, whileWaiting: { nil })
            #expect(status == ServiceAnswer.noService.status)
            try association.release()
            #expect(try fixture.uids.isEmpty)
        }

        @Test func storesNothingMoreOfAPeerThatMayNotAnyLonger() throws {
            let fixture = try DIMSEFixture(isOpen: false)
            try fixture.know("TEST")
            let association = try fixture.target().associate([
                PresentationContext(
                    id: 1, abstractSyntax: TestObject.sopClass,
                    transferSyntaxes: [TransferSyntax.explicitVRLittleEndian.uid])
            ])
            let exchange = StoreExchange(
                stream: MessageStream(association), contexts: Array(association.accepted.values))
            func store(_ number: Int) throws -> Status? {
                try exchange.send(TestObject(number), originator: nil, sent: { _ in }, whileWaiting: { nil })
            }
            #expect(try store(1) == .success)
            let peer = try #require(fixture.access.peer(aeTitle: "TEST"))
            // How we call it has nothing to do with what it may.
            var called = peer
            called.associations = 1
            try fixture.access.add(called)
            #expect(try store(2) == .success)
            var moved = peer
            moved.addresses = ["127.0.0.9"]
            try fixture.access.add(moved)
            #expect(try store(3) == ServiceAnswer.notAllowed.status)
            try association.release()
            #expect(try fixture.uids == ["1.2.9.1", "1.2.9.2"])
        }

        @Test func rejectsTheAssociationOnePastItsLimitAsTransient() throws {
            let fixture = try DIMSEFixture { $0.associationLimit = 2 }
            let first = try fixture.requester([SOPClass.verification])
            let second = try fixture.requester([SOPClass.verification])
            expectRejection(.localLimitExceeded) { _ = try fixture.requester([SOPClass.verification]) }
            #expect(try first.echo() == .success)
            #expect(try second.echo() == .success)
            first.close()
            #expect(eventually { fixture.metric("huizhen_dimse_associations") == 1 })
            let third = try fixture.requester([SOPClass.verification])
            #expect(try third.echo() == .success)
            second.close()
            third.close()
        }

        @Test func rejectsTheConnectionOnePastItsLimitAsTransient() throws {
            let fixture = try DIMSEFixture { $0.connectionLimitPerAddress = 1 }
            let first = try fixture.requester([SOPClass.verification])
            expectRejection(.localLimitExceeded) { _ = try fixture.requester([SOPClass.verification]) }
            first.close()
            #expect(eventually { fixture.metric("huizhen_dimse_connections") == 0 })
            try fixture.requester([SOPClass.verification]).close()
        }

        @Test func goesOnBesideAnAssociationThatBroke() throws {
            let fixture = try DIMSEFixture()
            let first = try fixture.requester([SOPClass.verification])
            let second = try fixture.requester([SOPClass.verification])
            first.abort()
            #expect(try second.echo() == .success)
            #expect(eventually { fixture.metric("huizhen_dimse_associations_aborted_total") == 1 })
            second.close()
        }

        @Test func saysThatNobodyListensAfterItStopped() throws {
            let fixture = try DIMSEFixture()
            fixture.server.stop()
            #expect(throws: DIMSEError.self) { _ = try fixture.requester([SOPClass.verification]) }
        }

        @Test func endsIdleAssociationsAtOnceWhenItStops() throws {
            let fixture = try DIMSEFixture { $0.stopTimeout = .seconds(60) }
            let idle = try fixture.requester([SOPClass.verification])
            fixture.server.stop()
            #expect(throws: DIMSEError.self) { _ = try idle.echo() }
            #expect(fixture.metric("huizhen_dimse_associations") == 0)
        }
    }
}

/// Services in this process, one after another: each takes ports and threads.
@Suite(.serialized) struct ServiceTests {}
