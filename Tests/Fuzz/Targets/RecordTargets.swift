import DICOM

@testable import BlobStore
@testable import Catalog
@testable import Keys

extension FuzzTarget {
    /// What the catalogue reads back from packs and journal.
    static let record = FuzzTarget("record") { _ in
        recordSeeds()
    } run: { input in
        var reader = InputReader(input)
        let isEvent = reader.byte() & 1 == 1
        let bytes = Array(reader.rest)
        if isEvent {
            guard let entry = try? JournalEntry(encoded: bytes) else { return }
            let once = try JournalEntry(encoded: entry.encoded())
            // Text in another character set comes back in UTF-8, which we write ourselves.
            try require(try JournalEntry(encoded: once.encoded()) == once, "an event does not come back")
            try require(entry.encoded() != bytes || once == entry, "an event of our own does not come back")
        } else {
            guard let record = try? InstanceRecord(encoded: bytes) else { return }
            let once = record.encoded()
            let twice = try InstanceRecord(encoded: once).encoded()
            try require(try InstanceRecord(encoded: twice).encoded() == twice, "a record does not come back")
            _ = record.patientKey
        }
    }

    /// What the store reads back from its files, behind or without a seal.
    static let blob = FuzzTarget("blob", byteCountLimit: 2048) { _ in
        blobSeeds()
    } run: { input in
        var reader = InputReader(input)
        let kind = reader.byte() % 4
        var bytes = Array(reader.rest)
        switch kind {
        case 0:
            if bytes.count >= ObjectHeader.byteCount { mend(&bytes, until: 252) }
            let header = bytes.withUnsafeBytes { ObjectHeader($0, at: BlobLocation(pack: 3, offset: 8192)) }
            if let header { try check(header, bytes) }
        case 1:
            guard let events = EventFrame.events(in: bytes) else { return }
            var again: [UInt8] = []
            for event in events { EventFrame.append(event, to: &again) }
            try require(again == bytes, "events do not come back")
        case 2:
            let header = bytes.prefix(EventFrame.headerByteCount)
            let count = EventFrame.byteCount(header: header, at: BlobLocation(pack: 3, offset: 8192))
            try require((count ?? 0) <= EventJournal.batchLimit + 4096, "a frame is larger than a batch")
        default:
            bytes = Array(bytes.prefix(StudyKeyRecord.byteCount))
            if bytes.count == StudyKeyRecord.byteCount { mend(&bytes, until: 124) } else { return }
            if case .record(let record) = StudyKeyRecord.read(bytes[...]) {
                guard case .record(let again) = StudyKeyRecord.read(record.encoded[...]), again.id == record.id else {
                    throw BrokenProperty(description: "a study key's record does not come back")
                }
            }
            if case .live(let key) = ObjectKeyRecord.read(bytes) {
                let again = ObjectKeyRecord.read(ObjectKeyRecord.encoded(key))
                try require(again == .live(key), "an object key's record does not come back")
            }
            if let head = KeyFileHead(bytes, fallback: noID) {
                try require(KeyFileHead(head.encoded, fallback: noID) == head, "a key file's head does not come back")
            }
            _ = PackName.number(
                in: String(decoding: bytes.prefix(24), as: UTF8.self), prefix: "pack-", suffix: ".hzp")
        }
    }
}

private let noID: KeyID = {
    guard let id = KeyID(bytes: [UInt8](repeating: 0, count: KeyID.byteCount)) else { preconditionFailure() }
    return id
}()

/// Puts the checksum right, which mutation would never hit.
private func mend(_ bytes: inout [UInt8], until end: Int) {
    let sum = bytes[..<end].withUnsafeBytes { Checksum.crc32($0) }
    for index in 0..<4 { bytes[end + index] = UInt8(truncatingIfNeeded: sum >> (8 * UInt32(index))) }
}

/// Whoever reads the object adds these up.
private func check(_ header: ObjectHeader, _ bytes: [UInt8]) throws {
    if header.state == .live {
        try require(header.usedByteCount <= header.extent, "an object is longer than its room")
        try require(header.metadataOffset <= header.recordOffset, "parts lie in another order")
        let end = header.location.offset.addingReportingOverflow(header.usedByteCount)
        try require(!end.overflow && end.partialValue <= UInt64(Int64.max), "an object ends behind every file")
        try require(header.recordByteCount <= UInt64(ChunkFormat.recordLimit), "a record is too large")
    }
    let again = header.encoded.withUnsafeBytes { ObjectHeader($0, at: header.location) }
    let isKept = header.state == .void || again == header
    try require(isKept, "a header does not come back")
}

private func recordSeeds() -> [[UInt8]] {
    let sender = Sender(peer: "CT1", institution: "SEED", door: "dimse")
    let record = InstanceRecord(
        sequence: 9, header: heldSeed(), sopInstanceUID: "1.2.3.4", sopClassUID: "1.2.840.10008.5.1.4.1.1.2",
        defaultIssuer: "SEED", transferSyntaxUID: "1.2.840.10008.1.2.1", byteCount: 4096,
        digest: [UInt8](repeating: 7, count: 32), sender: sender, receivedAt: 1_700_000_000_000, policy: .keep,
        pixelDataLayout: [1, 0, 2, 3], placeholderUID: { _ in "2.25.1" })
    let events: [CatalogEvent] = [
        .sentAgain(instance: 3, sender: sender, outcome: .differsKeptFirst),
        .removed(instances: [1, 2, 3], destroyAt: 1_700_000_000_000), .restored(instances: [1]),
        .destroyed(instances: [1, 2]), .held(instances: [4], true),
    ]
    return [[0] + record.encoded()] + events.map { [1] + JournalEntry(at: 5, event: $0).encoded() }
}

private func blobSeeds() -> [[UInt8]] {
    guard let id = KeyID(bytes: [UInt8](1...16)) else { return [] }
    var header = ObjectHeader(location: BlobLocation(pack: 3, offset: 8192), extent: 1 << 20, studyKey: id)
    header.contentByteCount = 500_000
    header.metadataByteCount = 3000
    header.recordByteCount = 900
    var events: [UInt8] = []
    EventFrame.append(StoredEvent(sequence: 3, bytes: [1, 2, 3]), to: &events)
    EventFrame.append(StoredEvent(sequence: 4, bytes: []), to: &events)
    let wrapped = [UInt8](repeating: 9, count: AuthenticatedCipher.wrappedKeyByteCount)
    let key = ObjectKey(
        objectID: [UInt8](1...16), studyKey: id, wrappedKey: wrapped, pack: 3, offset: 8192)
    return [
        [0] + header.encoded, [0] + header.voided.encoded, [1] + events,
        [2] + Array("HZEVNT01".utf8) + [UInt8](repeating: 0, count: 40),
        [3] + StudyKeyRecord(id: id, state: .live, wrappedKey: wrapped).encoded,
        [3] + KeyFileHead(masterCheck: [UInt8](repeating: 5, count: 16), installation: id).encoded,
        [3] + ObjectKeyRecord.encoded(key), [0] + header.copied(to: 4).encoded,
        [0] + header.copied(to: 4).cleared.encoded,
    ]
}
