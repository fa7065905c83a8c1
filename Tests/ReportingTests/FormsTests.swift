import Audit
import Foundation
import Testing

@testable import Reporting

@Suite struct FormsTests {
    private let source = AuditSource(aeTitle: "HUIZHEN", institution: "三亚", host: "pacs1")

    private func record(_ entry: AuditEntry) -> AuditRecord {
        AuditRecord(sequence: 7, time: 1_795_273_200_123, entry: entry)
    }

    private func xml(_ entry: AuditEntry) -> String { DICOMAuditMessage.xml(record(entry), from: source) }

    private func fhir(_ entry: AuditEntry) throws -> [String: Any] {
        let text = FHIRAuditEvent.json(record(entry), from: source)
        return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    private let peer = AuditActor(kind: .peer, name: "CT1", institution: "三亚", address: "10.1.0.7")

    @Test func writesAnAccessAsTheStandardHasIt() {
        let entry = AuditEntry(
            .accessed, by: peer, door: "dimse",
            objects: [AuditObject(.study, "1.2.3"), AuditObject(.instance, "1.2.3.4"), AuditObject(.patient, "P1")],
            instanceCount: 1)
        #expect(
            xml(entry)
                == """
                <AuditMessage><EventIdentification EventActionCode="R" EventDateTime="2026-11-21T15:00:00.123Z" \
                EventOutcomeIndicator="0"><EventID csd-code="110103" codeSystemName="DCM" \
                originalText="DICOM Instances Accessed"/></EventIdentification>\
                <ActiveParticipant UserID="CT1" AlternativeUserID="AETITLES=CT1" UserName="CT1 (三亚)" \
                UserIsRequestor="true" NetworkAccessPointID="10.1.0.7" NetworkAccessPointTypeCode="2">\
                <RoleIDCode csd-code="110152" codeSystemName="DCM" originalText="Destination Role ID"/>\
                </ActiveParticipant><ActiveParticipant UserID="HUIZHEN" AlternativeUserID="AETITLES=HUIZHEN" \
                UserIsRequestor="false" NetworkAccessPointID="pacs1" NetworkAccessPointTypeCode="1">\
                <RoleIDCode csd-code="110153" codeSystemName="DCM" originalText="Source Role ID"/>\
                </ActiveParticipant><AuditSourceIdentification AuditEnterpriseSiteID="三亚" \
                AuditSourceID="HUIZHEN@pacs1"><AuditSourceTypeCode csd-code="4"/></AuditSourceIdentification>\
                <ParticipantObjectIdentification ParticipantObjectID="1.2.3" ParticipantObjectTypeCode="2" \
                ParticipantObjectTypeCodeRole="3" ParticipantObjectDataLifeCycle="6">\
                <ParticipantObjectIDTypeCode csd-code="110180" codeSystemName="DCM" \
                originalText="Study Instance UID"/><ParticipantObjectName>1.2.3</ParticipantObjectName>\
                <ParticipantObjectDetail type="Record" value="Nw=="/><ParticipantObjectDescription>\
                <SOPClass NumberOfInstances="1"><Instance UID="1.2.3.4"/></SOPClass></ParticipantObjectDescription>\
                </ParticipantObjectIdentification><ParticipantObjectIdentification ParticipantObjectID="P1" \
                ParticipantObjectTypeCode="1" ParticipantObjectTypeCodeRole="1"><ParticipantObjectIDTypeCode \
                csd-code="2" codeSystemName="RFC-3881" originalText="Patient Number"/>\
                <ParticipantObjectName>P1</ParticipantObjectName></ParticipantObjectIdentification></AuditMessage>
                """)
    }

