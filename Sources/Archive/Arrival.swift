import Catalog
import Synchronization

/// What one association, import or transfer brings: while it is open, the studies it has brought objects of are not
/// complete. Dropping it ends it.
public final class Arrival: Sendable {
    private let studies = Mutex<Set<SentStudy>>([])
    private let board: ArrivalBoard

    init(board: ArrivalBoard) { self.board = board }

    deinit { board.leave(studies.withLock { $0 }) }

    func note(_ study: SentStudy) {
        if studies.withLock({ $0.insert(study).inserted }) { board.enter(study) }
    }
}

/// The studies that are arriving, by how many ways.
final class ArrivalBoard: Sendable {
    private let open = Mutex<[SentStudy: Int]>([:])

    func enter(_ study: SentStudy) { open.withLock { $0[study, default: 0] += 1 } }

    func leave(_ studies: Set<SentStudy>) {
        open.withLock { open in
            for study in studies {
                let left = open[study, default: 1] - 1
                open[study] = left > 0 ? left : nil
            }
        }
    }

    var studies: Set<SentStudy> { open.withLock { Set($0.keys) } }
}
