import Archive
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

    /// Sends objects, each in one of the transfer syntaxes if any is named.
    func export(_ holdings: [Holding], in transferSyntaxes: [String], isOriginal: Bool, _ channel: Channel) throws {
        let buffer = PieceBuffer()
        for (index, holding) in holdings.enumerated() {
            try channel.send(ControlReply.progress(done: index, total: holdings.count))
            let object: StoredObject
            do throws(ArchiveError) { object = try service.archive.open(holding) } catch .notFound {
                // Destroyed since it was listed.
                continue
            }
            if let target = transferSyntaxes.first, !transferSyntaxes.contains(holding.transferSyntaxUID) {
                try export(object, rewrittenIn: TransferSyntax(uid: target), through: buffer, channel)
            } else if isOriginal {
                try channel.send(
                    ControlReply.object(head(try object.record(), holding.transferSyntaxUID)))
                try object.forEachPiece(through: buffer) { try channel.send(data: $0) }
                try channel.sendEnd()
            } else {
                try channel.send(
                    ControlReply.object(
                        head(try service.archive.shownRecord(of: object), holding.transferSyntaxUID)))
                try service.archive.write(object, through: buffer) { try channel.send(data: $0) }
                try channel.sendEnd()
            }
        }
        try channel.send(ControlReply.progress(done: holdings.count, total: holdings.count))
    }

    private func head(_ record: InstanceRecord, _ transferSyntaxUID: String) -> ObjectHead {
        ObjectHead(
            transferSyntaxUID: transferSyntaxUID, sopClassUID: record.sopClassUID,
            sopInstanceUID: record.sopInstanceUID, studyInstanceUID: record.studyInstanceUID,
            seriesInstanceUID: record.seriesInstanceUID, issuerOfPatientID: record.issuer)
    }

    /// Whether an object can be had is known before its first byte; what breaks after that ends the object alone.
    private func export(
        _ object: StoredObject, rewrittenIn target: TransferSyntax, through buffer: PieceBuffer, _ channel: Channel
    ) throws {
        let head = head(try service.archive.shownRecord(of: object), target.uid)
        var isBegun = false
        do {
            try service.archive.write(object, in: target, through: buffer) { piece in
                if !isBegun { try channel.send(ControlReply.object(head)) }
                isBegun = true
                try channel.send(data: piece)
            }
            if !isBegun { try channel.send(ControlReply.object(head)) }
            try channel.sendEnd()
        } catch let error as ArchiveError {
            if isBegun {
                try channel.sendAbort("\(error)")
            } else {
                try channel.send(ControlReply.leftOut(head, why: "\(error)"))
            }
        }
    }
}
