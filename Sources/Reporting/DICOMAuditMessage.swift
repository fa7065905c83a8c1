import Audit
import Foundation

/// A record as the message of PS3.15 §A.5: one line of XML without a declaration.
public enum DICOMAuditMessage {
    public static func xml(_ record: AuditRecord, from source: AuditSource) -> String {
        let code = EventCode(record.entry)
        var xml = XMLText()
        xml.open("AuditMessage")
        event(record, code, &xml)
        for participant in Participant.all(of: record.entry, code, from: source) { participant.write(&xml) }
        xml.open(
            "AuditSourceIdentification",
            [
                ("AuditEnterpriseSiteID", source.institution.isEmpty ? nil : source.institution),
                ("AuditSourceID", "\(source.aeTitle)@\(source.host)"),
            ])
        // Application server.
        xml.empty("AuditSourceTypeCode", [("csd-code", "4")])
        xml.close("AuditSourceIdentification")
        for object in ParticipantObject.all(of: record, code) { object.write(&xml) }
        xml.close("AuditMessage")
        return xml.text
    }

    private static func event(_ record: AuditRecord, _ code: EventCode, _ xml: inout XMLText) {
        xml.open(
            "EventIdentification",
            [
                ("EventActionCode", code.action), ("EventDateTime", record.timeText),
                ("EventOutcomeIndicator", "\(record.entry.outcome.rawValue)"),
            ])
        xml.coded("EventID", code.id)
        if let type = code.type { xml.coded("EventTypeCode", type) }
        if !record.entry.reason.isEmpty { xml.element("EventOutcomeDescription", record.entry.reason) }
        xml.close("EventIdentification")
    }
}

extension XMLText {
    mutating func coded(_ name: String, _ code: Code) {
        empty(
            name, [("csd-code", code.value), ("codeSystemName", code.system), ("originalText", code.meaning)])
    }
}

/// Who took part in an event, PS3.15 §A.5.2.
struct Participant {
    static let source = Code.dcm("110153", "Source Role ID")
    static let destination = Code.dcm("110152", "Destination Role ID")

    var userID: String
    var alternativeUserID: String?
    var userName: String?
    var isRequestor: Bool
    var address: String?
    /// Name of a machine instead of an address.
    var host: String?
    var role: Code?
    var mediaType: Code?

    func write(_ xml: inout XMLText) {
        xml.open(
            "ActiveParticipant",
            [
                ("UserID", userID), ("AlternativeUserID", alternativeUserID), ("UserName", userName),
                ("UserIsRequestor", isRequestor ? "true" : "false"), ("NetworkAccessPointID", address ?? host),
                ("NetworkAccessPointTypeCode", address != nil ? "2" : host != nil ? "1" : nil),
            ])
        if let role { xml.coded("RoleIDCode", role) }
        if let mediaType {
            xml.open("MediaIdentifier")
            xml.coded("MediaType", mediaType)
            xml.close("MediaIdentifier")
        }
        xml.close("ActiveParticipant")
    }

    static func all(of entry: AuditEntry, _ code: EventCode, from source: AuditSource) -> [Participant] {
        var caller = Self.caller(of: entry, source)
        var own = Participant(
            userID: source.aeTitle, alternativeUserID: "AETITLES=\(source.aeTitle)", isRequestor: false,
            host: source.host)
        var others: [Participant] = []
        // A peer's user asked through the peer.
        if entry.actor.kind == .peer, !entry.actor.user.isEmpty {
            others.append(Participant(userID: entry.actor.user, isRequestor: true))
            caller.isRequestor = false
        }
        switch entry.event {
        case .serviceStarted, .serviceStopped:
            own.role = .dcm("110150", "Application")
            return [own]
        case .searched, .storeBegan, .stored:
            caller.role = Self.source
            own.role = destination
        case .accessed:
            caller.role = destination
            own.role = Self.source
        case .transferred:
            own.role = Self.source
            others += destinations(of: entry)
        case .exported:
            own.role = Self.source
            let media = Participant(
                userID: "media", isRequestor: false, role: .dcm("110154", "Destination Media"),
                mediaType: .dcm("110033", "File Transfer"))
            others += destinations(of: entry)
            if entry.objects.allSatisfy({ $0.kind != .destination }) { others.append(media) }
        case .imported:
            own.role = destination
            others.append(
                Participant(
                    userID: "media", isRequestor: false, role: .dcm("110155", "Source Media"),
                    mediaType: .dcm("110033", "File Transfer")))
        default: break
        }
        return entry.actor.kind == .service ? [own] + others : [caller, own] + others
    }

    private static func caller(of entry: AuditEntry, _ source: AuditSource) -> Participant {
        let actor = entry.actor
        let name = actor.name.isEmpty ? "unknown" : actor.name
        // An actor without an address sits at this machine.
        return Participant(
            userID: name, alternativeUserID: actor.kind == .peer ? "AETITLES=\(name)" : nil,
            userName: actor.institution.isEmpty ? nil : "\(name) (\(actor.institution))", isRequestor: true,
            address: actor.address.isEmpty ? nil : actor.address, host: actor.address.isEmpty ? source.host : nil)
    }

    private static func destinations(of entry: AuditEntry) -> [Participant] {
        entry.objects.filter { $0.kind == .destination }.map {
            Participant(
                userID: $0.name, alternativeUserID: "AETITLES=\($0.name)", isRequestor: false, role: destination)
        }
    }
}

