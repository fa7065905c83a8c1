import Access
import Archive
import Audit
import Control
import Foundation

extension Operations {
    /// Writes down what a tool asks for, before it is done.
    ///
    /// - Throws: what keeps it from being done.
    func record(_ request: ControlRequest, _ channel: Channel) throws {
        if case .export(_, _, _, _, _, let destination?) = request {
            do throws(Denial) {
                try service.access.requireExport(to: destination, by: actor(channel), door: Self.door)
            } catch .refused(let why) { throw ControlError.refused(why) }
        }
        guard let act = act(request) else { return }
        try service.audit.append([
            AuditEntry(
                act.event, by: actor(channel), door: Self.door, objects: act.objects, instanceCount: act.count,
                reason: act.reason)
        ])
    }

    private struct Act {
        var event: AuditEvent
        var objects: [AuditObject] = []
        var count: UInt64?
        var reason = ""

        static func configured(_ object: AuditObject, _ what: String) -> Act {
            Act(event: .configurationChanged, objects: [object], reason: what)
        }
    }

    /// Nil for what shows no patient and changes nothing, and for what writes records of its own.
    private func act(_ request: ControlRequest) -> Act? {
        switch request {
        case .status, .peers, .routes, .jobs, .verify, .measure, .access, .oversight, .token, .share, .user, .audit,
            .transfer, .files, .export:
            nil
        case .testPeer(let title):
            Act(event: .configurationChanged, objects: [AuditObject(.peer, title)], reason: "peer tested")
        case .conflicts: Act(event: .searched, objects: [AuditObject(.query, "conflicts")])
        case .addPeer(let peer, _): .configured(AuditObject(.peer, peer.aeTitle), "peer added")
        case .removePeer(let title): .configured(AuditObject(.peer, title), "peer removed")
        case .addRoute(let route): .configured(AuditObject(.route, route.name), "route added")
        case .removeRoute(let name): .configured(AuditObject(.route, name), "route removed")
        case .retryJob(let id): .configured(AuditObject(.route, "job \(id)"), "job retried")
        case .cancelJob(let id): .configured(AuditObject(.route, "job \(id)"), "job cancelled")
        case .pauseLane(let lane, let on):
            .configured(AuditObject(.route, lane), on ? "queue paused" : "queue resumed")
        case .reindex: .configured(AuditObject(.setting, "catalogue"), "catalogue built anew")
        case .reloadTLS: .configured(AuditObject(.setting, "tls"), "TLS files read again")
        case .webToken(let seconds):
            .configured(AuditObject(.setting, "web token"), "web token made for \(seconds) s")
        case .keys(let request): Self.keys(request)
        case .correct(let request): correction(request)
        case .remove(let study, let series, let instance, let now, _, let person, let reason):
            Act(
                event: .removed, objects: named(study, series, instance),
                reason: "\(now ? "destroyed at once" : "removed") for \(person): \(reason)")
        case .release(let study, let rule):
            Act(
                event: .exported, objects: [AuditObject(.study, study)],
                reason: "de-identified copy, profile \(rule.profile), project \(rule.project)")
        case .restore(let study): Act(event: .restored, objects: [AuditObject(.study, study)])
        case .hold(let study, let on):
            Act(event: .heldOrReleased, objects: [AuditObject(.study, study)], reason: on ? "held" : "released")
        case .import(let peer): Act(event: .imported, objects: [AuditObject(.peer, peer)])
        }
    }

    /// Names of one kind in one record.
    static let nameLimit = 4096

    private func named(_ study: String, _ series: String?, _ instance: String?) -> [AuditObject] {
        [AuditObject(.study, study)] + (series.map { [AuditObject(.series, $0)] } ?? [])
            + (instance.map { [AuditObject(.instance, $0)] } ?? [])
    }

