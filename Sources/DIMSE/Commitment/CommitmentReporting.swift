import Access
import Archive
import DICOM
import Foundation
import Queue
import Toolkit

/// Reports to requesters over associations of our own what could not be reported on theirs. Used from the queue's lanes.
struct CommitmentReporting: Sendable {
    let archive: Archive
    let access: Access
    let timeouts: AssociationTimeouts
    let credentials: TransportCredentials?

    func perform(_ run: JobRun) -> JobOutcome {
        guard let work = try? JSONDecoder().decode(CommitmentWork.self, from: Data(run.payload)) else {
            return .hopeless("the job cannot be read")
        }
        let title = work.callingAETitle
        guard let peer = access.peer(aeTitle: title) else { return .unavailable("\(title) is no peer") }
        guard peer.host != nil, peer.port != nil else {
            return .unavailable("\(title) has no port to report to: add it again with --port")
        }
        guard access.mayCall(peer) else {
            return .unavailable("\(title) is over the network and allows no plain DICOM")
        }
        let report: CommitmentReport
        do {
            let check = CommitmentCheck(archive: archive, retrieveAETitle: access.settings.aeTitle)
            guard let found = try check.report(on: work, shouldStop: { run.shouldStop }) else { return .interrupted }
            report = found
        } catch { return .unavailable("\(error)") }
        // A report that was on its way then is made again: they are made at least once.
        let cancellation = Cancellation()
        run.whenStopped { cancellation.cancel() }
        do throws(DIMSEError) {
            let status = try send(report, to: peer, cancellation)
            return status.isSuccess || status.isWarning ? .done : .failed("\(title) answered with status \(status)")
        } catch {
            if run.shouldStop { return .interrupted }
            if case .notAccepted = error { return .failed("\(title) accepts no storage commitment reports") }
            return .unavailable("\(error)")
        }
    }

    /// We are the provider: the role selection says so. PS3.4 §J.3.3, PS3.7 §D.3.3.4.
    private func send(
        _ report: CommitmentReport, to peer: Peer, _ cancellation: Cancellation
    ) throws(DIMSEError) -> Status {
        let context = PresentationContext(
            id: 1, abstractSyntax: SOPClass.storageCommitmentPushModel,
            transferSyntaxes: [TransferSyntax.explicitVRLittleEndian.uid, TransferSyntax.implicitVRLittleEndian.uid],
            role: .scp)
        let association = try Requester.Target(
            peer, callingAETitle: access.settings.aeTitle, timeouts: timeouts, credentials: credentials
        ).associate([context], cancellation: cancellation)
        guard let context = association.accepted[1], let syntax = context.acceptedTransferSyntax else {
            try? association.release()
            throw .notAccepted
        }
        let stream = MessageStream(association)
        let request = Command(reporting: report.eventTypeID, messageID: 1)
        do throws(DIMSEError) {
            try stream.send(
                request, dataSet: report.information.encoded(transferSyntax: TransferSyntax(uid: syntax)), contextID: 1)
            try stream.flush()
            let (response, _) = try stream.nextCommand()
            guard response.field == .eventReportResponse, response.messageIDBeingRespondedTo == 1,
                let status = response.status
            else { throw .unexpectedMessage("another message than the N-EVENT-REPORT response") }
            // Its data set is optional and says nothing that is needed.
            if response.hasDataSet { try stream.readDataSet(contextID: 1) { _ in } }
            try? association.release()
            return status
        } catch {
            association.abort()
            throw error
        }
    }
}
