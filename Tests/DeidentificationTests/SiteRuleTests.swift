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

    // MARK: Options

    @Test func anOptionIsTakenWhereItSaysWhy() throws {
        let silent = #"{"options": [{"option": "113111"}]}"#
        #expect(throws: SiteRulesError.loosensSilently(ruleNumber: 1)) { try rules(silent, .research) }
        let said = #"{"options": [{"option": "113111", "loosens": true, "reason": "slopes"}]}"#
        var image = Sample.image()
        image.set(Tag(0x7053_0010), .LO, string: "Philips PET Private Group")
        image.set(Tag(0x7053_1000), .DS, string: "0.000587")
        #expect(try run(image, said, .research).string(Tag(0x7053_1000)) == "0.000587")
        #expect(try !run(image, "{}", .research).contains(Tag(0x7053_1000)))
        let codes = try run(image, said, .research).items(.deidentificationMethodCodeSequence)
            .compactMap { $0.string(.codeValue) }
        #expect(codes.contains("113111"))
        // Cleaning pixels tightens, so it needs no reason.
        let tightened = try rules(#"{"options": [{"option": "cleanPixelData"}]}"#, .basic)
        #expect(tightened.changedProfile?.has(.cleanPixelData) == true)
    }

    @Test func anOptionIsLeftAwayFreelyUnlessItCleans() throws {
        var image = Sample.image()
        image.set(.patientSex, .CS, string: "F")
        #expect(try run(image, #"{"options": [{"option": "113108", "use": false}]}"#).string(.patientSex) != "F")
        for option in ["113101", "113105"] {
            let json = #"{"options": [{"option": "\#(option)", "use": false}]}"#
            #expect(throws: SiteRulesError.loosensSilently(ruleNumber: 1)) { try rules(json, .research) }
        }
    }

    @Test func optionsThatContradictAreRefusedInWords() throws {
        let json = #"{"options": [{"option": "113106", "loosens": true, "reason": "follow-up"}]}"#
        #expect(throws: SiteRulesError.contradiction(.twoKindsOfDates)) { try rules(json, .research) }
        #expect(SiteRulesError.contradiction(.twoKindsOfDates).description.contains("113106"))
        #expect(try rules(json, .teaching).changedProfile?.has(.retainFullDates) == true)
        // The other one left away.
        let instead =
            #"{"options": [{"option": "113107", "use": false}, {"option": "113106", "loosens": true, "reason": "x"}]}"#
        #expect(try rules(instead, .research).changedProfile?.orderedOptions.contains(.retainFullDates) == true)
        #expect(throws: SiteRulesError.unknownOption(ruleNumber: 1)) {
            try rules(#"{"options": [{"option": "113199"}]}"#)
        }
    }

    /// Every combination but those with both kinds of dates.
    @Test func everyLegalCombinationOfOptionsCanBeHad() throws {
        var count = 0
        for bits in 0..<1 << ConfidentialityOption.allCases.count {
            let options = Set(
                ConfidentialityOption.allCases.enumerated().filter { bits >> $0.offset & 1 == 1 }.map(\.element))
            let isContradiction = options.isSuperset(of: [.retainFullDates, .retainModifiedDates])
            let profile = try? Profile.basic.with(options)
            #expect((profile == nil) == isContradiction)
            if let profile {
                count += 1
                #expect(profile.options == options && profile.name.utf8.count + "profile ".utf8.count <= 64)
            }
        }
        #expect(count == 3 << 10)
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
            let words = profile.words()
            #expect(words.contains("去标识化") && words.contains("de-identification".capitalized.prefix(2)))
            #expect(!words.contains("匿名"))
        }
    }

    @Test func profileAndReportTellWhatTheSiteChangesAndWhy() throws {
        let json = """
            {"options": [{"option": "113112", "loosens": true, "reason": "named <partner>"}], \
            "attributes": [{"attribute": "PatientSex", "action": "remove"}], \
            "private": [{"creator": "ACME 1", "group": "0029", "element": "10", "vr": "DS", "loosens": true, \
            "reason": "slope"}], "voice": {"loosens": true, "reason": "consent"}}
            """
        let rules = try rules(json)
        let words = Profile.consultation.words(rules)
        for told in [
            "113112 保留机构标识", "113112", "named <partner>", "PatientSex", "remove", "(0029,xx10) ACME 1 DS", "slope",
            "consent", "放宽", "loosens",
        ] { #expect(words.contains(told), "\(told)") }
        let profile = try #require(rules.changedProfile)
        let run = RunReport(profile: profile, rules: rules, project: "demo")
        #expect(run.siteRules.count == 4)
        #expect(run.html.contains("named &lt;partner&gt;") && run.html.contains("PatientSex"))
        #expect(run.options.contains { $0.hasPrefix("113112") })
        #expect(RunReport(profile: .basic, project: "demo").siteRules.isEmpty)
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
