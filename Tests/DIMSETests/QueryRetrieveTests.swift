import Access
import DICOM
import Foundation
import Synchronization
import Testing
import Toolkit

@testable import DIMSE

extension ServiceTests {
    /// C-FIND, C-MOVE and C-GET against services in this process.
    struct QueryRetrieveTests {
        private func filled(
            _ count: Int = 5, byteCount: Int = 512, _ change: (inout DIMSESettings) -> Void = { _ in }
        ) throws -> DIMSEFixture {
            let fixture = try DIMSEFixture(change)
            let run = fixture.send((1...count).map { TestObject($0, byteCount: byteCount) })
            try #require(run.counts.completed == count)
            return fixture
        }

        // MARK: C-FIND

        @Test func findsAtEveryLevelInBothModels() throws {
            let fixture = try filled()
            let study = try fixture.find(keys("STUDY", [.patientName: "=王*", .numberOfStudyRelatedInstances: ""]))
            #expect(study.status == .success && study.matches.count == 1)
            #expect(study.matches.first?.string(.patientName) == "Wang^XiaoDong=王^小東")
            #expect(study.matches.first?.string(.numberOfStudyRelatedInstances) == "5")
            let images = try fixture.find(
                keys("IMAGE", [.studyInstanceUID: "1.2.1", .sopInstanceUID: ""]), model: .patientRoot)
            #expect(images.matches.compactMap { $0.string(.sopInstanceUID) } == (1...5).map { "1.2.9.\($0)" })
            #expect(try fixture.find(keys("SERIES", [.modality: "OT"])).matches.count == 1)
            #expect(try fixture.find(keys("PATIENT", [.patientID: "1*"]), model: .patientRoot).matches.count == 1)
            #expect(try fixture.find(keys("STUDY", [.patientID: "9"])).matches.isEmpty)
        }

        @Test func showsOneInstitutionNothingOfAnothersConflicts() throws {
            let fixture = try DIMSEFixture()
            try fixture.know("NORTH1", institution: "North")
            try fixture.know("SOUTH1", institution: "South")
            fixture.send([TestObject(1)], as: "NORTH1")
            fixture.send([TestObject(2)], as: "SOUTH1")
            let asked = keys("IMAGE", [.sopInstanceUID: ""])
            let north = try fixture.find(asked, as: "NORTH1").matches.compactMap { $0.string(.sopInstanceUID) }
            let south = try fixture.find(asked, as: "SOUTH1").matches.compactMap { $0.string(.sopInstanceUID) }
            #expect(north == ["1.2.9.1"])
            #expect(south.sorted() == ["1.2.9.2"])
        }

        @Test func refusesALevelThatTheModelDoesNotHave() throws {
            let fixture = try filled(1)
            for level in ["PATIENT", "FRAME", ""] {
                #expect(try fixture.find(keys(level)).status == .dataSetDoesNotMatchSOPClass)
            }
        }

        @Test func answersOutOfResourcesAfterTheMatchesOfItsLimit() throws {
            let fixture = try filled { $0.findLimit = 4 }
            let images = try fixture.find(keys("IMAGE", [.sopInstanceUID: ""]))
            #expect(images.status == .outOfResources && images.matches.count == 4)
            let four = (1...4).map { "1.2.9.\($0)" }.joined(separator: "\\")
            let all = try fixture.find(keys("IMAGE", [.sopInstanceUID: four]))
            #expect(all.status == .success && all.matches.count == 4)
        }

        @Test func endsAQueryThatIsCancelledAndTakesTheNext() throws {
            let fixture = try filled(30)
            let requester = try fixture.requester([SOPClass.studyRootFind])
            defer { requester.close() }
            var seen = 0
            let status = try requester.find(keys("IMAGE", [.sopInstanceUID: ""]), model: .studyRoot) { _ in
                seen += 1
                return false
            }
            // The last match may be on its way before the cancellation arrives.
            #expect(status == .cancelled || status == .success)
            #expect(seen == 1)
            #expect(try requester.find(keys("STUDY"), model: .studyRoot) { _ in true } == .success)
        }

