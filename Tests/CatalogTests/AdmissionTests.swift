import DICOM
import Testing

@testable import Catalog

/// What becomes of a record.
struct AdmissionTests {
    @Test func storesNewInstancesAndCountsThem() throws {
        let fixture = try CatalogFixture()
        #expect(try fixture.put(record(1)) == .stored)
        #expect(try fixture.put(record(2)) == .stored)
        #expect(try fixture.put(record(3, series: "1.2.1.2", modality: "SR")) == .stored)
        #expect(try fixture.put(record(4, study: "1.2.2")) == .stored)
        let totals = try fixture.catalog.totals()
        #expect(totals.patients == 1 && totals.studies == 2 && totals.series == 3 && totals.instances == 4)
        #expect(totals.byteCount == 4010 && totals.conflicts == 0 && totals.removed == 0)
    }

    @Test func changesNothingWhenTheSameRecordComesAgain() throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1))
        let before = try fixture.dump()
        #expect(try fixture.put(record(1)) == .known)
        try fixture.reopen()
        #expect(try fixture.put(record(1)) == .known)
        #expect(try fixture.dump() == before)
    }

    @Test(arguments: [DifferingContentPolicy.keep, .both])
    func keepsOtherContentBesideTheFirstAndShowsTheFirst(_ policy: DifferingContentPolicy) throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1, uid: "1.5", policy: policy))
        #expect(try fixture.put(record(2, uid: "1.5", policy: policy)) == .version)
        #expect(try fixture.put(record(3, uid: "1.5", from: .north, policy: policy)) == .version)
        let shown = try fixture.matches(.instance)
        #expect(shown.map(\.holding?.sequence) == [1])
        #expect(try fixture.found(.study, .init(), .numberOfStudyRelatedInstances) == ["1"])
        #expect(try fixture.catalog.held(sopInstanceUID: "1.5", institution: "North").map(\.sequence) == [1, 2, 3])
        #expect(try fixture.catalog.totals().instances == 1)
        #expect(try fixture.catalog.totals().byteCount == 3006)
    }

    @Test func putsNewerContentInPlaceOfTheFirstWhenItsInstitutionReplaces() throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1, uid: "1.5", policy: .replace))
        let again = Sender(peer: "NORTH2", institution: "North", door: "import")
        #expect(try fixture.put(record(2, uid: "1.5", from: again, policy: .replace)) == .replaced(sequence: 1))
        #expect(try fixture.put(record(3, uid: "1.5", policy: .replace)) == .replaced(sequence: 2))
        #expect(try fixture.matches(.instance).map(\.holding?.sequence) == [3])
        #expect(try fixture.found(.study, .init(), .numberOfStudyRelatedInstances) == ["1"])
        #expect(try fixture.found(.series, .init(), .numberOfSeriesRelatedInstances) == ["1"])
    }

    @Test func letsNoOtherInstitutionReplaceAnInstance() throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1, uid: "1.5", policy: .replace))
        #expect(try fixture.put(record(2, uid: "1.5", study: "1.3.1", from: .south, policy: .replace)) == .version)
        #expect(try fixture.matches(.instance).map(\.holding?.sequence) == [1])
    }

    @Test func movesAReplacedInstanceToItsNewSeriesAndForgetsTheEmptyOne() throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1, uid: "1.5", series: "1.2.1.1", policy: .replace, modality: "CT"))
        try fixture.put(record(2, uid: "1.5", series: "1.2.1.2", policy: .replace, modality: "MR"))
        #expect(try fixture.found(.series) == ["1.2.1.2"])
        #expect(try fixture.found(.study, .init(), .numberOfStudyRelatedSeries) == ["1"])
        #expect(try fixture.found(.study, .init(), .modalitiesInStudy) == ["MR"])
    }

    @Test func countsNothingOfAVersionThatIsNotShown() throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1, uid: "1.5", policy: .both))
        try fixture.put(record(2, uid: "1.5", series: "1.2.1.2", policy: .both, modality: "MR", sopClass: "1.2.3"))
        #expect(try fixture.found(.study, .init(), .numberOfStudyRelatedSeries) == ["1"])
        #expect(try fixture.found(.study, .init(), .modalitiesInStudy) == ["CT"])
        #expect(try fixture.found(.study, .init(), .sopClassesInStudy) == ["1.2.840.10008.5.1.4.1.1.2"])
        #expect(try fixture.found(.series) == ["1.2.1.1"])
    }

    @Test func keepsTwoInstitutionsPatientsOfOneIdentifierApart() throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1, study: "1.2.1", from: .north))
        #expect(try fixture.put(record(2, study: "1.2.2", from: .south)) == .stored)
        #expect(try fixture.found(.patient) == ["1001", "1001"])
        #expect(try fixture.found(.patient, keys([.issuerOfPatientID: "South"]), .issuerOfPatientID) == ["South"])
        #expect(
            try fixture.found(.study, keys([.patientID: "1001", .issuerOfPatientID: "North"])) == ["1.2.1"])
        #expect(try fixture.catalog.conflicts().isEmpty)
    }

    @Test func takesTheIssuerInTheDatasetBeforeTheSenders() throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1, study: "1.2.1", from: .north, [.issuerOfPatientID: "City"]))
        #expect(try fixture.put(record(2, study: "1.2.2", from: .south, [.issuerOfPatientID: "City"])) == .stored)
        #expect(try fixture.found(.patient) == ["1001"])
        #expect(try fixture.found(.patient, .init(), .issuerOfPatientID) == ["City"])
    }

    @Test func neverMergesPatientsWithoutAnIdentifier() throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1, study: "1.2.1", patient: ""))
        try fixture.put(record(2, study: "1.2.2", patient: ""))
        try fixture.put(record(3, study: "1.2.2", patient: ""))
        #expect(try fixture.found(.patient).count == 2)
        #expect(try fixture.found(.study) == ["1.2.1", "1.2.2"])
        #expect(try fixture.catalog.conflicts().isEmpty)
    }

    @Test func givesAnInstanceWithoutStudyOrSeriesOneOfItsOwn() throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1, study: "", series: "", [.studyInstanceUID: "", .seriesInstanceUID: ""]))
        let match = try #require(try fixture.matches(.instance).first)
        #expect(match.attributes.string(.studyInstanceUID)?.hasPrefix("2.25.") == true)
        #expect(match.attributes.string(.seriesInstanceUID)?.hasPrefix("2.25.") == true)
    }

    @Test func remembersWhoSentEachInstance() throws {
        let fixture = try CatalogFixture()
        let second = Sender(peer: "NORTH2", institution: "North", door: "import")
        try fixture.put(record(1))
        try fixture.put(record(2, from: second))
        #expect(try fixture.matches(.instance).map(\.holding?.sender) == [.north, second])
    }
}
