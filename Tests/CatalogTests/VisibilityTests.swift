import DICOM
import Database
import Testing

@testable import Catalog

/// What somebody may not see is not counted, listed or told of.
struct VisibilityTests {
    /// Patient 1001 of one issuer at two institutions, and one more patient at each.
    func twoInstitutions() throws -> CatalogFixture {
        let fixture = try CatalogFixture()
        try fixture.put(record(1, study: "1.2.1", patient: "1001", from: .north, issuer: "City"))
        try fixture.put(record(2, study: "1.2.1", patient: "1001", from: .north, issuer: "City"))
        try fixture.put(record(3, study: "1.2.3", patient: "1001", from: .south, issuer: "City"))
        try fixture.put(record(4, study: "1.2.4", patient: "1004", from: .south, issuer: "City"))
        try fixture.put(record(5, study: "1.2.5", patient: "1005", from: .north, issuer: "City"))
        return fixture
    }

    @Test func showsEachInstitutionItsOwnAtEveryLevel() throws {
        let fixture = try twoInstitutions()
        #expect(try fixture.found(.patient, as: .institution("North")).sorted() == ["1001", "1005"])
        #expect(try fixture.found(.patient, as: .institution("South")).sorted() == ["1001", "1004"])
        #expect(try fixture.found(.study, as: .institution("North")).sorted() == ["1.2.1", "1.2.5"])
        #expect(try fixture.found(.instance, as: .institution("South")).sorted() == ["1.2.9.3", "1.2.9.4"])
        #expect(try fixture.found(.series, as: .institution("West")).isEmpty)
        #expect(try fixture.found(.study, as: .limited(Sight())).isEmpty)
    }

    @Test func countsOfASharedPatientOnlyWhatIsSeen() throws {
        let fixture = try twoInstitutions()
        let asked = keys([
            .patientID: "1001", .numberOfPatientRelatedStudies: "", .numberOfPatientRelatedInstances: "",
        ])
        for (visibility, studies, instances) in [
            (Visibility.institution("North"), "1", "2"), (.institution("South"), "1", "1"), (.everything, "2", "3"),
            (.limited(Sight(institutions: ["South"], studies: ["North": ["1.2.1"]])), "2", "3"),
        ] {
            let match = try #require(try fixture.matches(.patient, asked, as: visibility).first)
            #expect(match.attributes.string(.numberOfPatientRelatedStudies) == studies)
            #expect(match.attributes.string(.numberOfPatientRelatedInstances) == instances)
        }
    }

    @Test func grantsAStudyOfTheNamedOwnerAlone() throws {
        let fixture = try twoInstitutions()
        // The same UID, under a conflict mark.
        #expect(try fixture.put(record(6, study: "1.2.1", patient: "1001", from: .south, issuer: "City")) == .conflict)
        let granted = Visibility.limited(Sight(studies: ["North": ["1.2.1"]]))
        #expect(try fixture.found(.instance, as: granted) == ["1.2.9.1", "1.2.9.2"])
        #expect(try fixture.found(.study, keys([.studyInstanceUID: "1.2.5"]), as: granted).isEmpty)
        #expect(try fixture.found(.patient, keys([.patientName: "*"]), as: granted) == ["1001"])
    }

    @Test func takesNamesWithQuotesAndControlCharacters() throws {
        let fixture = try CatalogFixture()
        var sender = Sender.north
        sender.institution = "St. \"John\\\u{1}\n'] 术"
        try fixture.put(record(1, from: sender))
        #expect(try fixture.found(.study, as: .institution(sender.institution)) == ["1.2.1"])
        #expect(try fixture.found(.study, as: .institution("x\"]) OR 1=1 --")).isEmpty)
    }