        @Test func refusesAnIdentifierBeyondItsBound() throws {
            let fixture = try filled(1)
            var large = keys("STUDY")
            large.set(Tag(0x0010, 0x4000), .LT, string: String(repeating: "x", count: 1 << 20))
            #expect(throws: DIMSEError.self) { try fixture.find(large) }
            #expect(try fixture.find(keys("STUDY")).status == .success)
        }

        // MARK: C-MOVE

        @Test func movesAStudyToAnotherService() throws {
            let source = try filled(40)
            let target = try DIMSEFixture(aeTitle: "TARGET")
            try source.befriend(target.peer(associations: 3))
            let requester = try source.requester([SOPClass.studyRootMove])
            defer { requester.close() }
            let moved = try requester.move(
                keys("STUDY", [.studyInstanceUID: "1.2.1"]), model: .studyRoot, destination: "TARGET"
            ) { #expect($0.remaining + $0.completed <= 40) }
            #expect(moved.status == .success && moved.failedUIDs.isEmpty)
            #expect(moved.counts == SubOperationCounts(remaining: 0, completed: 40, failed: 0, warning: 0))
            #expect(try target.uids == source.uids)
            #expect(try target.content("1.2.9.7") == TestObject(7).bytes)
        }

        @Test func movesListsOfInstancesAndSucceedsWithNone() throws {
            let source = try filled()
            let target = try DIMSEFixture(aeTitle: "TARGET")
            try source.befriend(target.peer())
            let requester = try source.requester([SOPClass.studyRootMove])
            defer { requester.close() }
            func move(_ asked: Dataset) throws -> (Status, Int) {
                let moved = try requester.move(asked, model: .studyRoot, destination: "TARGET") { _ in }
                return (moved.status, moved.counts.completed)
            }
            let two = keys("IMAGE", [.studyInstanceUID: "1.2.1", .sopInstanceUID: "1.2.9.2\\1.2.9.4"])
            #expect(try move(two) == (.success, 2))
            #expect(try target.uids == ["1.2.9.2", "1.2.9.4"])
            #expect(try move(keys("STUDY", [.studyInstanceUID: "9.9"])) == (.success, 0))
            #expect(try move(keys("STUDY")) == (.dataSetDoesNotMatchSOPClass, 0))
            #expect(try move(keys("IMAGE", [.studyInstanceUID: "1.2.1"])) == (.dataSetDoesNotMatchSOPClass, 0))
        }

        @Test func movesOnlyToPeersItKnowsAndMayCall() throws {
            let source = try filled(1)
            try source.access.add(
                Peer(aeTitle: "MUTE", addresses: ["127.0.0.1"], institution: "N", issuer: "N"))
            try source.access.add(
                Peer(aeTitle: "FAR", addresses: ["192.0.2.1"], port: 104, institution: "N", issuer: "N"))
            let requester = try source.requester([SOPClass.studyRootMove])
            defer { requester.close() }
            for destination in ["NOBODY", "MUTE", "FAR"] {
                let moved = try requester.move(
                    keys("STUDY", [.studyInstanceUID: "1.2.1"]), model: .studyRoot, destination: destination
                ) { _ in }
                #expect(moved.status == .moveDestinationUnknown)
            }
        }

        @Test func movesToAnotherInstitutionOnlyWhatTheOperatorApprovedOf() throws {
            let source = try filled()
            let target = try DIMSEFixture(aeTitle: "TARGET")
            try source.access.add(target.peer())
            let requester = try source.requester([SOPClass.studyRootMove])
            defer { requester.close() }
            func move() throws -> Status {
                try requester.move(
                    keys("STUDY", [.studyInstanceUID: "1.2.1"]), model: .studyRoot, destination: "TARGET"
                ) { _ in }.status
            }
            #expect(try move() == .notAuthorized)
            #expect(try target.uids.isEmpty)
            try source.befriend(target.peer())
            #expect(try move() == .success)
            try source.access.revokeDestination("TARGET", because: "contract over", by: .localOperator("root"))
            #expect(try move() == .notAuthorized)
        }

        @Test func countsWhatDidNotArriveAndNamesIt() throws {
            let source = try filled()
            let target = try DIMSEFixture(aeTitle: "TARGET")
            try source.befriend(target.peer())
            target.send([TestObject(3, byteCount: 700)])
            let requester = try source.requester([SOPClass.studyRootMove])
            defer { requester.close() }
            let asked = keys("STUDY", [.studyInstanceUID: "1.2.1"])
            let part = try requester.move(asked, model: .studyRoot, destination: "TARGET") { _ in }
            #expect(part.status == .subOperationsWithFailures)
            #expect(part.counts == SubOperationCounts(remaining: 0, completed: 4, failed: 1, warning: 0))
            #expect(part.failedUIDs == ["1.2.9.3"])
            target.server.stop()
            let none = try requester.move(asked, model: .studyRoot, destination: "TARGET") { _ in }
            #expect(none.status == .outOfResourcesForSubOperations)
            #expect(none.counts == SubOperationCounts(remaining: 0, completed: 0, failed: 5, warning: 0))
            #expect(none.failedUIDs.sorted() == (1...5).map { "1.2.9.\($0)" })
        }

        @Test func refusesMoreObjectsThanItsLimit() throws {
            let source = try filled { $0.retrieveLimit = 4 }
            try source.befriend(source.peer())
            let requester = try source.requester([SOPClass.studyRootMove])
            defer { requester.close() }
            let moved = try requester.move(
                keys("STUDY", [.studyInstanceUID: "1.2.1"]), model: .studyRoot, destination: "HUIZHEN"
            ) { _ in }
            #expect(moved.status == .outOfResourcesForMatches)
        }

        // MARK: C-GET

        private func get(
            _ fixture: DIMSEFixture, _ asked: Dataset, receiving: [String] = [TestObject.sopClass],
            answering: (String) -> Status = { _ in .success }
        ) throws -> (status: Status, counts: SubOperationCounts, objects: [String: [UInt8]]) {
            let requester = try fixture.requester(
                [SOPClass.studyRootGet],
                receiving: receiving.map { ($0, [TransferSyntax.explicitVRLittleEndian.uid]) })
            defer { requester.close() }
            var objects: [String: [UInt8]] = [:]
            let got = try requester.get(asked, model: .studyRoot, progress: { _ in }) {
                _, uid, _, fragments throws(DIMSEError) in
                var bytes: [UInt8] = []
                try fragments { bytes += $0 }
                objects[uid] = bytes
                return answering(uid)
            }
            return (got.status, got.counts, objects)
        }

        // MARK: Everything of a study

        /// A study of so many SOP classes, one object each.
        private func mixed(_ classes: [String]) throws -> DIMSEFixture {
            let fixture = try DIMSEFixture()
            let objects = classes.enumerated().map { TestObject($0.offset + 1, sopClass: $0.element) }
            try #require(fixture.send(objects).counts.completed == classes.count)
            return fixture
        }

        private func everything(
            _ fixture: DIMSEFixture, _ asked: Dataset, contexts: Int = 127, as calling: String = "TEST",
            asking classes: [String] = []
        ) throws -> (Retrieved, uids: [String]) {
            var uids: [String] = []
            let got = try StudyGet(
                fixture.target(as: calling), keys: asked, model: .studyRoot,
                syntaxes: [TransferSyntax.explicitVRLittleEndian.uid], contextLimit: contexts
            ).run(sopClasses: classes, progress: { _ in }) { _, uid, _, fragments throws(DIMSEError) in
                try fragments { _ in }
                uids.append(uid)
                return .success
            }
            return (got, uids.sorted())
        }

        private static let mixture = SOPClass.storage.keys.sorted()

        @Test func getsAllOfAStudyWhateverItsClasses() throws {
            let fixture = try mixed(Array(Self.mixture.prefix(9)))
            let asked = keys("STUDY", [.studyInstanceUID: "1.2.1"])
            let (got, uids) = try everything(fixture, asked)
            #expect(got.status == .success && got.failedUIDs.isEmpty)
            #expect(got.counts == SubOperationCounts(remaining: 0, completed: 9, failed: 0, warning: 0))
            #expect(uids == (1...9).map { "1.2.9.\($0)" })
            // Every object once, however few of its classes fit one association.
            for contexts in [1, 2, 4, 8, 9] {
                let (got, uids) = try everything(fixture, asked, contexts: contexts)
                #expect(got.status == .success && got.counts.completed == 9 && got.counts.failed == 0, "\(contexts)")
                #expect(uids == (1...9).map { "1.2.9.\($0)" }, "\(contexts)")
            }
        }

        @Test func getsAllFromWhoDoesNotTellWhatItHolds() throws {
            let count = 140
            try #require(Self.mixture.count > count)
            let fixture = try mixed(Array(Self.mixture.suffix(count)))
            // Whoever may not search is told nothing; more classes than contexts are then asked for.
            try fixture.know("MUTE", [.echo, .get], institution: "Home")
            let (got, uids) = try everything(fixture, keys("STUDY", [.studyInstanceUID: "1.2.1"]), as: "MUTE")
            #expect(got.status == .success && got.failedUIDs.isEmpty)
            #expect(got.counts == SubOperationCounts(remaining: 0, completed: count, failed: 0, warning: 0))
            #expect(uids == (1...count).map { "1.2.9.\($0)" }.sorted())
        }

        @Test func namesWhatNoAssociationBrought() throws {
            let classes = Array(Self.mixture.prefix(4))
            let fixture = try mixed(classes)
            let asked = keys("STUDY", [.studyInstanceUID: "1.2.1"])
            let (got, uids) = try everything(fixture, asked, contexts: 1, asking: Array(classes[1...2]))
            #expect(got.status == .subOperationsWithFailures)
            #expect(got.counts == SubOperationCounts(remaining: 0, completed: 2, failed: 2, warning: 0))
            #expect(uids == ["1.2.9.2", "1.2.9.3"])
            #expect(got.failedUIDs.sorted() == ["1.2.9.1", "1.2.9.4"])
            let (none, _) = try everything(fixture, asked, asking: ["1.2.840.10008.5.1.4.1.1.66"])
            #expect(none.counts.completed + none.counts.failed == 4)
        }

        @Test func getsAStudyBackBitForBit() throws {
            let fixture = try filled(10, byteCount: 200_000)
            let (status, counts, objects) = try get(fixture, keys("STUDY", [.studyInstanceUID: "1.2.1"]))
            #expect(status == .success && counts.completed == 10 && objects.count == 10)
            for number in 1...10 {
                #expect(objects["1.2.9.\(number)"] == TestObject(number, byteCount: 200_000).bytes)
            }
        }

        @Test func countsRefusalsAndWarningsOfTheOtherSide() throws {
            let fixture = try filled()
            let (status, counts, _) = try get(fixture, keys("STUDY", [.studyInstanceUID: "1.2.1"])) { uid in
                switch uid {
                case "1.2.9.2": .outOfResources
                case "1.2.9.3": Status(0xB007)
                default: .success
                }
            }
            #expect(status == .subOperationsWithFailures)
            #expect(counts == SubOperationCounts(remaining: 0, completed: 3, failed: 1, warning: 1))
        }

        @Test func failsWhatTheOtherSideTakesNoContextFor() throws {
            let fixture = try filled(3)
            let (status, counts, objects) = try get(
                fixture, keys("STUDY", [.studyInstanceUID: "1.2.1"]), receiving: ["1.2.840.10008.5.1.4.1.1.2"])
            #expect(status == .outOfResourcesForSubOperations)
            #expect(counts.failed == 3 && objects.isEmpty)
        }
    }
}
