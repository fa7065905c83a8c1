import DICOM
import Testing

@testable import Catalog

/// Studies and series that are held for somebody else.
struct ConflictTests {
    @Test func marksAStudyHeldForAnotherPatient() throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1, patient: "1001"))
        #expect(try fixture.put(record(2, patient: "1002")) == .conflict)
        #expect(try fixture.put(record(3, patient: "1002")) == .conflict)
        #expect(try fixture.put(record(4, patient: "1001")) == .stored)
        let conflict = try #require(try fixture.catalog.conflicts().first)
        #expect(conflict.studyInstanceUID == "1.2.1" && conflict.patientID == "1002")
        #expect(conflict.heldByPatientID == "1001" && conflict.heldByInstitution == "North")
        #expect(conflict.instanceCount == 2)
        #expect(try fixture.catalog.totals().conflicts == 1)
    }

    @Test func marksAStudyHeldByAnotherInstitutionAndShowsItToItsSenderAlone() throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1, from: .north, issuer: "City"))
        #expect(try fixture.put(record(2, from: .south, issuer: "City")) == .conflict)
        #expect(try fixture.found(.instance, as: .institution("North")) == ["1.2.9.1"])
        #expect(try fixture.found(.instance, as: .institution("West")).isEmpty)
        #expect(try fixture.found(.instance, as: .institution("South")) == ["1.2.9.2"])
        #expect(try fixture.found(.instance, as: .everything) == ["1.2.9.1", "1.2.9.2"])
    }

    @Test func neverMergesWhatItMarked() throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1, from: .north, issuer: "City"))
        try fixture.put(record(2, from: .south, issuer: "City"))
        for level in [QueryLevel.patient, .study, .series] {
            #expect(try fixture.found(level, as: .everything).count == 2)
            #expect(try fixture.found(level, as: .institution("South")).count == 1)
            #expect(try fixture.found(level, as: .institution("North")).count == 1)
        }
        for visibility in [Visibility.institution("North"), .institution("South"), .everything] {
            let counts = try fixture.found(.study, as: visibility, .numberOfStudyRelatedInstances)
            #expect(counts.allSatisfy { $0 == "1" })
            let asked = keys([.numberOfPatientRelatedInstances: "", .numberOfPatientRelatedStudies: ""])
            for match in try fixture.matches(.patient, asked, as: visibility) {
                #expect(match.attributes.string(.numberOfPatientRelatedInstances) == "1")
                #expect(match.attributes.string(.numberOfPatientRelatedStudies) == "1")
            }
        }
    }

    @Test func marksASeriesHeldUnderAnotherStudy() throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1, study: "1.2.1", series: "1.7"))
        #expect(try fixture.put(record(2, study: "1.2.2", series: "1.7")) == .conflict)
        #expect(try fixture.put(record(3, study: "1.2.2", series: "1.8")) == .stored)
        #expect(try fixture.put(record(4, study: "1.2.2", series: "1.7")) == .conflict)
        #expect(try fixture.put(record(5, study: "1.2.1", series: "1.7")) == .stored)
        let both = try fixture.found(.series, keys([.studyInstanceUID: "1.2.2"]), as: .institution("North"))
        #expect(both.sorted() == ["1.7", "1.8"])
        #expect(try fixture.catalog.conflicts().map(\.instanceCount) == [2])
        #expect(try fixture.found(.instance, as: .institution("South")).isEmpty)
    }

    @Test func decidesTheSameAfterARestart() throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1, study: "1.2.1", series: "1.7"))
        try fixture.reopen()
        #expect(try fixture.put(record(2, study: "1.2.2", series: "1.7")) == .conflict)
        try fixture.reopen()
        #expect(try fixture.put(record(3, study: "1.2.1", series: "1.7", from: .south)) == .conflict)
        #expect(try fixture.put(record(4, study: "1.2.2", series: "1.7")) == .conflict)
        #expect(try fixture.catalog.conflicts().map(\.instanceCount) == [2, 1])
    }

    @Test func keepsOneInstitutionsConflictsOfTwoPatientsApart() throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1, patient: "1001"))
        try fixture.put(record(2, patient: "1002"))
        try fixture.put(record(3, patient: "1003"))
        #expect(try fixture.catalog.conflicts().map(\.patientID) == ["1002", "1003"])
        #expect(try fixture.found(.patient, as: .institution("North")) == ["1001", "1002", "1003"])
        #expect(try fixture.found(.patient, as: .institution("South")).isEmpty)
    }

    @Test func findsTheSameUIDAnewInAnInstitutionsOwnConflictBranch() throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1, study: "1.2.1", from: .north, issuer: "City"))
        try fixture.put(record(2, uid: "1.5", study: "1.2.1", from: .south, issuer: "City"))
        #expect(try fixture.catalog.held(sopInstanceUID: "1.5", institution: "South").map(\.sequence) == [2])
        #expect(try fixture.catalog.held(sopInstanceUID: "1.5", institution: "North").isEmpty)
        #expect(try fixture.put(record(3, uid: "1.5", study: "1.2.1", from: .north, issuer: "City")) == .stored)
        #expect(try fixture.found(.instance, as: .institution("North")) == ["1.2.9.1", "1.5"])
    }

    @Test func givesRetrievalsOnlyWhatTheAskerMaySee() throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1, from: .north, issuer: "City"))
        try fixture.put(record(2, from: .south, issuer: "City"))
        func held(_ visibility: Visibility) throws -> [UInt64] {
            try fixture.catalog.holdings(studyInstanceUIDs: ["1.2.1"], visibility: visibility, limit: 10)
                .map(\.sequence)
        }
        #expect(try held(.institution("North")) == [1])
        #expect(try held(.institution("South")) == [2])
        #expect(try held(.institution("")).isEmpty)
        let granted = Sight(institutions: ["South"], studies: ["North": ["1.2.1"], "West": ["1.2.1"]])
        #expect(try held(.limited(granted)) == [1, 2])
        #expect(try held(.limited(Sight(studies: ["South": ["1.2.2"], "North": ["1.2.1"]]))) == [1])
        #expect(try held(.everything) == [1, 2])
    }
}