    @Test func tellsNobodyOfChangesThatAreNotHis() throws {
        let fixture = try twoInstitutions()
        try fixture.catalog.settle()
        func told(_ visibility: Visibility) throws -> [String] {
            try fixture.catalog.shownChanges(after: 0, visibility: visibility, limit: 100).changes
                .map(\.studyInstanceUID)
        }
        #expect(try told(.institution("South")) == ["1.2.3", "1.2.4"])
        #expect(try told(.limited(Sight(studies: ["North": ["1.2.5"]]))) == ["1.2.5"])
        #expect(try told(.limited(Sight())).isEmpty)
    }
}

extension VisibilityTests {
    @Test func keepsTheNumberOfAnInstitutionsStudiesTrue() throws {
        let fixture = try twoInstitutions()
        func kept() throws -> [String: Int] {
            try fixture.catalog.settle()
            return try fixture.catalog.select { connection throws(DatabaseError) in
                var kept: [String: Int] = [:]
                try connection.query("SELECT institution, studies FROM institution_total") {
                    row throws(DatabaseError) in
                    kept[row.text(0) ?? ""] = Int(row.integer(1) ?? 0)
                    return true
                }
                return kept
            }
        }
        #expect(try kept() == ["North": 2, "South": 2])
        try fixture.catalog.apply(JournalEntry(at: 99, event: .destroyed(instances: [4])), sequence: 90)
        #expect(try kept() == ["North": 2, "South": 1])
        try fixture.reopen()
        #expect(try kept() == ["North": 2, "South": 1])
    }
}

/// Some series of a study.
extension VisibilityTests {
    /// A study of two series of North: CT with two instances, SR with one; and one more of each institution.
    func studyOfTwoSeries() throws -> CatalogFixture {
        let fixture = try CatalogFixture()
        for (number, series, modality, sopClass): (UInt64, String, String, String) in [
            (1, "1.4.1", "CT", "1.2.840.10008.5.1.4.1.1.2"), (2, "1.4.1", "CT", "1.2.840.10008.5.1.4.1.1.2"),
            (3, "1.4.2", "SR", "1.2.840.10008.5.1.4.1.1.88.11"),
        ] {
            try fixture.put(
                record(
                    number, study: "1.2.1", series: series, patient: "1001", from: .north, issuer: "City",
                    modality: modality, sopClass: sopClass))
        }
        try fixture.put(record(4, study: "1.2.4", patient: "1001", from: .north, issuer: "City"))
        try fixture.put(record(5, study: "1.2.5", patient: "1001", from: .south, issuer: "City"))
        return fixture
    }

    private var onlyCT: Visibility {
        .limited(Sight(institutions: ["South"], series: ["North": ["1.2.1": ["1.4.1"]]]))
    }

