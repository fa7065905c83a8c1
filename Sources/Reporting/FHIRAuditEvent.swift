import Audit
import Foundation

/// A record as a FHIR R4 AuditEvent. Acts on images that succeeded follow the patterns of IHE BALP, and say so where the
/// pattern has room for all that the record names.
public enum FHIRAuditEvent {
    /// One line of JSON.
    public static func json(_ record: AuditRecord, from source: AuditSource) -> String {
        let resource = Resource(record, source).object
        let data = try? JSONSerialization.data(
            withJSONObject: resource, options: [.sortedKeys, .withoutEscapingSlashes])
        return String(decoding: data ?? Data("{}".utf8), as: UTF8.self)
    }

    private typealias Object = [String: Any]

    /// The acts that BALP has a pattern of.
    private enum Pattern: String {
        case create, read, update, delete
        case search = "search-type"

        init?(_ event: AuditEvent) {
            switch event {
            case .storeBegan, .stored, .imported: self = .create
            case .accessed, .exported, .transferred: self = .read
            case .corrected, .restored: self = .update
            case .removed: self = .delete
            case .searched: self = .search
            default: return nil
            }
        }

        var name: String { self == .search ? "Query" : rawValue.prefix(1).uppercased() + rawValue.dropFirst() }

        var action: String {
            switch self {
            case .create: "C"
            case .read: "R"
            case .update: "U"
            case .delete: "D"
            case .search: "E"
            }
        }

        /// Types of the agents: the caller's and ours.
        var agents: (client: Object, server: Object) {
            let source = coding(dcm, "110153", "Source Role ID")
            let destination = coding(dcm, "110152", "Destination Role ID")
            let custodian = coding(
                "http://terminology.hl7.org/CodeSystem/provenance-participant-type", "custodian", "Custodian")
            return switch self {
            case .read: (destination, source)
            case .delete: (coding(dcm, "110150", "Application"), custodian)
            case .create, .update, .search: (source, destination)
            }
        }

        /// Of a person behind the caller.
        var userType: Object {
            let system = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
            return switch self {
            case .create, .delete: coding(system, "AUT", "author (originator)")
            case .read, .search, .update: coding(system, "IRCP", "information recipient")
            }
        }
    }

    private static let dcm = "http://dicom.nema.org/resources/ontology/DCM"

    private static func coding(_ system: String, _ code: String, _ display: String) -> Object {
        ["system": system, "code": code, "display": display]
    }

    private struct Resource {
        let record: AuditRecord
        let source: AuditSource
        let code: EventCode
        let pattern: Pattern?

        init(_ record: AuditRecord, _ source: AuditSource) {
            self.record = record
            self.source = source
            code = EventCode(record.entry)
            pattern = Pattern(record.entry.event)
        }

        private var entry: AuditEntry { record.entry }

        var object: Object {
            var subtypes: [Object] = []
            if let pattern {
                subtypes.append(coding("http://hl7.org/fhir/restful-interaction", pattern.rawValue, pattern.rawValue))
                subtypes.append(coding(dcm, code.id.value, code.id.meaning))
            }
            if let type = code.type { subtypes.append(coding(dcm, type.value, type.meaning)) }
            var result: Object = [
                "resourceType": "AuditEvent", "id": "record-\(record.sequence)", "recorded": record.timeText,
                "type": pattern == nil
                    ? coding(dcm, code.id.value, code.id.meaning)
                    : coding("http://terminology.hl7.org/CodeSystem/audit-event-type", "rest", "Restful Operation"),
                "action": pattern?.action ?? code.action, "outcome": "\(entry.outcome.rawValue)", "agent": agents,
                "source": [
                    "site": source.institution.isEmpty ? source.host : source.institution,
                    "observer": device(source.aeTitle),
                    "type": [
                        coding(
                            "http://terminology.hl7.org/CodeSystem/security-source-type", "4", "Application Server")
                    ],
                ] as Object,
            ]
            if !subtypes.isEmpty { result["subtype"] = subtypes }
            if !entry.reason.isEmpty { result["outcomeDesc"] = entry.reason }
            let entities = entities
            if !entities.isEmpty { result["entity"] = entities }
            if let profile = profile(entities) { result["meta"] = ["profile": [profile]] }
            return result
        }

        /// The pattern this follows to the letter; nil where it has to say more or less than one allows.
        private func profile(_ entities: [Object]) -> String? {
            guard let pattern, entry.outcome == .success else { return nil }
            func count(_ kinds: AuditObject.Kind...) -> Int { entry.objects.count { kinds.contains($0.kind) } }
            let patients = count(.patient)
            guard patients <= 1, entities.count == patients + 1 else { return nil }
            guard pattern == .search ? count(.query) == 1 : count(.study, .series, .instance) >= 1 else { return nil }
            if pattern == .delete, patients == 0 { return nil }
            let name = (patients == 1 ? "Patient" : "") + pattern.name
            return "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.\(name)"
        }

