/// Where a transfer is between its beginning and its end.
public enum TransferPhase: String, Sendable, CaseIterable {
    case waiting
    case underWay = "under way"
    case paused
    /// The other side drives it, and nothing has come for a while, or since the start.
    case quiet
    case givenUp = "given up"
    case complete
    case cancelled

    /// Whether nothing follows it.
    var isEnd: Bool { self == .complete || self == .cancelled }
}

extension TransferStatus {
    public var phase: TransferPhase {
        switch record.state {
        case .complete: return .complete
        case .cancelled: return .cancelled
        case .open: break
        }
        if isPaused { return .paused }
        guard let job else { return isSilent ? .quiet : .underWay }
        switch job.state {
        case .dead: return .givenUp
        case .running: return .underWay
        default: return .waiting
        }
    }

    /// Bytes on the line in a second, over the run; nil while nothing is known.
    public var rate: Double? {
        guard let figures, figures.elapsed > 0 else { return nil }
        return Double(figures.lineByteCount) / Double(figures.elapsed) * 1000
    }

    /// Seconds until all that is announced is there, if it goes on as fast as this run was; nil while nothing is known.
    public var timeLeft: Double? {
        guard let figures, figures.elapsed > 0, figures.byteCountGained > 0,
            figures.byteCount > figures.byteCountThere
        else { return nil }
        // What was there before cost this run nothing.
        let rate = Double(figures.byteCountGained) / Double(figures.elapsed) * 1000
        return Double(figures.byteCount - figures.byteCountThere) / rate
    }

    /// Why it waits or was given up, or what is to be known of it.
    public var remark: String {
        job.map { $0.state == .dead || $0.state == .waiting ? $0.reason : record.note } ?? record.note
    }
}