    @Test func showsTheGrantedSeriesAndCountsNothingElseOfItsStudy() throws {
        let fixture = try studyOfTwoSeries()
        #expect(try fixture.found(.study, as: onlyCT).sorted() == ["1.2.1", "1.2.5"])
        #expect(try fixture.found(.series, as: onlyCT, .seriesInstanceUID).contains("1.4.1"))
        #expect(try !fixture.found(.series, as: onlyCT, .seriesInstanceUID).contains("1.4.2"))
        let named = keys([.studyInstanceUID: "1.2.1"])
        #expect(try fixture.found(.instance, named, as: onlyCT).sorted() == ["1.2.9.1", "1.2.9.2"])
        let match = try #require(try fixture.matches(.study, keys([.studyInstanceUID: "1.2.1"]), as: onlyCT).first)
        #expect(match.attributes.strings(.modalitiesInStudy) == ["CT"])
        #expect(match.attributes.strings(.sopClassesInStudy) == ["1.2.840.10008.5.1.4.1.1.2"])
        #expect(match.attributes.string(.numberOfStudyRelatedSeries) == "1")
        #expect(match.attributes.string(.numberOfStudyRelatedInstances) == "2")
        let whole = try #require(
            try fixture.matches(.study, keys([.studyInstanceUID: "1.2.1"]), as: .institution("North")).first)
        #expect(whole.attributes.strings(.modalitiesInStudy) == ["CT", "SR"])
        #expect(whole.attributes.string(.numberOfStudyRelatedInstances) == "3")
        let asked = keys([
            .patientID: "1001", .numberOfPatientRelatedStudies: "", .numberOfPatientRelatedSeries: "",
            .numberOfPatientRelatedInstances: "",
        ])
        let patient = try #require(try fixture.matches(.patient, asked, as: onlyCT).first)
        #expect(patient.attributes.string(.numberOfPatientRelatedStudies) == "2")
        #expect(patient.attributes.string(.numberOfPatientRelatedSeries) == "2")
        #expect(patient.attributes.string(.numberOfPatientRelatedInstances) == "3")
    }

    @Test func matchesModalitiesOfTheSeriesThatAreSeenAlone() throws {
        let fixture = try studyOfTwoSeries()
        func found(_ tag: Tag, _ value: String, limit: Int? = nil) throws -> [String] {
            try fixture.found(.study, keys([tag: value]), as: onlyCT, limit: limit)
        }
        #expect(try found(.modalitiesInStudy, "CT").contains("1.2.1"))
        #expect(try !found(.modalitiesInStudy, "SR").contains("1.2.1"))
        #expect(try !found(.modalitiesInStudy, "S*").contains("1.2.1"))
        #expect(try found(.sopClassesInStudy, "1.2.840.10008.5.1.4.1.1.88.11").isEmpty)
        #expect(try found(.modalitiesInStudy, "CT", limit: 1).count == 1)
        // At series level the key of the study is that of what is seen of it too.
        #expect(
            try fixture.found(.series, keys([.modalitiesInStudy: "SR"]), as: onlyCT, .seriesInstanceUID).isEmpty)
    }

    @Test func givesAndTellsOfTheGrantedSeriesAlone() throws {
        let fixture = try studyOfTwoSeries()
        func given(_ studies: [String] = [], _ series: [String] = []) throws -> [String] {
            try fixture.catalog.holdings(
                studyInstanceUIDs: studies, seriesInstanceUIDs: series, visibility: onlyCT, limit: 10
            ).map(\.sopInstanceUID).sorted()
        }
        #expect(try given(["1.2.1"]) == ["1.2.9.1", "1.2.9.2"])
        #expect(try given([], ["1.4.2"]).isEmpty)
        #expect(try given(["1.2.4"]).isEmpty)
        // The same series' UID in another study is not what was granted.
        let other = Visibility.limited(Sight(series: ["North": ["1.2.4": ["1.4.1"]]]))
        #expect(try fixture.found(.instance, as: other).isEmpty)
        #expect(try fixture.found(.study, as: other).isEmpty && fixture.found(.patient, as: other).isEmpty)
        try fixture.catalog.settle()
        let told = try fixture.catalog.shownChanges(after: 0, visibility: onlyCT, limit: 100).changes
        #expect(told.compactMap(\.seriesInstanceUID).filter { $0.hasPrefix("1.4") } == ["1.4.1", "1.4.1"])
    }

    @Test func showsAPatientOfTheNamedInstitutionAndIssuerAlone() throws {
        let fixture = try studyOfTwoSeries()
        try fixture.put(record(6, study: "1.2.6", patient: "1001", from: .north, issuer: "Land"))
        try fixture.put(record(7, study: "1.2.7", patient: "1007", from: .north, issuer: "City"))
        let emergency = Visibility.limited(Sight(patients: ["North": [.init(patientID: "1001", issuer: "City")]]))
        #expect(try fixture.found(.study, as: emergency).sorted() == ["1.2.1", "1.2.4"])
        #expect(try fixture.found(.patient, as: emergency) == ["1001"])
        #expect(try fixture.found(.instance, as: emergency).count == 4)
        // What comes later is seen as well.
        try fixture.put(record(8, study: "1.2.8", patient: "1001", from: .north, issuer: "City"))
        #expect(try fixture.found(.study, as: emergency).count == 3)
    }
}