    /// Writes down what a tool does on a data directory that no service runs on, before it is done.
    static func record(_ request: KeyRequest, of archive: Archive, dataDirectory: String) throws {
        switch request {
        case .createProject, .projectKey, .exportProject, .importProject, .changeProject, .reidentification: break
        default: return
        }
        guard let act = keys(request) else { return }
        let log = try archive.auditLog(directory: dataDirectory)
        defer { try? log.close() }
        try log.append([
            AuditEntry(
                act.event, by: AuditActor(kind: .localOperator, name: NSUserName()), door: door, objects: act.objects,
                instanceCount: act.count, reason: act.reason)
        ])
    }

    private static func keys(_ request: KeyRequest) -> Act? {
        switch request {
        case .status: nil
        case .rotate: .configured(AuditObject(.key, "master key"), "rotated")
        case .backup(let file, _): .configured(AuditObject(.key, file.path), "keys backed up")
        case .restore(let file, _, let isDryRun):
            isDryRun ? nil : .configured(AuditObject(.key, file.path), "keys restored")
        case .createProject(let name): .configured(AuditObject(.key, "project \(name)"), "project made")
        case .projectKey(let name): .configured(AuditObject(.key, "project \(name)"), "project key given out")
        case .exportProject(let name, let fingerprint):
            .configured(
                AuditObject(.key, "project \(name)"), "project key wrapped for the certificate \(fingerprint)")
        case .importProject(let name, _): .configured(AuditObject(.key, "project \(name)"), "project key taken in")
        case .changeProject(let name, let change):
            .configured(AuditObject(.key, "project \(name)"), ProjectSettings.words(change))
        case .reidentification(let count, let fingerprint, let studyCount, let studies):
            Act(
                event: .exported,
                objects: [AuditObject(.key, "escrow of the certificate \(fingerprint), \(studyCount) studies")]
                    + studies.prefix(nameLimit).map { AuditObject(.study, $0) },
                count: UInt64(clamping: count), reason: "re-identification")
        case .projects, .projectSettings: nil
        }
    }

    private func correction(_ request: CorrectionRequest) -> Act? {
        func act(_ objects: [AuditObject], _ what: String, _ reason: String, _ isDryRun: Bool) -> Act {
            Act(event: isDryRun ? .searched : .corrected, objects: objects, reason: "\(what): \(reason)")
        }
        func patient(_ patient: CorrectionRequest.Patient) -> AuditObject { AuditObject(.patient, patient.patientID) }
        switch request {
        case .list: return Act(event: .searched, objects: [AuditObject(.query, "corrections")])
        case .merge(let from, let into, let reason, let isDryRun):
            return act([patient(from), patient(into)], "patients merged", reason, isDryRun)
        case .identify(let study, let into, let reason, let isDryRun):
            return act([AuditObject(.study, study), patient(into)], "study given to a patient", reason, isDryRun)
        case .split(let study, let series, let into, let person, let reason, let isDryRun):
            let objects =
                [AuditObject(.study, study)] + series.prefix(Self.nameLimit).map { AuditObject(.series, $0) }
                + (into.map { [AuditObject(.study, $0)] } ?? []) + (person.map { [patient($0)] } ?? [])
            return act(objects, "study split", reason, isDryRun)
        case .setPatient(let person, let assignments, let reason, let isDryRun):
            return act([patient(person)], changed(assignments), reason, isDryRun)
        case .setStudy(let study, let assignments, let reason, let isDryRun):
            return act([AuditObject(.study, study)], changed(assignments), reason, isDryRun)
        case .setSeries(let series, let assignments, let reason, let isDryRun):
            return act([AuditObject(.series, series)], changed(assignments), reason, isDryRun)
        case .undo(let number, let reason, let isDryRun):
            return act([AuditObject(.setting, "correction \(number)")], "correction undone", reason, isDryRun)
        }
    }

    /// The record is sealed, so it holds the values too: who changed what, and to what.
    private func changed(_ assignments: [CorrectionRequest.Assignment]) -> String {
        "set " + assignments.map { "\($0.keyword)=\($0.value)" }.joined(separator: ", ")
    }
}
