import Archive
import Audit
import Catalog
import DICOM
import DIMSE
import Media
import Reporting

/// The tables of the conformance statement, made from what the code goes by. PS3.2.
enum ConformanceTables {
    struct Table {
        var name: String
        var text: String

        init(_ name: String, _ head: [String], _ rows: [[String]]) {
            self.name = name
            let lines = [head, head.map { _ in "---" }] + rows
            text = lines.map { "| " + $0.joined(separator: " | ") + " |" }.joined(separator: "\n")
        }
    }

    static let all =
        [
            services, storage, rejections, contextRefusals, messageSyntaxes, storageSyntaxes, keys, commitmentFailures,
            characterSets, media, auditEvents, settings, DeidentificationTables.profiles,
        ] + StatusTables.all

    /// Puts every table into its place; the second result are those that have none.
    static func fill(_ text: String) -> (text: String, missing: [String]) {
        var result = text
        var missing: [String] = []
        for table in DeidentificationTables.tables(of: text) {
            let begin = "<!-- table: \(table.name) -->\n"
            guard let start = result.range(of: begin),
                let end = result[start.upperBound...].range(of: "<!-- end -->")
            else {
                missing.append(table.name)
                continue
            }
            result.replaceSubrange(start.upperBound..<end.lowerBound, with: table.text + "\n")
        }
        return (result, missing)
    }

    private static var auditEvents: Table {
        Table(
            "audit-events", ["event", "EventActionCode", "EventID", "EventTypeCode"],
            AuditEvent.allCases.map { event in
                let codes = DICOMAuditMessage.codes(of: event)
                return ["`\(event.name)`", codes.action, codes.id, codes.type ?? "–"]
            })
    }

    private static var services: Table {
        Table(
            "services", ["SOP class", "UID", "as SCP for peers with"],
            OfferedServices.messages.map { [name($0.sopClassUID), $0.sopClassUID, "`\($0.service)`"] })
    }

    private static func name(_ uid: String) -> String {
        switch uid {
        case SOPClass.verification: "Verification"
        case SOPClass.storageCommitmentPushModel: "Storage Commitment Push Model"
        case SOPClass.patientRootFind: "Patient Root Query/Retrieve - FIND"
        case SOPClass.patientRootMove: "Patient Root Query/Retrieve - MOVE"
        case SOPClass.patientRootGet: "Patient Root Query/Retrieve - GET"
        case SOPClass.studyRootFind: "Study Root Query/Retrieve - FIND"
        case SOPClass.studyRootMove: "Study Root Query/Retrieve - MOVE"
        case SOPClass.studyRootGet: "Study Root Query/Retrieve - GET"
        default: SOPClass.storage[uid] ?? uid
        }
    }

    private static var storage: Table {
        Table(
            "storage", ["storage SOP class", "UID"],
            SOPClass.storage.sorted { $0.key < $1.key }.map { [$0.value, $0.key] })
    }

    private static var rejections: Table {
        Table(
            "rejections", ["result, source, reason", "in words", "when"],
            AssociationRefusal.allCases.map { refusal in
                let rejection = refusal.rejection
                return [
                    "\(rejection.result), \(rejection.source), \(rejection.reason)", "\(rejection)", refusal.about,
                ]
            })
    }

    private static var contextRefusals: Table {
        Table(
            "context-refusals", ["result", "when"],
            ContextRefusal.allCases.map { ["\($0.result.rawValue)", $0.about] })
    }

    private static var commitmentFailures: Table {
        Table(
            "commitment-failures", ["Failure Reason (0008,1197)", "meaning"],
            CommitmentFailure.allCases.map { ["\(Status(rawValue: $0.rawValue))", $0.about] })
    }

    private static var messageSyntaxes: Table {
        Table(
            "message-syntaxes", ["transfer syntax", "UID"], OfferedServices.messageSyntaxes.map { [$0.name, $0.uid] })
    }

    private static var storageSyntaxes: Table {
        Table(
            "storage-syntaxes", ["transfer syntax", "UID", "stored", "rewritten to"],
            TransferSyntax.all.map { syntax in
                let loss = syntax.losesWhenRewritten ? "with loss, if asked" : "without loss"
                return [
                    syntax.name, syntax.uid, syntax.isStorable ? "yes" : "no",
                    TransferSyntax.rewritable.contains(syntax) ? loss : "no",
                ]
            })
    }

    private static var keys: Table {
        let levels = [
            ("PATIENT", LevelAttributes.patient), ("STUDY", LevelAttributes.study), ("SERIES", LevelAttributes.series),
            ("IMAGE", LevelAttributes.instance), ("computed", LevelAttributes.computed),
        ]
        return Table(
            "keys", ["level", "attribute", "tag", "VR"],
            levels.flatMap { level, tags in
                tags.sorted().map { tag in
                    let vr = DICOM.Dictionary.vr(of: tag).map { "\($0)" } ?? ""
                    return [level, DICOM.Dictionary.keyword(of: tag) ?? "", "\(tag)", vr]
                }
            })
    }

    private static var characterSets: Table {
        Table("character-sets", ["defined term"], DICOM.CharacterSet.supportedTerms.map { [$0] })
    }

    private static var media: Table {
        Table(
            "media", ["`--profile`", "application profiles", "transfer syntaxes"],
            MediaProfile.allCases.map { profile in
                [
                    "`\(profile.rawValue)`", profile.identifiers.joined(separator: ", "),
                    profile.transferSyntaxes.map(\.name).joined(separator: "; "),
                ]
            })
    }

    private static var settings: Table {
        Table(
            "settings", ["setting", "range", "default", "meaning"],
            Settings.table.map { setting in
                // What depends on the machine is not the code's.
                let isOwn = ["data", "codec.workers"].contains(setting.key)
                return [
                    "`\(setting.key)`", setting.range, isOwn ? "by the machine" : setting.defaultValue, setting.about,
                ]
            })
    }
}
