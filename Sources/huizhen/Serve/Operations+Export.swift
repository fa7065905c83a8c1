import Access
import Archive
import Audit
import Catalog
import Control
import DICOM

extension Operations {
    /// What an export names.
    func holdings(_ studies: [String], _ series: [String], _ instances: [String]) throws -> [Holding] {
        let limit = service.settings.integer("dimse.retrieve-limit")
        let holdings = try service.archive.holdings(
            patientID: nil, studyInstanceUIDs: studies, seriesInstanceUIDs: series, sopInstanceUIDs: instances,
            visibility: .everything, limit: limit + 1)
        guard holdings.count <= limit else {
            throw ControlError.refused(
                "more than \(limit) objects: export them in parts, or raise dimse.retrieve-limit")
        }
        return holdings
    }

    /// Writes down what is exported, every study by its name, before it is.
    ///
    /// - Throws: what keeps it from being done.
    func record(
        export holdings: [Holding], named series: [String], _ instances: [String], isOriginal: Bool,
        to destination: String?, _ channel: Channel
    ) throws {
        var counts: [String: UInt64] = [:]
        var studies: [String] = []
        for holding in holdings {
            if counts[holding.studyInstanceUID] == nil { studies.append(holding.studyInstanceUID) }
            counts[holding.studyInstanceUID, default: 0] += 1
        }
        var entries: [AuditEntry] = []
        var rest = studies[...]
        repeat {
            let part = rest.prefix(Self.nameLimit)
            rest = rest.dropFirst(Self.nameLimit)
            var objects =
                part.map { AuditObject(.study, $0) } + (destination.map { [AuditObject(.destination, $0)] } ?? [])
            if entries.isEmpty {
                objects += series.prefix(Self.nameLimit).map { AuditObject(.series, $0) }
                objects += instances.prefix(Self.nameLimit).map { AuditObject(.instance, $0) }
            }
            entries.append(
                AuditEntry(
                    .exported, by: actor(channel), door: Self.door, objects: objects,
                    instanceCount: part.reduce(0) { $0 + (counts[$1] ?? 0) },
                    reason: isOriginal ? "without corrections" : ""))
        } while !rest.isEmpty
        try service.audit.append(entries)
    }

    /// Sends objects, each in one of the transfer syntaxes if any is named.
    func export(_ holdings: [Holding], in transferSyntaxes: [String], isOriginal: Bool, _ channel: Channel) throws {
        let buffer = PieceBuffer()
        for (index, holding) in holdings.enumerated() {
            try channel.send(ControlReply.progress(done: index, total: holdings.count))
            var head = ObjectHead(
                transferSyntaxUID: holding.transferSyntaxUID, sopClassUID: holding.sopClassUID,
                sopInstanceUID: holding.sopInstanceUID, studyInstanceUID: holding.studyInstanceUID)
            var isBegun = false
            func begin() throws {
                if !isBegun { try channel.send(ControlReply.object(head)) }
                isBegun = true
            }
            // One that cannot be had is none of the others' business.
            do {
                let object = try service.archive.open(holding)
                var target: TransferSyntax?
                if let first = transferSyntaxes.first, !transferSyntaxes.contains(holding.transferSyntaxUID) {
                    target = TransferSyntax(uid: first)
                }
                let record =
                    try isOriginal && target == nil ? object.record() : service.archive.shownRecord(of: object)
                head = Self.head(record, target?.uid ?? holding.transferSyntaxUID)
                func send(_ piece: UnsafeRawBufferPointer) throws {
                    try begin()
                    try channel.send(data: piece)
                }
                if let target {
                    try service.archive.write(object, in: target, through: buffer, send)
                } else if isOriginal {
                    try object.forEachPiece(through: buffer, send)
                } else {
                    try service.archive.write(object, through: buffer, send)
                }
                try begin()
                try channel.sendEnd()
            } catch let error as ArchiveError {
                if isBegun {
                    try channel.sendAbort("\(error)")
                } else if let why = reason(error, holding) {
                    try channel.send(ControlReply.leftOut(head, why: "\(why)"))
                }
            }
        }
        try channel.send(ControlReply.progress(done: holdings.count, total: holdings.count))
    }

    /// Nil for what was destroyed since it was listed.
    private func reason(_ error: ArchiveError, _ holding: Holding) -> ArchiveError? {
        guard case .notFound = error else { return error }
        do throws(ArchiveError) { try service.archive.verify(holding) } catch {
            if case .notFound = error { return nil }
            return error
        }
        return error
    }

    private static func head(_ record: InstanceRecord, _ transferSyntaxUID: String) -> ObjectHead {
        ObjectHead(
            transferSyntaxUID: transferSyntaxUID, sopClassUID: record.sopClassUID,
            sopInstanceUID: record.sopInstanceUID, studyInstanceUID: record.studyInstanceUID,
            seriesInstanceUID: record.seriesInstanceUID, issuerOfPatientID: record.issuer)
    }
}
