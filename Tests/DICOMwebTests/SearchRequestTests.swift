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

    // MARK: Private attributes

    private func keeping(_ query: String) throws -> SearchRequest {
        try SearchRequest(
            level: .instance, path: ResourcePath(), query: query,
            keeping: PrivatePolicy(["study 0009xx01 LO ACME 1", "instance 0019xx0C US ACME 1"]))
    }

    @Test func readsPrivateKeysWithTheirCreatorInAnyOrder() throws {
        for query in ["0009A001=x*&000900A0=ACME%201", "000900A0=ACME+1+&0009a001=x*"] {
            let request = try keeping(query)
            #expect(request.keys.string(DICOM.Tag(0x0009, 0x00A0)) == "ACME 1")
            #expect(request.keys[DICOM.Tag(0x0009, 0xA001)]?.vr == .LO)
            #expect(request.keys.string(DICOM.Tag(0x0009, 0xA001)) == "x*")
            #expect(request.included == [DICOM.Tag(0x0009, 0x00A0), DICOM.Tag(0x0009, 0xA001)])
            #expect(!request.ignoresKeys)
        }
        let number = try keeping("00190010=ACME+1&0019100C=65535")
        #expect(number.keys[DICOM.Tag(0x0019, 0x100C)]?.vr == .US)
        #expect(number.keys.int(DICOM.Tag(0x0019, 0x100C)) == 65535)
        for value in ["x", "65536", "1.5", "7-9"] {
            #expect(throws: Problem.self) { try keeping("00190010=ACME+1&0019100C=" + value) }
        }
        #expect(try keeping("00190010=ACME+1&0019100C=*").keys.bytes(DICOM.Tag(0x0019, 0x100C)) == [])
    }

    @Test func asksForPrivateFieldsWithTheirCreator() throws {
        let request = try keeping("includefield=00091001,PatientSex&00090010=ACME+1")
        #expect(request.included == [DICOM.Tag(0x0009, 0x0010), DICOM.Tag(0x0009, 0x1001), .patientSex])
        #expect(request.keys.bytes(DICOM.Tag(0x0009, 0x1001)) == [] && !request.ignoresKeys)
        #expect(try keeping("includefield=00091001").included.isEmpty)
    }

    @Test(arguments: [
        "00091001=x", "00091001=x&00090011=ACME+1", "00091001=x&00090010=ACME+2", "00091002=x&00090010=ACME+1",
        "00090010=ACME+1", "00091001=x&00090010=*", "00091001=x&00090010=",
    ])
    func ignoresAndNamesPrivateKeysThatAreNotKept(_ query: String) throws {
        let request = try keeping(query)
        #expect(request.ignoresKeys && request.keys.isEmpty && request.included.isEmpty)
    }

    @Test func refusesNumbersThatAreNone() throws {
        #expect(try request("Rows=512", level: .instance).keys.int(.rows) == 512)
        #expect(try request("Rows=-1", level: .instance).keys.int(.rows) == -1)
        #expect(try request("Rows=*", level: .instance).keys.isEmpty)
        for value in ["abc", "65536", "1e3"] {
            #expect(throws: Problem.self) { try request("Rows=" + value, level: .instance) }
        }
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
