import BlobStore
import Catalog
import DICOM
import Keys

/// One object on its way in. Used by one thread: `append` its dataset's bytes as they come, then `finish` or
/// `abandon`; dropping it abandons.
///
/// Holds the header and a few fixed buffers in memory, never the object.
public final class Incoming {
    private let archive: Archive
    private let sender: Sender
    private let arrival: Arrival
    private let defaultIssuer: String
    private let transferSyntax: TransferSyntax
    private let expectedUID: String?
    private let expectedClass: String?
    /// The transfer it is shown with; nil for one that is shown by itself.
    private let announced: AnnouncedObject?
    private let writer: any ObjectWriter
    private var scanner: DatasetScanner?
    /// Told what the object says it is, before anything of it is kept.
    private var check: (InstanceIdentity) throws(ArchiveError) -> Void = { _ in }
    /// What the object says it is; nil before `finish` has read that.
    public private(set) var identity: InstanceIdentity?

    init(
        archive: Archive, sender: Sender, arrival: Arrival, defaultIssuer: String, transferSyntax: TransferSyntax,
        expectedClass: String?, expectedUID: String?, announced: AnnouncedObject? = nil,
        content: ArrivingContent? = nil, batch: IncomingBatch? = nil
    ) throws(ArchiveError) {
        self.archive = archive
        self.announced = announced
        self.sender = sender
        self.arrival = arrival
        self.defaultIssuer = defaultIssuer
        self.transferSyntax = transferSyntax
        self.expectedClass = expectedClass
        self.expectedUID = expectedUID
        do throws(BlobError) {
            writer =
                if let content { try content.place.begin() } else if let batch { try batch.writer() } else {
                    try archive.blobs.begin()
                }
        } catch { throw ArchiveError(error) }
        scanner = DatasetScanner(transferSyntax: transferSyntax)
        archive.lastStoreAt.store(Archive.now(), ordering: .relaxed)
    }

    deinit {
        archive.lastStoreAt.store(Archive.now(), ordering: .relaxed)
        writer.abandon()
    }

    /// The next bytes of the dataset, in the transfer syntax it was announced in.
    ///
    /// - Throws: `.full`; `.bound` when the object breaks a limit of the scan.
    public func append(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) {
        do throws(BlobError) { try writer.append(bytes) } catch { throw ArchiveError(error) }
        do throws(ParseError) { try scanner?.feed(bytes) } catch { throw .bound(error) }
    }

    /// Lets `finish` keep only what the caller wants and what could be written down.
    public func require(_ check: @escaping (InstanceIdentity) throws(ArchiveError) -> Void) { self.check = check }

    /// Nothing of the object remains.
    public func abandon() { writer.abandon() }

    /// Makes the object durable and findable, or says why it was not kept.
    ///
    /// On return with `.stored`, `.replaced`, `.version` or `.conflict` the object survives a power cut and the next
    /// query finds it. One sync of the disk.
    public func finish() throws(ArchiveError) -> StoreOutcome {
        do throws(ArchiveError) {
            return try archive.gate.shared { () throws(ArchiveError) in try decide() }
        } catch {
            writer.abandon()
            throw error
        }
    }

    /// The same for an object of a transfer, but for what makes it durable: that is `IncomingBatch.finish`.
    public func finish(in batch: IncomingBatch) throws(ArchiveError) {
        guard announced != nil else { throw .unwanted }
        do throws(ArchiveError) {
            let (record, header) = try read()
            let catalog = archive.catalog
            let key = try batch.key(for: catalog.rules.view(of: record).record, in: catalog)
            batch.add(try submit(record, header: header, key: key, in: catalog), in: catalog)
        } catch {
            writer.abandon()
            throw error
        }
    }

    private func decide() throws(ArchiveError) -> StoreOutcome {
        var (record, header) = try read()
        archive.claims.take(record.sopInstanceUID)
        defer { archive.claims.release(record.sopInstanceUID) }
        // Of a transfer that is decided once all of it is there.
        if announced == nil, let outcome = try outcomeIfHeld(&record) { return outcome }
        return try store(record, header: header)
    }

