import Access
import Archive
import Audit
import DICOM
import Foundation
import Queue
import Toolkit

extension Session {
    /// How long the queue leaves a request to the association that brought it. The session hands it over before, when
    /// the association ends or another request comes; a restart lets everything be tried at once.
    static let commitmentDelay = Duration.seconds(86_400)

    /// Requests of a peer that may wait to be reported.
    static let commitmentLimit = 1000

    private enum CommitmentRefusal: Error, CustomStringConvertible {
        case tooMany

        var description: String {
            "\(commitmentLimit) requests of it are not reported yet: see `huizhen queue list`, and its --port"
        }
    }

    /// N-ACTION of the Storage Commitment Push Model, PS3.4 §J.3.2: the request is durable before it is answered; then
    /// every byte is read again, and the result reported on this association if it is still there.
    func requestCommitment(
        _ command: Command, context: PresentationContext, transferSyntax: TransferSyntax
    ) throws(DIMSEError) -> Status {
        let information = try stream.readIdentifier(
            contextID: context.id, transferSyntax: transferSyntax, byteCountLimit: CommitmentRequest.byteCountLimit)
        var refusal: ServiceAnswer?
        var accepted: (id: Int64, work: CommitmentWork)?
        if command.requestedSOPInstanceUID != CommitmentRequest.wellKnownInstance {
            refusal = .otherInstance
        } else if command.actionTypeID != CommitmentRequest.actionTypeID {
            refusal = .otherAction
        } else if let request = CommitmentRequest(information) {
            do throws(Denial) {
                _ = try reach(.commit)
                try shared.access.record([
                    AuditEntry(
                        .accessed, by: permit.actor, door: Self.door,
                        objects: [AuditObject(.query, "storage commitment")],
                        instanceCount: UInt64(request.references.count))
                ])
            } catch { return try deny(error, command, context) }
            let work = CommitmentWork(
                request: request, callingAETitle: permit.aeTitle, institution: permit.institution)
            let lane = CommitmentWork.lanePrefix + permit.aeTitle
            do {
                guard try shared.queue.waitingCount(in: lane, upTo: Self.commitmentLimit) < Self.commitmentLimit else {
                    throw CommitmentRefusal.tooMany
                }
                guard archive.hasRoom else { throw ArchiveError.full }
                let ids = try shared.queue.add([
                    NewJob(
                        kind: CommitmentWork.kind, lane: lane, priority: 7,
                        remaining: request.references.count, delay: Self.commitmentDelay,
                        payload: Array(try JSONEncoder().encode(work)))
                ])
                accepted = ids.first.map { ($0, work) }
            } catch {
                shared.logger.warning(
                    "storage commitment not taken", metadata: ["peer": "\(permit.aeTitle)", "reason": "\(error)"])
                refusal = .notKept
            }
        } else {
            refusal = .badReferences
        }
        let answer = refusal ?? .success
        try stream.send(Command(answering: command, answer), contextID: context.id)
        try stream.flush()
        if let (id, work) = accepted {
            reports.updateValue(nil, forKey: id)
            try report(on: work, job: id, context: context, transferSyntax: transferSyntax)
        }
        return answer.status
    }

    /// Checks, and reports here unless the other side says something first.
    private func report(
        on work: CommitmentWork, job: Int64, context: PresentationContext, transferSyntax: TransferSyntax
    ) throws(DIMSEError) {
        let check = CommitmentCheck(archive: archive, retrieveAETitle: shared.access.settings.aeTitle)
        let found: CommitmentReport?
        do {
            found = try check.report(on: work) { stream.association.hasIncomingData }
        } catch let error as DIMSEError {
            throw error
        } catch { found = nil }
        guard let found, !stream.association.hasIncomingData else { return handOver(job) }
        nextMessageID &+= 1
        try stream.send(
            Command(reporting: found.eventTypeID, messageID: nextMessageID),
            dataSet: found.information.encoded(transferSyntax: transferSyntax), contextID: context.id)
        reports.updateValue(nextMessageID, forKey: job)
    }

    /// The other side has the report, or does not want it here.
    func reportAnswered(_ response: Command, contextID: UInt8) throws(DIMSEError) {
        if response.hasDataSet { try stream.readDataSet(contextID: contextID) { _ in } }
        guard let job = reports.first(where: { $0.value == response.messageIDBeingRespondedTo })?.key else {
            throw .unexpectedMessage("an answer to no report")
        }
        guard let status = response.status, status.isSuccess || status.isWarning else { return handOver(job) }
        reports.removeValue(forKey: job)
        // If that cannot be written down, the requester hears the same once more.
        try? shared.queue.complete(job)
    }

    /// Leaves a report to the queue, which calls the requester.
    func handOver(_ job: Int64) {
        reports.removeValue(forKey: job)
        try? shared.queue.retry(job)
    }

    /// What this association was not told goes by another.
    func handOverAll() { for job in reports.keys { handOver(job) } }
}