    @Test(
        arguments: [
            (AuditEvent.serviceStarted, "110100", "110120"), (.serviceStopped, "110100", "110121"),
            (.signedIn, "110114", "110122"), (.signInRefused, "110114", "110122"), (.signedOut, "110114", "110123"),
            (.signInBegan, "110114", nil),
            (.callerRefused, "110113", "110132"), (.searched, "110112", nil), (.accessed, "110103", nil),
            (.transferred, "110102", nil), (.exported, "110106", nil), (.storeBegan, "110102", nil),
            (.stored, "110104", nil), (.imported, "110107", nil), (.removed, "110105", nil), (.restored, "110103", nil),
            (.corrected, "110103", nil), (.heldOrReleased, "110113", "110135"),
            (.configurationChanged, "110113", "110129"), (.accountChanged, "110113", "110137"),
            (.roleChanged, "110113", "110136"), (.emergencyStarted, "110113", "110127"),
            (.emergencyEnded, "110113", "110138"), (.auditRead, "110101", nil), (.anchored, "110101", nil),
            (.alerted, "110113", "110132"), (.alertAcknowledged, "110113", "110132"),
        ] as [(AuditEvent, String, String?)])
    func givesEachEventItsCode(_ event: AuditEvent, _ id: String, _ type: String?) {
        let text = xml(AuditEntry(event, by: peer, door: "dimse"))
        #expect(text.contains("<EventID csd-code=\"\(id)\""))
        #expect(text.contains("<EventTypeCode") == (type != nil))
        if let type { #expect(text.contains("<EventTypeCode csd-code=\"\(type)\"")) }
    }

    @Test func tellsAStrangerFromACallerThatMayNotDoThat() {
        let stranger = AuditActor(kind: .unknown, name: "", address: "10.9.9.9")
        #expect(xml(AuditEntry(.callerRefused, .minorFailure, by: stranger, door: "dimse")).contains("110126"))
        #expect(xml(AuditEntry(.callerRefused, .minorFailure, by: peer, door: "dimse")).contains("110132"))
    }

    @Test func keepsWhatACallerSentFromBecomingMarkup() {
        let entry = AuditEntry(
            .callerRefused, .minorFailure, by: AuditActor(kind: .unknown, name: "<\"&>\u{0}\u{7}\n\u{FFFE}"),
            door: "dimse", reason: "]]><x/>")
        let text = xml(entry)
        #expect(text.contains("UserID=\"&lt;&quot;&amp;&gt;\u{FFFD}\u{FFFD} \u{FFFD}\""))
        #expect(text.contains("]]&gt;&lt;x/&gt;"))
        #expect(!text.contains("\n"))
    }

    @Test func hidesTheTextOfAQueryInBase64() {
        let entry = AuditEntry(.searched, by: peer, door: "dimse", objects: [AuditObject(.query, "STUDY 王")])
        #expect(xml(entry).contains("<ParticipantObjectQuery>\(Data("STUDY 王".utf8).base64EncodedString())<"))
    }

    @Test func namesThePatternItFollows() throws {
        func profile(_ event: AuditEvent, _ objects: [AuditObject], _ outcome: AuditOutcome = .success) throws
            -> String?
        {
            let event = try fhir(AuditEntry(event, outcome, by: peer, door: "dimse", objects: objects))
            let profiles = (event["meta"] as? [String: Any])?["profile"] as? [String]
            return profiles?.first.map { String($0.split(separator: ".").last ?? "") }
        }
        let study = AuditObject(.study, "1.2.3")
        let patient = AuditObject(.patient, "P1")
        #expect(try profile(.accessed, [study]) == "Read")
        #expect(try profile(.accessed, [study, patient]) == "PatientRead")
        #expect(try profile(.storeBegan, [study, patient]) == "PatientCreate")
        #expect(try profile(.corrected, [study]) == "Update")
        #expect(try profile(.removed, [study, patient]) == "PatientDelete")
        #expect(try profile(.searched, [AuditObject(.query, "x")]) == "Query")
        // The patterns are of success, of one thing, and of acts on data.
        #expect(try profile(.accessed, [study], .minorFailure) == nil)
        #expect(try profile(.accessed, [study, AuditObject(.study, "1.2.4")]) == nil)
        #expect(try profile(.accessed, []) == nil)
        #expect(try profile(.signedIn, []) == nil)
    }

    @Test func givesAPersonBehindABrowserAnAgentOfItsOwn() throws {
        let person = AuditActor(kind: .person, name: "li", address: "10.1.0.8")
        let event = try fhir(
            AuditEntry(.accessed, by: person, door: "dicomweb", objects: [AuditObject(.study, "1.2.3")]))
        let agents = try #require(event["agent"] as? [[String: Any]])
        #expect(agents.count == 3)
        #expect(agents.filter { $0["requestor"] as? Bool == true }.compactMap { $0["name"] as? String } == ["li"])
        #expect((agents[0]["network"] as? [String: String])?["address"] == "10.1.0.8")
    }
}