    /// Ends the content, and reads and checks what the object says it is.
    private func read() throws(ArchiveError) -> (record: InstanceRecord, header: Dataset) {
        guard let scanner = scanner.take() else { throw .closed }
        let scanned: ScannedDataset
        do throws(ParseError) { scanned = try scanner.finish() } catch { throw .bound(error) }
        guard scanned.byteCount > 0, !scanned.isDamaged || scanned.header.contains(.sopInstanceUID) else {
            throw .unreadable
        }
        let header = transferSyntax.isExplicitVR ? scanned.header : scanned.header.withResolvedVRs()
        let uid = header.string(.sopInstanceUID) ?? ""
        let sopClass = header.string(.sopClassUID) ?? ""
        guard let uid = uid.isEmpty ? expectedUID : uid, let sopClass = sopClass.isEmpty ? expectedClass : sopClass
        else { throw .unidentified }
        let content: ContentDigest
        do throws(BlobError) { content = try writer.finishContent() } catch { throw ArchiveError(error) }
        if let announced, announced.digest != content.sha256 { throw .unwanted }
        var record = InstanceRecord(
            header: header, sopInstanceUID: uid, sopClassUID: sopClass, defaultIssuer: defaultIssuer,
            transferSyntaxUID: transferSyntax.uid, byteCount: content.byteCount, digest: content.sha256,
            sender: sender, receivedAt: Archive.now(),
            policy: announced?.heals == true ? .replace : archive.settings.differingContent,
            pixelDataLayout: scanned.pixelData?.encoded() ?? [], keeping: archive.settings.privateAttributes,
            placeholderUID: archive.placeholderUID)
        record.transfer = announced?.transfer ?? []
        let identity = InstanceIdentity(
            studyInstanceUID: record.studyInstanceUID, seriesInstanceUID: record.seriesInstanceUID,
            sopInstanceUID: uid, sopClassUID: sopClass, patientID: header.string(.patientID) ?? "")
        self.identity = identity
        try check(identity)
        // Where it will be found.
        let shownStudy = archive.catalog.rules.view(of: record).record.studyInstanceUID
        self.identity?.studyInstanceUID = shownStudy
        arrival.note(SentStudy(studyInstanceUID: shownStudy, institution: sender.institution))
        return (record, header)
    }

    /// What is answered without storing, when the UID is held; nil when the object is to be stored.
    ///
    /// What is held and damaged is replaced by what the same institution sends again, whatever is kept of differing content: nobody
    /// can say any more whether it differs.
    private func outcomeIfHeld(_ record: inout InstanceRecord) throws(ArchiveError) -> StoreOutcome? {
        do {
            guard archive.catalog.mayHold(sopInstanceUID: record.sopInstanceUID) else { return nil }
            let held = try archive.catalog.held(
                sopInstanceUID: record.sopInstanceUID, institution: sender.institution)
            guard let first = held.first else { return nil }
            let mayHeal = first.sender.institution == sender.institution
            if mayHeal, archive.isDamaged(first) {
                record.policy = .replace
                return nil
            }
            let comparison = Comparison(archive: archive, record: record) { [writer] () throws(ArchiveError) in
                do throws(BlobError) { return ReceivedContent(content: try writer.undecidedContent()) } catch {
                    throw ArchiveError(error)
                }
            }
            for holding in held {
                do throws(ArchiveError) {
                    guard try comparison.isSame(holding) else { continue }
                } catch {
                    // It is what is held that cannot be read.
                    _ = try? archive.verify(holding)
                    guard mayHeal, holding.sequence == first.sequence, archive.damage.contains(holding.sequence) else {
                        throw error
                    }
                    record.policy = .replace
                    return nil
                }
                try archive.record(.sentAgain(instance: holding.sequence, sender: sender, outcome: .same))
                writer.abandon()
                return .same
            }
            let mayReplace = record.policy == .replace && first.sender.institution == sender.institution
            if mayReplace || record.policy == .both { return nil }
            try archive.record(
                .sentAgain(instance: first.sequence, sender: sender, outcome: .differsKeptFirst))
            writer.abandon()
            return .differs
        } catch let error as CatalogError {
            throw ArchiveError(error)
        } catch let error as ArchiveError {
            throw error
        } catch { throw .damaged }
    }

    private func store(_ record: InstanceRecord, header: Dataset) throws(ArchiveError) -> StoreOutcome {
        let catalog = archive.catalog
        let key = try archive.studyKeys.take(for: catalog.rules.view(of: record).record, in: catalog)
        defer { archive.studyKeys.release(key) }
        let ticket = try submit(record, header: header, key: key, in: catalog)
        do {
            try key.durable?.wait()
            try writer.sync()
        } catch {
            catalog.revoke(ticket)
            _ = try? catalog.outcome(of: ticket)
            if let error = error as? BlobError { throw ArchiveError(error) }
            throw .damaged
        }
        catalog.confirm(ticket)
        let outcome: Catalog.Outcome
        do throws(CatalogError) { outcome = try catalog.outcome(of: ticket) } catch {
            // The bytes are safe and the catalogue tries again by itself; the caller may send once more.
            throw ArchiveError(error)
        }
        switch outcome {
        case .stored, .known: return .stored
        case .arriving: return .arriving
        case .conflict: return .conflict
        case .version: return .version
        case .replaced(let old):
            try archive.record(.removed(instances: [old], destroyAt: archive.destructionTime()))
            return .replaced
        }
    }

    /// Writes all of it and hands it to the catalogue; it is not durable yet.
    private func submit(
        _ record: InstanceRecord, header: Dataset, key: StudyKeys.Entry, in catalog: Catalog
    ) throws(ArchiveError) -> Ticket {
        var record = record
        var metadata: [UInt8] = []
        header.json(into: &metadata)
        record.sequence = archive.turns.take(archive.nextSequence)
        defer { archive.turns.end(record.sequence) }
        do throws(BlobError) {
            let location = try writer.write(
                metadata: metadata, record: record.encoded(), sequence: record.sequence, studyKey: key.id)
            archive.turns.wait(for: record.sequence)
            return catalog.submit(record, pack: location.pack, byteOffset: location.offset, studyKey: key.id.bytes)
        } catch { throw ArchiveError(error) }
    }
}
