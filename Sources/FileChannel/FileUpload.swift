import Access
import Archive
import DICOM
import SFTP

/// One file that is put. Encrypted as it comes, nowhere before it is whole; used by one thread.
final class FileUpload {
    private let caller: FileCaller
    private let ledger: StoreLedger
    private let file: IncomingFile
    private var standing = Standing()

    /// - Throws: who may not store is refused.
    init(_ door: FileDoor, _ caller: FileCaller, arrival: Arrival, ledger: StoreLedger) throws {
        _ = try caller.reach(.store)
        self.caller = caller
        self.ledger = ledger
        let (sender, issuer) = (caller.sender, caller.permit.issuer)
        let takesUnknownClasses = door.settings.takesUnknownClasses
        file = IncomingFile {
            [archive = door.archive] (syntax, sopClassUID, sopInstanceUID) throws(ArchiveError) in
            let incoming = try archive.receive(
                from: sender, by: arrival, defaultIssuer: issuer, transferSyntax: syntax, expectedClass: sopClassUID,
                expectedUID: sopInstanceUID)
            incoming.require { (identity) throws(ArchiveError) in
                guard takesUnknownClasses || SOPClass.storage[identity.sopClassUID] != nil else { throw .unwanted }
                do throws(Denial) {
                    try ledger.begin(study: identity.studyInstanceUID, patientID: identity.patientID)
                } catch { throw .notRecorded }
            }
            return incoming
        }
    }

    func append(_ piece: ArraySlice<UInt8>) throws {
        try standing.renew { _ = try caller.reach(.store) }
        var failure: ArchiveError?
        piece.withUnsafeBytes { bytes in
            do throws(ArchiveError) { try file.append(bytes) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Keeps the object; durable on return.
    func finish() throws {
        _ = try caller.reach(.store)
        let incoming = try file.end()
        let outcome = try incoming.finish()
        if outcome == .differs {
            throw FileFailure(status: .failure, text: "another object is held under this one's UID, and stays")
        }
        if let study = incoming.identity?.studyInstanceUID { ledger.count(study: study) }
    }

    func abandon() { file.abandon() }
}
