import Access
import Archive
import Catalog
import DICOM

extension Session {
    /// C-STORE, PS3.4 Annex B. The fragments go to the archive as they come; a failure is answered after the rest
    /// of the data set was read and dropped, so that the association goes on.
    func store(
        _ command: Command, contextID: UInt8, transferSyntax: TransferSyntax
    ) throws(DIMSEError) -> Status {
        var incoming: Incoming?
        var failure: ArchiveError?
        do throws(ArchiveError) {
            incoming = try archive.receive(
                from: Sender(peer: permit.aeTitle, institution: permit.institution, door: Self.door),
                by: arrival, defaultIssuer: permit.issuer, transferSyntax: transferSyntax,
                expectedClass: command.affectedSOPClassUID, expectedUID: command.affectedSOPInstanceUID)
            incoming?.require(noteBeginning)
        } catch { failure = error }
        try stream.readDataSet(contextID: contextID) { fragment in
            shared.metrics.bytesReceived.add(UInt64(fragment.count))
            guard failure == nil else { return }
            do throws(ArchiveError) { try incoming?.append(fragment) } catch {
                failure = error
                incoming?.abandon()
                incoming = nil
            }
        }
        var answer = ServiceAnswer.success
        do throws(ArchiveError) {
            if let failure { throw failure }
            guard let incoming else { throw .closed }
            let outcome = try incoming.finish()
            if let study = incoming.identity?.studyInstanceUID { ledger.count(study: study) }
            answer = StatusMapping.answer(to: outcome)
        } catch {
            answer = StatusMapping.answer(to: error)
            shared.logger.warning(
                "store refused",
                metadata: ["peer": "\(permit.aeTitle)", "status": "\(answer.status)", "reason": "\(error)"])
        }
        try stream.send(Command(answering: command, answer), contextID: contextID)
        return answer.status
    }

    /// Nothing of a study is kept before it is on the record that it comes.
    private func noteBeginning(_ identity: InstanceIdentity) throws(ArchiveError) {
        do throws(Denial) {
            try ledger.begin(study: identity.studyInstanceUID, patientID: identity.patientID)
        } catch {
            if case .notRecorded(let error) = error { log(unrecorded: error) }
            throw .notRecorded
        }
    }
}
