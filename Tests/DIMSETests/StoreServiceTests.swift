import Archive
import DICOM
import Foundation
import Synchronization
import Testing
import Toolkit

@testable import DIMSE

extension ServiceTests {
    /// C-STORE into a service in this process.
    struct StoreTests {
        private struct Lost: Error {}

        @Test func storesWhatComesOverSeveralAssociationsBitForBit() throws {
            let fixture = try DIMSEFixture()
            let objects = (1...40).map { TestObject($0, byteCount: $0 * 1000) }
            let run = fixture.send(objects, associations: 3)
            #expect(run.counts == SubOperationCounts(remaining: 0, completed: 40, failed: 0, warning: 0))
            #expect(run.answeredStatuses == [.success: 40] && run.error == nil)
            for object in objects { #expect(try fixture.content(object.sopInstanceUID) == object.bytes) }
            let received = try #require(fixture.metric("huizhen_dimse_received_bytes_total"))
            #expect(received == objects.reduce(0) { $0 + $1.bytes.count })
        }

        @Test func answersTheSameObjectWithSuccessAndOtherContentWithItsStatus() throws {
            let fixture = try DIMSEFixture()
            fixture.send([TestObject(1)])
            #expect(fixture.send([TestObject(1)]).answeredStatuses == [.success: 1])
            #expect(fixture.send([TestObject(1, byteCount: 600)]).answeredStatuses == [.duplicateSOPInstance: 1])
            #expect(try fixture.content("1.2.9.1") == TestObject(1).bytes)
        }

        @Test func goesOnAfterAnObjectItRefused() throws {
            let fixture = try DIMSEFixture()
            var hostile = TestObject(1)
            // Sequences in sequences, one past the bound. (0040,0275) SQ and its item, of undefined length.
            let open: [UInt8] = [
                0x40, 0, 0x75, 2, 0x53, 0x51, 0, 0, 255, 255, 255, 255, 0xFE, 0xFF, 0, 0xE0, 255, 255, 255, 255,
            ]
            hostile.bytes = Array(repeating: open, count: ScanLimits().depth + 1).flatMap { $0 }
            let run = fixture.send([hostile, TestObject(2)], associations: 1)
            #expect(run.answeredStatuses == [.cannotUnderstand: 1, .success: 1])
            #expect(run.failed == ["1.2.9.1"])
            #expect(try fixture.uids == ["1.2.9.2"])
            #expect(fixture.metric("huizhen_dimse_associations_accepted_total") == 1)
        }

        @Test func failsWhatHasNoContextAndSendsTheRest() throws {
            let fixture = try DIMSEFixture()
            var strange = TestObject(1)
            strange.sopClassUID = "1.2.826.0.1.7"
            let run = fixture.send([strange, TestObject(2)])
            #expect(run.counts.completed == 1 && run.failed == ["1.2.9.1"])
            #expect(try fixture.uids == ["1.2.9.2"])
        }

        @Test func keepsNothingOfAnObjectWhoseSenderVanished() throws {
            let fixture = try DIMSEFixture()
            let object = SlowObject(whole: TestObject(1, byteCount: 2_000_000)) { throw Lost() }
            let run = fixture.send([object], associations: 1)
            #expect(run.failed == ["1.2.9.1"])
            #expect(eventually { fixture.metric("huizhen_dimse_connections") == 0 })
            #expect(try fixture.uids.isEmpty)
            #expect(fixture.send([TestObject(1)]).counts.completed == 1)
        }

        @Test func givesUpOnADestinationThatIsNotThere() throws {
            let fixture = try DIMSEFixture()
            fixture.server.stop()
            let run = fixture.send((1...20).map { TestObject($0) })
            #expect(run.counts == SubOperationCounts(remaining: 0, completed: 0, failed: 20, warning: 0))
            #expect(run.error != nil)
            var nowhere = fixture.peer()
            nowhere.port = nil
            let lost = ObjectSender(aeTitle: "TEST", timeouts: DIMSEFixture.timeouts, metrics: nil)
                .start([TestObject(1)], to: nowhere)
            lost.wait()
            #expect(lost.failed == ["1.2.9.1"])
        }

        @Test func finishesTheObjectUnderWayWhenItStops() throws {
            let fixture = try DIMSEFixture { $0.stopTimeout = .seconds(20) }
            let isHalf = DispatchSemaphore(value: 0)
            let stopping = DispatchSemaphore(value: 0)
            let object = SlowObject(whole: TestObject(1, byteCount: 1_000_000)) {
                isHalf.signal()
                stopping.wait()
            }
            let run = ObjectSender(aeTitle: "TEST", timeouts: DIMSEFixture.timeouts, metrics: nil)
                .start([object], to: fixture.peer())
            isHalf.wait()
            // What was sent is received a little later; only then is there an object under way.
            #expect(eventually { fixture.receivedByteCount > 0 })
            let stopped = DispatchSemaphore(value: 0)
            let thread = Thread {
                fixture.server.stop()
                stopped.signal()
            }
            thread.start()
            // The listener is closed first: once nobody can connect, the stop is under way.
            #expect(eventually { (try? fixture.requester([SOPClass.verification])) == nil })
            stopping.signal()
            run.wait()
            stopped.wait()
            #expect(run.counts.completed == 1)
            #expect(try fixture.content("1.2.9.1") == object.whole.bytes)
        }

        @Test func abortsWhatDoesNotFinishInTimeWhenItStops() throws {
            let fixture = try DIMSEFixture { $0.stopTimeout = .milliseconds(0) }
            let isHalf = DispatchSemaphore(value: 0)
            let stopped = DispatchSemaphore(value: 0)
            let object = SlowObject(whole: TestObject(1, byteCount: 1_000_000)) {
                isHalf.signal()
                stopped.wait()
            }
            let run = ObjectSender(aeTitle: "TEST", timeouts: DIMSEFixture.timeouts, metrics: nil)
                .start([object], to: fixture.peer())
            isHalf.wait()
            fixture.server.stop()
            stopped.signal()
            stopped.signal()
            run.wait()
            #expect(run.failed == ["1.2.9.1"])
            #expect(try fixture.uids.isEmpty)
        }
    }
}
