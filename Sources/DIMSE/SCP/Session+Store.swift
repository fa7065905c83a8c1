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
        var reception: ObjectReception?
        var failure: (any Error)?
        do { reception = try begin(command, transferSyntax) } catch { failure = error }
        try stream.readDataSet(contextID: contextID) { fragment in
            shared.metrics.bytesReceived.add(UInt64(fragment.count))
            guard failure == nil else { return }
            do { try reception?.append(fragment) } catch {
                failure = error
                reception?.abandon()
                reception = nil
            }
        }
        var answer = ServiceAnswer.success
        do {
            if let failure { throw failure }
            guard let reception else { throw ArchiveError.closed }
            let (outcome, identity) = try reception.finish()
            if let study = identity?.studyInstanceUID { ledger.count(study: study) }
            answer = StatusMapping.answer(to: outcome)
        } catch {
            answer = StatusMapping.answer(toFailure: error)
            shared.logger.warning(
                "store refused",
                metadata: ["peer": "\(permit.aeTitle)", "status": "\(answer.status)", "reason": "\(error)"])
        }
        try stream.send(Command(answering: command, answer), contextID: contextID)
        return answer.status
    }

    private func begin(_ command: Command, _ transferSyntax: TransferSyntax) throws -> ObjectReception {
        let rule = try currentPeer(.store)?.admission
        // A storage context does not say it: who may fetch has such, too.
        _ = try shared.access.require(.store, by: permit, door: Self.door)
        let release = try rule.map { try shared.releases.release(by: $0) }
        return try ObjectReception(transferSyntax, release: release) {
            [self] (syntax, isAsAnnounced) throws(ArchiveError) in
            let incoming = try archive.receive(
                from: Sender(peer: permit.aeTitle, institution: permit.institution, door: Self.door),
                by: arrival, defaultIssuer: permit.issuer, transferSyntax: syntax,
                expectedClass: isAsAnnounced ? command.affectedSOPClassUID : nil,
                expectedUID: isAsAnnounced ? command.affectedSOPInstanceUID : nil)
            incoming.require(noteBeginning)
            return incoming
        }
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
