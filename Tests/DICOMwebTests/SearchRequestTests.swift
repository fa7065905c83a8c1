import Catalog
import DICOM
import HTTP
import Testing

@testable import DICOMweb

struct SearchRequestTests {
    private func request(
        _ query: String, level: QueryLevel = .study, path: ResourcePath = ResourcePath()
    ) throws -> SearchRequest {
        try SearchRequest(level: level, path: path, query: query)
    }

    @Test func readsKeywordsAndTagsWithEscapes() throws {
        let request = try request(
            "PatientName=%E7%8E%8B%5E*&00100020=A%2B1&StudyDate=20260101-20260131&limit=5&offset=10&fuzzymatching=true")
        #expect(request.keys.string(.patientName) == "王^*")
        #expect(request.keys.string(.patientID) == "A+1")
        #expect(request.keys.string(.studyDate) == "20260101-20260131")
        #expect(request.limit == 5)
        #expect(request.offset == 10)
        #expect(request.options.isFuzzy)
        #expect(!request.ignoresKeys)
    }

    @Test func takesAPlusSignForASpace() throws {
        #expect(try request("PatientName=Wang+Fang").keys.string(.patientName) == "Wang Fang")
    }

    @Test func partsUIDsByCommas() throws {
        #expect(try request("StudyInstanceUID=1.2,1.3").keys.strings(.studyInstanceUID) == ["1.2", "1.3"])
        #expect(throws: Problem.self) { try request("StudyInstanceUID=1.2,x") }
    }

    @Test func putsKeysOfOneSequenceIntoOneItem() throws {
        let request = try request(
            "RequestAttributesSequence.ScheduledProcedureStepID=a&00400275.RequestedProcedureID=b", level: .series)
        let items = request.keys.items(.requestAttributesSequence)
        #expect(items.count == 1)
        #expect(items.first?.string(.scheduledProcedureStepID) == "a")
        #expect(items.first?.string(.requestedProcedureID) == "b")
    }

    @Test func keepsTheStudyOfThePath() throws {
        let path = ResourcePath(study: "1.2")
        #expect(try request("", level: .series, path: path).keys.string(.studyInstanceUID) == "1.2")
        #expect(throws: Problem.self) { try request("StudyInstanceUID=1.3", level: .series, path: path) }
    }

    @Test func asksForFields() throws {
        let request = try request("includefield=StudyDescription,00081030&includefield=InstitutionName")
        #expect(request.included == [.studyDescription, .institutionName])
        #expect(try self.request("includefield=all").includesAll)
    }

    @Test func ignoresAndNamesWhatTheCatalogueHasNot() throws {
        let request = try request("00091001=x&PatientID=1")
        #expect(request.ignoresKeys)
        #expect(request.keys.count == 1)
    }

    @Test(arguments: [
        "Nonsense=1", "limit=-1", "limit=x", "limit=99999999999", "fuzzymatching=1", "PatientName=%", "PatientName=%zz",
        "PatientName=%FF", "PatientName=%00", "PatientName.PatientID=1", "RequestAttributesSequence=1",
        "0040.0275.0040.0275.1.1.1.1.1=x", "includefield=Nonsense",
    ])
    func refusesInPlainWords(_ query: String) {
        #expect(throws: Problem.self) { try request(query) }
    }

    @Test func boundsTheNumberOfParameters() throws {
        let many = Array(repeating: "limit=1", count: QueryText.parameterLimit)
        #expect(try request(many.joined(separator: "&")).limit == 1)
        #expect(throws: Problem.self) { try request((many + ["limit=1"]).joined(separator: "&")) }
        let long = String(repeating: "x", count: QueryText.valueByteCountLimit)
        #expect(try request("PatientID=\(long)").keys.count == 1)
        #expect(throws: Problem.self) { try request("PatientID=\(long)x") }
    }
}
