import Foundation
import Synchronization
import Testing

@testable import Toolkit

extension AllTests {
    @Suite struct NegotiationTests {
        static let implicit = [Syntax.implicitLittleEndian]

        @Test func bothSidesSeeWhatWasAgreed() throws {
            let seen = Mutex<[PresentationContext]>([])
            let service = try TestService { association throws(AssociationError) in
                seen.withLock { $0 = association.proposed }
                try association.accept([
                    .accept(1, transferSyntax: Syntax.explicitLittleEndian), .refuse(3, .abstractSyntaxNotSupported),
                    .refuse(5, .transferSyntaxesNotSupported),
                ])
                return true
            }
            defer { service.stop() }
            let syntaxes = [Syntax.implicitLittleEndian, Syntax.explicitLittleEndian]
            let contexts = [
                PresentationContext(id: 1, abstractSyntax: SOPClass.verification, transferSyntaxes: syntaxes),
                PresentationContext(id: 3, abstractSyntax: "1.2.3", transferSyntaxes: Self.implicit),
                PresentationContext(id: 5, abstractSyntax: "1.2.4", transferSyntaxes: Self.implicit),
                PresentationContext(id: 7, abstractSyntax: "1.2.5", transferSyntaxes: Self.implicit),
            ]
            let association = try Association.request(.toTest(port: service.port, contexts: contexts))
            #expect(seen.withLock { $0 } == contexts)
            #expect(Set(association.accepted.keys) == [1])
            #expect(association.accepted[1]?.acceptedTransferSyntax == Syntax.explicitLittleEndian)
            #expect(association.refused[3]?.refusal == .abstractSyntaxNotSupported)
            #expect(association.refused[5]?.refusal == .transferSyntaxesNotSupported)
            #expect(association.refused[7]?.refusal == .noReason)
            #expect(association.peerImplementation == .huizhen)
            #expect(association.maximumPDVByteCount == Association.maximumPDULimit - 12)
            #expect(try association.echo() == 0)
            try association.release()
        }

        @Test func acceptorSeesTitlesAndAddress() throws {
            let seen = Mutex<[String]>([])
            let service = try TestService { association throws(AssociationError) in
                seen.withLock {
                    $0 = [association.callingAETitle, association.calledAETitle, association.peerAddress]
                }
                return try TestService.acceptEverything(association)
            }
            defer { service.stop() }
            try Association.request(.toTest(port: service.port)).release()
            #expect(seen.withLock { $0 } == ["TESTSCU", "TESTSCP", "127.0.0.1"])
        }

        @Test(arguments: ["127.0.0.1", "::1", "localhost"]) func reachesEveryKindOfHost(host: String) throws {
            let service = try TestService()
            defer { service.stop() }
            let association = try Association.request(.toTest(host: host, port: service.port))
            #expect(["127.0.0.1", "::1"].contains(association.peerAddress))
            #expect(try association.echo() == 0)
            try association.release()
            #expect(service.wait { $0.endedCount == 1 })
            #expect(service.log.errors.isEmpty)
        }

        @Test func takesAllContextsAnAssociationCanHold() throws {
            let service = try TestService()
            defer { service.stop() }
            let syntaxes = (0..<PresentationContext.transferSyntaxCountLimit).map { "1.2.840.10008.1.2.\($0 + 1)" }
            let contexts = (0..<PresentationContext.countLimit).map {
                PresentationContext(id: UInt8($0 * 2 + 1), abstractSyntax: "1.2.3.\($0)", transferSyntaxes: syntaxes)
            }
            let association = try Association.request(.toTest(port: service.port, contexts: contexts))
            #expect(association.accepted.count == PresentationContext.countLimit)
            try association.release()
        }

        @Test func answersTheRolesOfAGet() throws {
            let seen = Mutex<[PresentationContext.Role]>([])
            let service = try TestService { association throws(AssociationError) in
                seen.withLock { $0 = association.proposed.map(\.role) }
                return try TestService.acceptEverything(association)
            }
            defer { service.stop() }
            let roles: [PresentationContext.Role] = [.default, .scu, .scp, .both]
            let contexts = roles.enumerated().map { index, role in
                PresentationContext(
                    id: UInt8(index * 2 + 1), abstractSyntax: "1.2.3.\(index)", transferSyntaxes: Self.implicit,
                    role: role)
            }
            let association = try Association.request(.toTest(port: service.port, contexts: contexts))
            #expect(seen.withLock { $0 } == roles)
            for (index, role) in roles.enumerated() {
                #expect(association.accepted[UInt8(index * 2 + 1)]?.acceptedRole == role)
            }
            try association.release()
        }

