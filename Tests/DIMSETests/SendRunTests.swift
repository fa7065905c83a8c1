import Archive
import DICOM
import Testing

@testable import DIMSE

/// What came of each object of one sending.
struct SendRunTests {
    private struct Item: SendItem {
        var sopClassUID = "1.2.840.10008.5.1.4.1.1.2"
        var sopInstanceUID: String
        var transferSyntaxUID = "1.2.840.10008.1.2"

        var byteCount: UInt64 { 0 }

        func forEachPiece(through _: PieceBuffer, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {}
    }

    private func run(_ count: Int) -> SendRun { SendRun((0..<count).map { Item(sopInstanceUID: "1.\($0)") }) }

    private func take(_ run: SendRun) throws -> any SendItem { try #require(run.take(of: run.nextKinds())) }

    @Test func givesObjectsInTheirOrderAndCountsTheirStatuses() throws {
        let run = run(5)
        for (index, status) in [Status.success, Status(0xB000), .outOfResources, nil, .success].enumerated() {
            let item = try take(run)
            #expect(item.sopInstanceUID == "1.\(index)")
            #expect(!run.waitForProgress(until: .now))
            run.finished(item, status)
        }
        #expect(run.waitForProgress(until: .now))
        #expect(run.counts == SubOperationCounts(remaining: 0, completed: 2, failed: 2, warning: 1))
        #expect(run.failed == ["1.2", "1.3"])
        #expect(run.answeredStatuses == [.success: 2, Status(0xB000): 1, .outOfResources: 1])
        #expect(run.take(of: run.nextKinds()) == nil)
    }

    @Test func isDoneWithNothingToSend() {
        #expect(run(0).waitForProgress(until: .now))
    }

    @Test func triesAnObjectOnceMoreAfterItsAssociationBroke() throws {
        let run = run(2)
        run.broken(try take(run), .association(.connectionLost))
        #expect(run.counts.remaining == 2 && run.failed.isEmpty)
        let again = try take(run)
        #expect(again.sopInstanceUID == "1.0")
        run.broken(again, .association(.connectionLost))
        #expect(run.counts == SubOperationCounts(remaining: 1, completed: 0, failed: 1, warning: 0))
        #expect(run.failed == ["1.0"])
        run.finished(try take(run), .success)
        #expect(run.waitForProgress(until: .now))
        guard case .association(.connectionLost) = run.error else { return #expect(Bool(false), "no error") }
    }

    @Test func failsEverythingThatWaitsWhenItGivesUp() throws {
        let run = run(3)
        let item = try take(run)
        run.giveUp(.notAccepted)
        #expect(run.counts == SubOperationCounts(remaining: 1, completed: 0, failed: 2, warning: 0))
        #expect(!run.waitForProgress(until: .now))
        run.finished(item, .success)
        #expect(run.waitForProgress(until: .now))
        #expect(run.counts == SubOperationCounts(remaining: 0, completed: 1, failed: 2, warning: 0))
        #expect(Set(run.failed) == ["1.1", "1.2"])
    }

    @Test func beginsNothingAfterItWasCancelledAndLeavesTheRestRemaining() throws {
        let run = run(3)
        let item = try take(run)
        run.cancel()
        #expect(run.pendingCount == 0 && run.take(of: [SendKind(item)]) == nil)
        #expect(!run.waitForProgress(until: .now))
        run.broken(item, .association(.cancelled))
        #expect(run.waitForProgress(until: .now))
        #expect(run.counts == SubOperationCounts(remaining: 2, completed: 0, failed: 1, warning: 0))
    }

    @Test func proposesEachKindAsItIsStoredAndWhatEverybodyTakes() {
        let ct = "1.2.840.10008.5.1.4.1.1.2"
        func proposals(_ syntaxes: [TransferSyntax]) -> [[String]] {
            let kinds = syntaxes.map { SendKind(sopClassUID: ct, transferSyntaxUID: $0.uid) }
            return ObjectSender.proposals(for: Set(kinds)).map(\.transferSyntaxes)
        }
        let (explicit, implicit) = (
            TransferSyntax.explicitVRLittleEndian.uid, TransferSyntax.implicitVRLittleEndian.uid
        )
        #expect(proposals([.jpegLSLossless]) == [[TransferSyntax.jpegLSLossless.uid], [explicit, implicit]])
        #expect(proposals([.explicitVRLittleEndian]) == [[explicit], [implicit]])
        #expect(proposals([.explicitVRLittleEndian, .implicitVRLittleEndian]) == [[implicit], [explicit]])
        let many = (0..<ObjectSender.kindLimit).map { SendKind(sopClassUID: "1.2.\($0)", transferSyntaxUID: "1.3") }
        let contexts = ObjectSender.proposals(for: Set(many))
        #expect(contexts.count == ObjectSender.contextLimit && Set(contexts.map(\.id)).count == contexts.count)
    }

    @Test func givesNoMoreKindsThanAnAssociationHasContextsFor() throws {
        let limit = ObjectSender.kindLimit
        let items = (0..<(limit + 1) * 2).map {
            Item(sopClassUID: "1.2.\($0 % (limit + 1))", sopInstanceUID: "1.\($0)")
        }
        let run = SendRun(items)
        let kinds = run.nextKinds()
        #expect(kinds.count == limit)
        var taken = 0
        while let item = run.take(of: kinds) {
            taken += 1
            run.finished(item, .success)
        }
        #expect(taken == limit * 2)
        let rest = run.nextKinds()
        #expect(rest.count == 1)
        while let item = run.take(of: rest) { run.finished(item, .success) }
        #expect(run.counts == SubOperationCounts(remaining: 0, completed: (limit + 1) * 2, failed: 0, warning: 0))
    }
}
