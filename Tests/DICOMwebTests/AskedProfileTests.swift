import HTTP
import Testing

@testable import DICOMweb

/// How a query asks for de-identification.
@Suite struct AskedProfileTests {
    private func status(_ body: () throws(Problem) -> Void) -> Int? {
        do throws(Problem) {
            try body()
            return nil
        } catch { return error.status.code }
    }

    @Test func readsTheProfileOfAQuery() throws {
        #expect(try AskedProfile.read(nil) == nil)
        #expect(try AskedProfile.read("accept=image/png&other=1") == nil)
        #expect(try AskedProfile.read("deidentify=research") == "research")
        #expect(try AskedProfile.read("viewport=1,1&%64eidentify=teaching") == "teaching")
        // What is no profile is refused where profiles are known.
        #expect(try AskedProfile.read("deidentify") == "")
    }

    @Test func givesNoOriginalsByASlip() {
        for query in [
            "deidentify=research&deidentify=research", "Deidentify=research", "DEIDENTIFY", "anonymize=yes",
            "anonymize=no", "Anonymize", "deidentify=%", "%zz=1", "deidentify%20=research", "deidentify+=research",
            "de-identify=research", "anonymise=yes", "deidentified=research", "x?deidentify=research",
            "a=1;deidentify=research", "a=b?anonymize=yes", "deidentify=research?deidentify=research",
        ] { #expect(status { () throws(Problem) in _ = try AskedProfile.read(query) } == 400, "\(query)") }
    }

    @Test func isRefusedWhereNothingIsDeIdentified() {
        for query in ["deidentify=research", "limit=5&deidentify", "anonymize=yes", "%"] {
            #expect(status { () throws(Problem) in try AskedProfile.refuse(query) } == 400, "\(query)")
        }
        for query in [nil, "", "limit=5", "PatientID=deidentify"] {
            #expect(status { () throws(Problem) in try AskedProfile.refuse(query) } == nil)
        }
    }
}