        @Test func narrowsARoleButNeverWidensIt() throws {
            let service = try TestService { association throws(AssociationError) in
                try association.accept([
                    .accept(1, transferSyntax: Syntax.implicitLittleEndian, role: .scp),
                    .accept(3, transferSyntax: Syntax.implicitLittleEndian, role: .both),
                ])
                return true
            }
            defer { service.stop() }
            let contexts = [
                PresentationContext(id: 1, abstractSyntax: "1.2.1", transferSyntaxes: Self.implicit, role: .both),
                PresentationContext(id: 3, abstractSyntax: "1.2.3", transferSyntaxes: Self.implicit, role: .scp),
            ]
            let association = try Association.request(.toTest(port: service.port, contexts: contexts))
            #expect(association.accepted[1]?.acceptedRole == .scp)
            #expect(association.accepted[3]?.acceptedRole == .scp)
            try association.release()
        }

        @Test(arguments: [
            Rejection.noReasonGiven, .callingAETitleNotRecognized, .calledAETitleNotRecognized,
            .applicationContextNameNotSupported, .temporaryCongestion, .localLimitExceeded,
            .protocolVersionNotSupported,
        ]) func tellsWhyItRefuses(rejection: Rejection) throws {
            let service = try TestService { association throws(AssociationError) in
                association.reject(rejection)
                return false
            }
            defer { service.stop() }
            #expect(throws: AssociationError.rejected(rejection)) {
                try Association.request(.toTest(port: service.port))
            }
        }

        @Test func refusesToAcceptWhatWasNotProposed() throws {
            let failure = Mutex<AssociationError?>(nil)
            let service = try TestService { association throws(AssociationError) in
                do throws(AssociationError) {
                    try association.accept([.accept(1, transferSyntax: Syntax.explicitLittleEndian)])
                } catch { failure.withLock { $0 = error } }
                association.abort()
                return false
            }
            defer { service.stop() }
            #expect(throws: AssociationError.aborted(source: 0, reason: 0)) {
                try Association.request(.toTest(port: service.port))
            }
            #expect(failure.withLock { $0 } == .misuse)
        }

        @Test func refusesARequestBeyondItsBounds() throws {
            let service = try TestService()
            defer { service.stop() }
            func request(_ change: (inout AssociationRequest) -> Void) -> AssociationRequest {
                var request = AssociationRequest.toTest(port: service.port)
                change(&request)
                return request
            }
            func context(_ id: UInt8, abstractSyntax: String = "1.2", syntaxCount: Int = 1) -> PresentationContext {
                PresentationContext(
                    id: id, abstractSyntax: abstractSyntax,
                    transferSyntaxes: (0..<syntaxCount).map { "1.2.\($0)" })
            }
            let bad = [
                request { $0.contexts = [] },
                request { $0.contexts = (0...128).map { context(UInt8(truncatingIfNeeded: $0 * 2 + 1)) } },
                request { $0.contexts = [context(1), context(1)] },
                request { $0.contexts = [context(2)] },
                request { $0.contexts = [context(1, syntaxCount: 0)] },
                request { $0.contexts = [context(1, syntaxCount: 65)] },
                request { $0.contexts = [context(1, abstractSyntax: String(repeating: "1", count: 65))] },
                request { $0.callingAETitle = "" },
                request { $0.calledAETitle = "SEVENTEENLETTERSX" },
            ]
            for request in bad {
                #expect(throws: AssociationError.misuse) { try Association.request(request) }
            }
            var good = request { $0.calledAETitle = "SIXTEENLETTERSXX" }
            good.contexts = [context(255, abstractSyntax: String(repeating: "1", count: 64), syntaxCount: 64)]
            try Association.request(good).release()
        }

        @Test func saysWhenNobodyIsThere() throws {
            let port = try freePort()
            #expect(throws: AssociationError.unreachable(errno: ECONNREFUSED)) {
                try Association.request(.toTest(port: port))
            }
            #expect(throws: AssociationError.nameNotResolved) {
                try Association.request(.toTest(host: "no.such.host.invalid", port: port))
            }
        }

        @Test func findsTheDataDictionary() { #expect(DataDictionary.isLoaded) }
    }
}