        // MARK: Agents

        private var agents: [Object] {
            let actor = entry.actor
            var client = agent(
                device(actor.name.isEmpty ? "unknown" : actor.name), isRequestor: true,
                network: actor.address.isEmpty ? ("1", source.host) : ("2", actor.address))
            var server = agent(device(source.aeTitle), isRequestor: false, network: ("1", source.host))
            if let pattern {
                client["type"] = ["coding": [pattern.agents.client]]
                server["type"] = ["coding": [pattern.agents.server]]
            }
            var result: [Object] = []
            switch actor.kind {
            case .service:
                server["requestor"] = true
                // A pattern has two sides; the service by itself is both.
                result = pattern == nil ? [server] : [client, server]
                if pattern != nil { result[1]["requestor"] = false }
            case .peer, .system, .unknown: result = [client, server]
            case .person, .localOperator:
                client["who"] = device(actor.kind == .person ? "browser" : "huizhen")
                client["requestor"] = false
                result = [client, server, user(actor.name)]
            }
            if actor.kind == .peer || actor.kind == .system, !actor.user.isEmpty {
                result[0]["requestor"] = false
                result.append(user(actor.user))
            }
            for object in entry.objects where object.kind == .destination {
                result.append(agent(device(object.name), isRequestor: false, network: nil))
            }
            return result
        }

        private func user(_ name: String) -> Object {
            var result: Object = [
                "who": ["identifier": ["value": Self.value(name)]], "name": Self.value(name), "requestor": true,
            ]
            if let pattern { result["type"] = ["coding": [pattern.userType]] }
            return result
        }

        private func device(_ name: String) -> Object {
            ["type": "Device", "identifier": ["value": Self.value(name)], "display": Self.value(name)]
        }

        private func agent(_ who: Object, isRequestor: Bool, network: (type: String, address: String)?) -> Object {
            var result: Object = ["who": who, "requestor": isRequestor]
            if let network { result["network"] = ["type": network.type, "address": network.address] }
            return result
        }

        // MARK: Entities

        private var entities: [Object] {
            let data = entry.objects.filter { [.study, .series, .instance].contains($0.kind) }
            var result: [Object] = []
            // Series and instances are told with their study.
            let studies = data.filter { $0.kind == .study }
            for object in studies.isEmpty ? Array(data.prefix(1)) : studies {
                var entity = entity("2", "System Object", role: ("4", "Domain Resource"))
                entity["what"] = [
                    "type": "ImagingStudy",
                    "identifier": ["system": "urn:dicom:uid", "value": "urn:oid:\(object.name)"],
                ]
                var details: [Object] = []
                if studies.count <= 1 {
                    for part in data where part != object {
                        details.append(["type": part.kind.name, "valueString": Self.value(part.name)])
                    }
                    if let count = entry.instanceCount {
                        details.append(["type": "instances", "valueString": "\(count)"])
                    }
                }
                if !details.isEmpty, pattern != .delete { entity["detail"] = details }
                result.append(entity)
            }
            for object in entry.objects {
                if let entity = entity(object) { result.append(entity) }
            }
            return result
        }

        private func entity(_ object: AuditObject) -> Object? {
            switch object.kind {
            case .study, .series, .instance, .destination: return nil
            case .patient:
                var entity = entity("1", "Person", role: ("1", "Patient"))
                entity["what"] = ["type": "Patient", "identifier": ["value": Self.value(object.name)]]
                return entity
            case .query:
                var entity = entity("2", "System Object", role: ("24", "Query"))
                entity["query"] = Data(object.name.utf8).base64EncodedString()
                return entity
            case .account:
                var entity = entity("1", "Person", role: ("6", "User"))
                entity["what"] = ["identifier": ["value": Self.value(object.name)]]
                return entity
            case .peer, .route, .key, .setting, .grant, .auditLog, .alert:
                var entity = entity("2", "System Object", role: ("13", "Security Resource"))
                entity["name"] = Self.value("\(object.kind.name) \(object.name)")
                return entity
            }
        }

        private func entity(_ type: String, _ display: String, role: (code: String, display: String)) -> Object {
            [
                "type": coding("http://terminology.hl7.org/CodeSystem/audit-entity-type", type, display),
                "role": coding("http://terminology.hl7.org/CodeSystem/object-role", role.code, role.display),
            ]
        }

        /// FHIR has no empty text.
        private static func value(_ text: String) -> String {
            let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
            return trimmed.isEmpty ? "unknown" : trimmed
        }
    }
}
