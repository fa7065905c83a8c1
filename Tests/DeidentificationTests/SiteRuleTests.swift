import DICOM
import Testing

@testable import Deidentification

/// What a site may change about a profile.
@Suite struct SiteRuleTests {
    private func rules(_ json: String, _ profile: Profile = .consultation) throws -> SiteRules {
        try SiteRules(json: Array(json.utf8), profile: profile)
    }

    private func run(_ image: Dataset, _ json: String, _ profile: Profile = .consultation) throws -> Dataset {
        try Deidentifier(profile: profile, rules: try rules(json, profile), key: Sample.key()).run(image).dataset
    }

    @Test func aRuleTightensFreely() throws {
        var image = Sample.image()
        image.set(.patientSex, .CS, string: "F")
        #expect(try run(image, "{}").string(.patientSex) == "F")
        let json = #"{"attributes": [{"attribute": "PatientSex", "action": "remove"}]}"#
        #expect(try run(image, json).contains(.patientSex) == false)
    }

    @Test func looseningMustBeSaidWithAReason() throws {
        let silent = #"{"attributes": [{"attribute": "(0008,0080)", "action": "keep"}]}"#
        #expect(throws: SiteRulesError.loosensSilently(ruleNumber: 1)) { try rules(silent) }
        let without = #"{"attributes": [{"attribute": "(0008,0080)", "action": "keep", "loosens": true}]}"#
        #expect(throws: SiteRulesError.loosensSilently(ruleNumber: 1)) { try rules(without) }
        let said =
            #"{"attributes": [{"attribute": "(0008,0080)", "action": "keep", "loosens": true, "reason": "agreed"}]}"#
        var image = Sample.image()
        image.set(.institutionName, .LO, string: "Third Hospital")
        #expect(try run(image, said).string(.institutionName) == "Third Hospital")
        #expect(try run(image, "{}").string(.institutionName) != "Third Hospital")
    }

    @Test func privateAttributesStayByCreatorAndVR() throws {
        let json = """
            {"private": [{"creator": "ACME 1", "group": "0029", "element": "10", "vr": "DS", "loosens": true, \
            "reason": "slope"}]}
            """
        var image = Sample.image()
        image.set(Tag(0x0029_0010), .LO, string: "ACME 1")
        image.set(Tag(0x0029_1010), .DS, string: "1.5")
        image.set(Tag(0x0029_1011), .DS, string: "2.5")
        let result = try run(image, json)
        #expect(result.string(Tag(0x0029_1010)) == "1.5")
        #expect(result.string(Tag(0x0029_0010)) == "ACME 1")
        #expect(!result.contains(Tag(0x0029_1011)))
        image.set(Tag(0x0029_1010), .LO, string: "1.5")
        #expect(try !run(image, json).contains(Tag(0x0029_1010)))
        image.set(Tag(0x0029_1010), .DS, string: "1.5")
        image.set(Tag(0x0029_0010), .LO, string: "ACME 2")
        #expect(try !run(image, json).contains(Tag(0x0029_0010)))
    }

    @Test func safePrivateAttributesStayWithTheOption() throws {
        var image = Sample.image()
        image.set(Tag(0x7053_0010), .LO, string: "Philips PET Private Group")
        image.set(Tag(0x7053_1000), .DS, string: "0.000587")
        image.set(Tag(0x7053_1001), .LO, string: "CNRYZQ")
        let with = try Deidentifier(profile: try Sample.profile([.retainSafePrivate]), key: Sample.key()).run(image)
        #expect(try with.dataset.string(Tag(0x7053_1000)) == "0.000587")
        #expect(try !with.dataset.contains(Tag(0x7053_1001)))
        // From implicit VR the VR is the table's.
        let implicit = try Deidentifier(profile: try Sample.profile([.retainSafePrivate]), key: Sample.key())
            .run(image.encoded(transferSyntax: .implicitVRLittleEndian), .implicitVRLittleEndian)
        #expect(try implicit.dataset.string(Tag(0x7053_1000)) == "0.000587")
        #expect(try !Deidentifier(profile: .basic, key: Sample.key()).run(image).dataset.contains(Tag(0x7053_0010)))
    }

    @Test func whatTheObjectDeclaresSafeStaysWithTheOption() throws {
        var image = Sample.image()
        var block = Dataset()
        block.set(Tag(0x0008_0301), .US, ints: [0x0031])
        block.set(Tag(0x0008_0302), .LO, string: "ACME 3")
        block.set(Tag(0x0008_0303), .CS, string: "MIXED")
        block.set(Tag(0x0008_0304), .US, ints: [0x10])
        image.set(Tag(0x0008_0300), items: [block])
        image.set(Tag(0x0031_0010), .LO, string: "ACME 3")
        image.set(Tag(0x0031_1010), .DS, string: "4")
        image.set(Tag(0x0031_1011), .LO, string: "CNRYZQ")
        let result = try Deidentifier(profile: try Sample.profile([.retainSafePrivate]), key: Sample.key()).run(image)
        #expect(try result.dataset.string(Tag(0x0031_1010)) == "4")
        #expect(try !result.dataset.contains(Tag(0x0031_1011)))
    }

    @Test func asManyRulesAsTheBoundAndNoMore() throws {
        func json(_ count: Int) -> String {
            let rule = #"{"attribute": "PatientSex", "action": "remove"}"#
            return "{\"attributes\": [" + Array(repeating: rule, count: count).joined(separator: ",") + "]}"
        }
        #expect(try rules(json(SiteRules.ruleLimit)).attributes.count == SiteRules.ruleLimit)
        #expect(throws: SiteRulesError.tooMany(limit: SiteRules.ruleLimit)) { try rules(json(SiteRules.ruleLimit + 1)) }
    }

    @Test(arguments: [
        #"{"attributes": [{"attribute": "NoSuchThing", "action": "remove"}]}"#, "{",
        #"{"attributes": [{"action": 1}]}"#,
    ])
    func whatIsNoRuleIsRefused(json: String) {
        #expect(throws: SiteRulesError.self) { try rules(json) }
    }

    @Test func aProfileTellsWhatItDoesInBothLanguages() {
        for profile in Profile.named {
            #expect(profile.words.contains("去标识化") && profile.words.contains("de-identification".capitalized.prefix(2)))
            #expect(!profile.words.contains("匿名"))
        }
    }

    @Test func theReportSpeaksOfDeidentificationAndHoldsNoValue() throws {
        var run = RunReport(profile: .research, project: "demo")
        let outcome = try Deidentifier(profile: .research, key: Sample.key()).run(Sample.image())
        run.add(outcome.report)
        run.add(.burnedInText, source: "a<b>.dcm")
        #expect(run.html.contains("去标识化") && !run.html.contains("匿名"))
        #expect(run.html.contains("a&lt;b&gt;.dcm"))
        let line = outcome.report.line(source: "x\"y", output: "z")
        #expect(!Canary.isFound("PID-0815", in: line) && !Canary.isFound("Zhang", in: line))
        #expect(String(decoding: line, as: UTF8.self).contains(#""source":"x\"y""#))
        #expect(outcome.report.entries.contains { $0.path == "(0010,0020)" && $0.digest != nil })
    }
}
