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
