import Archive
import DICOMweb
import Keys
import Transfer
import Viewer

/// What the web's doors are told of transfers.
extension Transfers {
    /// Objects that are looked at to find out whose study arrives: every series begins with one of its own.
    private static let sampleLimit = 100

    /// For the page of transfers.
    func pageSources(of archive: Archive) -> TransferSources {
        TransferSources { [self] limit in
            try list(limit: limit).map(\.row)
        } study: { [archive] name, reach in
            guard let transfer = [UInt8](hexadecimal: name) else { return nil }
            return try archive.arriving(transfer: transfer, limit: Self.sampleLimit).lazy
                .compactMap { archive.studyInstanceUID(of: $0, within: reach) }.first
        }
    }

    /// For the addresses at which an arriving study is read.
    var arrivalSource: ArrivalSource {
        ArrivalSource { [self] name in
            guard let record = try record(name), record.direction == .receiving, record.state == .open else {
                return nil
            }
            return .init(site: record.site, objects: record.objects)
        }
    }
}

extension TransferStatus {
    fileprivate var row: TransferRow {
        let isComplete = phase == .complete
        return TransferRow(
            id: record.id, isSending: record.direction == .sending, site: record.site, phase: phase.shown,
            objectsThere: isComplete ? record.objects : figures?.objectsThere ?? 0,
            objects: max(record.objects, figures?.objects ?? 0),
            byteCountThere: isComplete ? record.byteCount : figures?.byteCountThere ?? 0,
            byteCount: max(record.byteCount, figures?.byteCount ?? 0), rate: rate,
            resentByteCount: record.resentByteCount, startedAt: record.startedAt, note: remark)
    }
}

extension TransferPhase {
    fileprivate var shown: TransferRow.Phase {
        switch self {
        case .waiting: .waiting
        case .underWay: .underWay
        case .paused: .paused
        case .quiet: .quiet
        case .givenUp: .givenUp
        case .complete: .complete
        case .cancelled: .cancelled
        }
    }
}