/// What an event was about, PS3.15 §A.5.2.
struct ParticipantObject {
    var id: String
    var idType: Code
    var typeCode: String
    var roleCode: String
    var lifeCycle: String?
    var name: String
    var query: String?
    var details: [(type: String, value: String)] = []
    var instanceCount: UInt64?
    var instances: [String] = []

    func write(_ xml: inout XMLText) {
        xml.open(
            "ParticipantObjectIdentification",
            [
                ("ParticipantObjectID", id), ("ParticipantObjectTypeCode", typeCode),
                ("ParticipantObjectTypeCodeRole", roleCode), ("ParticipantObjectDataLifeCycle", lifeCycle),
            ])
        xml.coded("ParticipantObjectIDTypeCode", idType)
        if let query {
            xml.element("ParticipantObjectQuery", Data(query.utf8).base64EncodedString())
        } else {
            xml.element("ParticipantObjectName", name)
        }
        for (type, value) in details {
            xml.empty(
                "ParticipantObjectDetail", [("type", type), ("value", Data(value.utf8).base64EncodedString())])
        }
        if instanceCount != nil || !instances.isEmpty {
            xml.open("ParticipantObjectDescription")
            xml.open("SOPClass", [("NumberOfInstances", "\(instanceCount ?? UInt64(instances.count))")])
            for instance in instances { xml.empty("Instance", [("UID", instance)]) }
            xml.close("SOPClass")
            xml.close("ParticipantObjectDescription")
        }
        xml.close("ParticipantObjectIdentification")
    }

    static func all(of record: AuditRecord, _ code: EventCode) -> [ParticipantObject] {
        let entry = record.entry
        let series = entry.objects.filter { $0.kind == .series }.map(\.name)
        let instances = entry.objects.filter { $0.kind == .instance }.map(\.name)
        let studies = entry.objects.filter { $0.kind == .study }
        var objects: [ParticipantObject] = []
        for object in entry.objects {
            // Series and instances are told with their study.
            if object.kind == .series || object.kind == .instance, !studies.isEmpty { continue }
            var made = ParticipantObject(object)
            made.lifeCycle = object.kind == .study ? lifeCycle(entry.event) : nil
            if object.kind == .study, studies.count == 1 {
                made.details = series.map { ("SeriesInstanceUID", $0) }
                made.instances = instances
                made.instanceCount = entry.instanceCount
            }
            objects.append(made)
        }
        if code.isAuditLogUsed, !objects.contains(where: { $0.name == auditLogName }) {
            objects.append(ParticipantObject(AuditObject(.auditLog, "audit")))
        }
        if code.isAlert {
            if objects.isEmpty { objects.append(ParticipantObject(AuditObject(.setting, entry.event.name))) }
            if !entry.reason.isEmpty { objects[0].details.append(("Alert Description", entry.reason)) }
        }
        if objects.isEmpty, entry.event == .searched { objects.append(ParticipantObject(AuditObject(.query, ""))) }
        let isCounted = objects.contains { $0.instanceCount != nil }
        if !isCounted, let count = entry.instanceCount, !objects.isEmpty {
            objects[0].details.append(("NumberOfInstances", "\(count)"))
        }
        if !objects.isEmpty { objects[0].details.append(("Record", "\(record.sequence)")) }
        return objects
    }

    private static let auditLogName = "Security Audit Log"

    private init(_ object: AuditObject) {
        let uri = Code(value: "12", system: "RFC-3881", meaning: "URI")
        name = object.name
        id = object.name
        switch object.kind {
        case .patient:
            idType = Code(value: "2", system: "RFC-3881", meaning: "Patient Number")
            (typeCode, roleCode) = ("1", "1")
        case .study:
            idType = .dcm("110180", "Study Instance UID")
            (typeCode, roleCode) = ("2", "3")
        case .series, .instance:
            idType = uri
            id = "urn:oid:\(object.name)"
            (typeCode, roleCode) = ("2", "3")
        case .account:
            idType = Code(value: "11", system: "RFC-3881", meaning: "User Identifier")
            (typeCode, roleCode) = ("1", "6")
        case .peer:
            idType = .dcm("110182", "Node ID")
            (typeCode, roleCode) = ("2", "11")
        case .destination:
            idType = .dcm("110182", "Node ID")
            (typeCode, roleCode) = ("2", "16")
        case .query:
            idType = Code(value: "10", system: "RFC-3881", meaning: "Search Criteria")
            id = "query"
            query = object.name
            (typeCode, roleCode) = ("2", "24")
        case .auditLog:
            idType = uri
            id = "urn:huizhen:audit"
            name = Self.auditLogName
            (typeCode, roleCode) = ("2", "13")
        case .route, .key, .setting, .grant, .alert:
            idType = uri
            let allowed = CharacterSet.alphanumerics.intersection(CharacterSet(charactersIn: "\u{20}"..."\u{7E}"))
                .union(CharacterSet(charactersIn: "-._~"))
            let name = object.name.addingPercentEncoding(withAllowedCharacters: allowed) ?? ""
            id = "urn:huizhen:\(object.kind.name):\(name)"
            (typeCode, roleCode) = object.kind == .route ? ("2", "23") : ("2", "13")
        }
    }

    private static func lifeCycle(_ event: AuditEvent) -> String? {
        switch event {
        case .storeBegan, .stored: "1"
        case .imported: "2"
        case .corrected: "3"
        case .accessed, .transferred: "6"
        case .exported: "10"
        case .removed: "14"
        default: nil
        }
    }
}
