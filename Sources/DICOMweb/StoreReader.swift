import Access
import Archive
import Catalog
import DICOM
import HTTP

/// The body of a store request, read as it comes by one thread at a time.
protocol StoreBody: AnyObject, Sendable {
    /// The next bytes. Blocks.
    func feed(_ bytes: UnsafeRawBufferPointer) throws
    /// The body has ended. Blocks.
    ///
    /// - Throws: what makes it no whole body; then `abandon` is left to do.
    func finish() throws
    /// The body broke off. What came whole stays stored and stands in the report once this returns, and beside it that
    /// something failed. Blocks.
    ///
    /// - Parameter reason: Failure Reason (0008,1197) of what did not come whole.
    func abandon(_ reason: Int)
    var report: StoreReport { get }
}

/// Reads the body of a store request and stores its objects one after another as they come. PS3.18 §10.5.
///
/// Used by one thread at a time; holds the beginning of a file and what the archive holds of one object.
final class StoreReader: StoreBody, @unchecked Sendable {
    // The door feeds one piece after another and waits for each: never two threads at a time.

    struct Order {
        var sender: Sender
        var defaultIssuer: String
        var ledger: StoreLedger
        /// The study that every object must be of; nil for any.
        var study: String?
        var base: String
        var takesUnknownClasses: Bool

        /// Lets only what this request may store past, once it is on the record that its study comes.
        var check: @Sendable (InstanceIdentity) throws(ArchiveError) -> Void {
            { [study, takesUnknownClasses, ledger] identity throws(ArchiveError) in
                guard study == nil || identity.studyInstanceUID == study,
                    takesUnknownClasses || SOPClass.storage[identity.sopClassUID] != nil
                else { throw .unwanted }
                do throws(Denial) {
                    try ledger.begin(study: identity.studyInstanceUID, patientID: identity.patientID)
                } catch { throw .notRecorded }
            }
        }

        /// Failure Reason (0008,1197) for an object that is not.
        func reason(_ error: ArchiveError, _ identity: InstanceIdentity?) -> Int {
            if case .unwanted = error, let identity, !takesUnknownClasses,
                SOPClass.storage[identity.sopClassUID] == nil
            {
                return 0x0122
            }
            return ProblemMapping.failureReason(of: error)
        }
    }

    private let archive: Archive
    private let order: Order
    private let arrival: Arrival
    private var reader: MultipartReader?
    private(set) var report: StoreReport
    private var part: Part?
    private let finishing = Finishing()
    /// Parts that have come to their end, in their order.
    private var ended: [Ended] = []

    /// What is reported of a part unless its end says more.
    private struct Ended {
        var sopClassUID: String?
        var sopInstanceUID: String?
        var failure: Int?
    }

    /// One object on its way.
    private struct Part {
        let file: IncomingFile
        /// Once set, what still comes is dropped.
        var failure: Int?
    }

    /// - Parameter boundary: nil for a body that is one object.
    init(_ order: Order, boundary: String?, archive: Archive) throws {
        self.order = order
        self.archive = archive
        arrival = archive.arrival()
        report = StoreReport(base: order.base)
        if let boundary { reader = try MultipartReader(boundary: boundary) } else { part = newPart() }
    }

    /// The next bytes of the body. Blocks.
    ///
    /// - Throws: `MultipartReader.Failure`; what is wrong with one object goes into the report.
    func feed(_ bytes: UnsafeRawBufferPointer) throws {
        guard reader != nil else { return take(bytes) }
        // The reader is put aside while it calls back.
        var reader = reader
        defer { self.reader = reader }
        try reader?.feed(bytes) { event in
            switch event {
            case .head(let fields): begin(fields)
            case .data(let bytes): take(bytes)
            case .end: end()
            }
        }
    }

    /// The body has ended. Blocks until every object is stored or refused.
    ///
    /// - Throws: `.truncated`.
    func finish() throws {
        try reader?.finish()
        if reader == nil { end() }
        conclude()
    }

    func abandon(_ reason: Int) {
        if var open = part {
            if open.failure == nil {
                open.file.abandon()
                open.failure = reason
            }
            part = open
            end()
        } else {
            ended.append(Ended(failure: reason))
        }
        conclude()
    }

    private func begin(_ fields: [String: String]) {
        var part = newPart()
        // Without a type it is text, by the rules of multipart; senders that leave it out mean DICOM.
        if let field = fields["content-type"], MediaRange(field)?.essence != "application/dicom" {
            part.failure = 0xA900
        }
        self.part = part
    }

    private func take(_ bytes: UnsafeRawBufferPointer) {
        guard let part, part.failure == nil else { return }
        do throws(ArchiveError) { try part.file.append(bytes) } catch { fail(error) }
    }

    private func end() {
        var whole: Incoming?
        do throws(ArchiveError) {
            if let part, part.failure == nil { whole = try part.file.end() }
        } catch { fail(error) }
        guard let part else { return }
        let file = part.file
        if let whole { finishing.finish(whole, uid: file.sopInstanceUID ?? "", as: ended.count) }
        let identity = file.incoming.flatMap { part.failure == nil ? nil : $0.identity }
        ended.append(
            Ended(
                sopClassUID: identity?.sopClassUID ?? file.sopClassUID,
                sopInstanceUID: identity?.sopInstanceUID ?? file.sopInstanceUID, failure: part.failure))
        self.part = nil
    }

    /// Waits for what is being stored and writes the report, in the order of the parts.
    private func conclude() {
        let outcomes = finishing.wait()
        for (index, ended) in ended.enumerated() {
            let identity = outcomes[index]?.identity
            var failure = ended.failure
            switch outcomes[index]?.result {
            case .success(.differs): failure = 0x0111
            case .failure(let error): failure = order.reason(error, identity)
            case .success, nil: break
            }
            if let failure {
                report.add(
                    failed: failure, sopClassUID: identity?.sopClassUID ?? ended.sopClassUID,
                    sopInstanceUID: identity?.sopInstanceUID ?? ended.sopInstanceUID)
            } else if let identity {
                order.ledger.count(study: identity.studyInstanceUID)
                report.add(stored: identity)
            }
        }
        ended = []
        part = nil
    }

    private func fail(_ error: ArchiveError) {
        let reason = order.reason(error, part?.file.incoming?.identity)
        part?.failure = reason
        part?.file.abandon()
    }

    /// Begins to store once the file's beginning tells how it is encoded.
    private func newPart() -> Part {
        Part(
            file: IncomingFile {
                [archive, order, arrival] (syntax, sopClassUID, sopInstanceUID) throws(ArchiveError) in
                let incoming = try archive.receive(
                    from: order.sender, by: arrival, defaultIssuer: order.defaultIssuer, transferSyntax: syntax,
                    expectedClass: sopClassUID, expectedUID: sopInstanceUID)
                incoming.require(order.check)
                return incoming
            })
    }
}
